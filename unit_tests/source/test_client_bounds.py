"""Answers that never end, redirects, and addresses that are private: the source breaks them off or does not ask."""

from __future__ import annotations

import socket
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from unittest.mock import MagicMock

import pytest
import requests
import requests_mock
from airbyte_cdk.sources.streams.concurrent.default_stream import DefaultStream

from source_vitally import SourceVitally, budget, cdk
from source_vitally.client import RequestFailed, patience
from source_vitally.retrievers import FeedRetriever
from unit_tests.endless import ENDLESS, ODDLY_ENDLESS, OK, SLOW, Server, slow
from vitally_api import bounds

pytestmark = pytest.mark.usefixtures("small")

KEY = "sk_live_example_not_real"


def ask(data_center: dict[str, str], **params: Any) -> requests.Response:
    """Ask for accounts once, as a stream does."""
    source = SourceVitally(config={"data_center": data_center, "secret_token": KEY})
    [accounts] = cdk.streams_of(source, {"accounts"})
    assert isinstance(accounts, DefaultStream)
    retriever = accounts._stream_partition_generator._partition_factory._retriever  # type: ignore[attr-defined]
    assert isinstance(retriever, FeedRetriever)
    with patience(retries=0):
        response = retriever.requester.send_request(request_params=params)
    assert response is not None
    return response


def at(server: Server) -> dict[str, str]:
    return {"region": "custom", "rest_url": server.url}


@pytest.mark.parametrize("script", ENDLESS)
@pytest.mark.parametrize(("limit", "megabytes"), [(100, 1), (1, 2)])
def test_a_page_without_end_is_broken_off(
    serve: Callable[..., Server], script: Any, limit: int, megabytes: int
) -> None:
    server = serve(script)
    with pytest.raises(RequestFailed, match=f"sent an answer of more than {megabytes} MB") as caught:
        ask(at(server), limit=limit)
    assert caught.value.is_too_large
    assert caught.value.may_pass
    assert server.sent < 10 * bounds.MEGABYTE


@pytest.mark.parametrize("script", ODDLY_ENDLESS)
def test_what_is_no_body_has_bounds_too(serve: Callable[..., Server], script: Any) -> None:
    server = serve(script)
    with pytest.raises(RequestFailed, match=r"sent an answer (of more than 2 MB|with .* too long)"):
        ask(at(server), limit=1)
    assert server.sent < 50 * bounds.MEGABYTE


@pytest.mark.parametrize(("size", "is_alone"), [(bounds.ALONE - 10, False), (bounds.ALONE + 10, True)])
def test_of_many_large_answers_one_is_held_at_once(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, size: int, is_alone: bool
) -> None:
    monkeypatch.setattr(bounds, "LARGEST_ROW", 2 * bounds.ALONE)
    turn = MagicMock()
    monkeypatch.setattr(budget, "Lock", lambda: turn)
    body = b'{"results": [{"id": "%s"}]}' % (b"x" * (size - 25))
    assert ask(at(serve(lambda _: iter([OK + b"Content-Length: %d\r\n\r\n" % len(body), body]))), limit=1).ok
    assert turn.__enter__.call_count == turn.__exit__.call_count == int(is_alone)


