"""Answers that never end, in bytes or in time: each is broken off, and the sentence says by which bound."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest
import requests

from destination_vitally.api.http import Api, Shared
from destination_vitally.api.limiter import Limiter
from destination_vitally.api.pages import all_rows
from destination_vitally.api.wire import Adapter
from destination_vitally.errors import AmbiguousError, OutageError
from unit_tests.destination.api.test_http_pace import Clock
from unit_tests.endless import ENDLESS, ODDLY_ENDLESS, OK, SLOW, Server, bomb, plain, slow
from vitally_api import bounds

pytestmark = pytest.mark.usefixtures("small")


def api(server: Server, patience: float = 3.0) -> Api:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", Adapter())
    shared = Shared(session, Limiter(100_000, clock := Clock()), clock, patience)
    return Api("some_token", server.url, "Basic example", shared)


@pytest.mark.parametrize("script", ENDLESS)
@pytest.mark.parametrize(("path", "megabytes"), [("/users?limit=100", 1), ("/users?limit=1", 2), ("/users/1", 2)])
def test_a_read_without_end_is_broken_off(serve: Callable[..., Server], script: Any, path: str, megabytes: int) -> None:
    server = serve(script)
    reply = api(server).send("GET", path)
    assert (reply.ok, reply.is_miss, bool(reply.bound)) == (False, False, True)
    assert reply.reason == f"an answer of more than {megabytes} MB"
    assert server.sent < 10 * bounds.MEGABYTE


@pytest.mark.parametrize("script", ODDLY_ENDLESS)
def test_what_is_no_body_has_bounds_too(serve: Callable[..., Server], script: Any) -> None:
    server = serve(script)
    with pytest.raises(OutageError, match=r"an answer (of more than 2 MB|with .* too long)"):
        api(server, patience=0.0).send("PUT", "/users/1", b"{}")
    assert server.sent < 50 * bounds.MEGABYTE


@pytest.mark.parametrize(("size", "is_alone"), [(bounds.ALONE - 10, False), (bounds.ALONE + 10, True)])
def test_of_many_large_answers_one_is_held_at_once(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, size: int, is_alone: bool
) -> None:
    monkeypatch.setattr(bounds, "LARGEST_ROW", 2 * bounds.ALONE)
    body = b'{"id": "%s"}' % (b"x" * (size - 10))
    rest = api(serve(lambda _: iter([OK + b"Content-Length: %d\r\n\r\n" % len(body), body])))
    rest._shared.turn = turn = MagicMock()
    assert len(rest.send("GET", "/users/1").body["id"]) == size - 10
    assert turn.__enter__.call_count == turn.__exit__.call_count == int(is_alone)


@pytest.mark.parametrize("script", [plain, bomb])
def test_a_write_whose_answer_has_no_end_is_in_doubt(serve: Callable[..., Server], script: Any) -> None:
    rest = api(serve(script))
    with pytest.raises(AmbiguousError, match="an answer of more than 2 MB"):
        rest.send("POST", "/users", b"{}", repeatable=False)
    with pytest.raises(OutageError, match="answered with an answer of more than 2 MB"):
        rest.send("POST", "/users", b"{}")


@pytest.mark.parametrize(
    ("method", "status", "is_ok"), [("GET", 400, False), ("PUT", 422, False), ("DELETE", 200, True)]
)
def test_where_the_status_says_it_all_the_rest_is_left(
    serve: Callable[..., Server], method: str, status: int, is_ok: bool
) -> None:
    head = b"HTTP/1.1 %d X\r\n\r\n" % status
    reply = api(serve(lambda _: itertools.chain([head], itertools.repeat(b"no " * 20_000)))).send(method, "/users/1")
    assert (reply.ok, bool(reply.bound), reply.status) == (is_ok, False, status)


@pytest.mark.parametrize("name", SLOW)
def test_an_answer_that_takes_its_time_is_broken_off(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(bounds, "LONGEST_ANSWER", 0.1)
    servers: list[Server] = []
    servers.append(serve(lambda _: slow(servers, *SLOW[name])))
    with pytest.raises(OutageError, match=r"sent an answer that had not ended after 0 s. Try again later"):
        api(servers[0], patience=0.0).send("GET", "/users/1")


def test_a_connection_that_was_nearly_out_of_time_is_used_again(serve: Callable[..., Server]) -> None:
    answer = OK + b"Content-Length: 12\r\n\r\n" + b'{"id": "a"}\n'

    def two(_: bytes) -> Iterator[bytes]:
        yield answer[:-1]
        threading.Event().wait(0.6)
        yield answer[-1:]

    rest = api(serve(two))
    assert rest.send("GET", "/users/1").ok
    assert rest.send("GET", "/users/1").ok


def test_too_many_headers_are_said(serve: Callable[..., Server]) -> None:
    many = b"".join(b"X-%d: y\r\n" % number for number in range(500))
    with pytest.raises(OutageError, match=r"an answer with headers that are too many or too long \(got more than 100"):
        api(serve(lambda _: iter([OK + many + b"\r\n{}"])), patience=0.0).send("GET", "/users/1")


@pytest.mark.parametrize(("size", "count"), [(3_000, 120), (60_000, 120), (1_500_000, 12)])
def test_a_page_that_is_too_large_is_asked_for_in_halves(serve: Callable[..., Server], size: int, count: int) -> None:
    """Rows of 3 kB fit a page of a megabyte by a hundred, of 60 kB by a dozen, of 1.5 MB only alone."""
    asked: list[int] = []

    def rows(request: bytes) -> Iterator[bytes]:
        path = request.split()[1].decode()
        limit = int(path.partition("limit=")[2].partition("&")[0])
        start = int(path.partition("from=")[2] or 0)
        asked.append(limit)
        end = min(start + limit, count)
        some = [b'{"id": "%d", "text": "%s"}' % (number, b"x" * size) for number in range(start, end)]
        more = b'"%d"' % end if end < count else b"null"
        body = b'{"results": [%s], "next": %s}' % (b",".join(some), more)
        yield OK + b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    found = [int(row["id"]) for row in all_rows(api(serve(rows)), "/users")]
    assert found == list(range(count))
    least = {3_000: 100, 60_000: 12, 1_500_000: 1}[size]
    assert min(asked) == least
    assert len(asked) <= 2 * count / least + 10