@pytest.mark.parametrize("name", SLOW)
def test_an_answer_that_takes_its_time_is_broken_off(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(bounds, "LONGEST_ANSWER", 0.1)
    servers: list[Server] = []
    servers.append(serve(lambda _: slow(servers, *SLOW[name])))
    with pytest.raises(RequestFailed, match="sent an answer that had not ended after 0 s"):
        ask(at(servers[0]))


def test_too_many_headers_are_said(serve: Callable[..., Server]) -> None:
    many = b"".join(b"X-%d: y\r\n" % number for number in range(500))
    with pytest.raises(RequestFailed, match=r"headers that are too many or too long \(got more than 100"):
        ask(at(serve(lambda _: iter([OK + many + b"\r\n{}"]))))


# Redirects

US, EU = "https://acme.rest.vitally.io/resources/accounts", "https://rest.vitally-eu.io/resources/accounts"
ACME = {"region": "us", "subdomain": "acme"}


def redirecting(mock: requests_mock.Mocker, *targets: str) -> None:
    """Redirect from each address to the next; the last answers with a page."""
    for address, target in pairwise(targets):
        mock.get(address, status_code=308, headers={"Location": target})
    if targets[-1] not in targets[:-1]:
        mock.get(targets[-1], json={"results": [], "next": None})


@pytest.mark.parametrize(
    ("data_center", "targets"),
    [
        (ACME, [US, "https://rest.vitally.io/resources/accounts?a=b"]),
        (ACME, [US, "https://acme.rest.vitally.io/x", "https://vitally.io/a", "https://a.b.vitally.io:443/b?c=1"]),
        ({"region": "eu"}, [EU, "https://x.vitally-eu.io/resources/accounts"]),
    ],
)
def test_redirects_within_vitally_are_followed(data_center: dict[str, str], targets: list[str]) -> None:
    with requests_mock.Mocker() as mock:
        redirecting(mock, *targets)
        assert ask(data_center).ok
        assert [request.url.partition("?")[0] for request in mock.request_history] == [
            target.partition("?")[0] for target in targets
        ]
        assert len({request.headers["Authorization"] for request in mock.request_history}) == 1


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ([US, "https://vitally.io.example.com/x"], "acme.rest.vitally.io redirects to vitally.io.example.com"),
        ([US, EU], "redirects to rest.vitally-eu.io (HTTP 308), which is outside of Vitally's domain"),
        ([US, "http://rest.vitally.io/x"], "redirects to rest.vitally.io (HTTP 308), which is not https"),
        ([US, "https://127.0.0.1/x"], "redirects to 127.0.0.1 (HTTP 308)"),
        ([US, "https://rest.vitally.io/x", "https://evil.example/x"], "redirects to evil.example (HTTP 308)"),
        ([US, "https://evil.example\\.vitally.io/x"], "which is outside of Vitally's domain"),
        ([US, "https://evil.example%2f.vitally.io/x"], "which is outside of Vitally's domain"),
        ([US, US], "redirects to acme.rest.vitally.io (HTTP 308), after 3 other redirects"),
    ],
)
def test_a_redirect_to_elsewhere_is_refused_and_the_key_goes_nowhere(targets: list[str], said: str) -> None:
    with requests_mock.Mocker() as mock:
        redirecting(mock, *targets)
        with pytest.raises(RequestFailed) as caught:
            ask(ACME)
        assert said in str(caught.value.message)
        assert not caught.value.may_pass
        assert {request.hostname for request in mock.request_history} <= {"acme.rest.vitally.io", "rest.vitally.io"}
        assert mock.call_count == (4 if targets[0] == targets[-1] else len(targets) - 1)


@pytest.mark.parametrize("status", [300, 304, 399])
def test_a_redirect_to_nowhere_is_a_config_error(status: int) -> None:
    with requests_mock.Mocker() as mock:
        mock.get(US, status_code=status)
        with pytest.raises(
            RequestFailed, match=rf"redirects to nowhere \(HTTP {status}\). Check Data center \(data_center\)"
        ):
            ask(ACME)


# Airbyte Cloud


@pytest.mark.parametrize("looked_up", [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"]])
def test_a_name_that_leads_into_a_private_network_gets_no_request(
    monkeypatch: pytest.MonkeyPatch, looked_up: list[str]
) -> None:
    """The second looks harmless when it is looked up first, and leads elsewhere when it is connected to."""
    monkeypatch.setenv("DEPLOYMENT_MODE", "cloud")
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        answers = [*looked_up]

        def look_up(*_: Any, **__: Any) -> list[Any]:
            found = answers.pop(0) if len(answers) > 1 else answers[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, server.getsockname()[1]))]

        with monkeypatch.context() as patched:
            patched.setattr(socket, "getaddrinfo", look_up)
            with pytest.raises(RequestFailed, match=r"rest.vitally-eu.io is in a private network, which"):
                ask({"region": "eu"})
        if len(looked_up) > 1:
            connection = server.accept()[0]
            connection.settimeout(10)
            assert connection.recv(100) == b"", "a connection is made, and nothing is sent"
