"""How long a request is tried again, by what fails and by what others do meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from airbyte_cdk.sources.streams.concurrent.default_stream import DefaultStream

from source_vitally import SourceVitally, cdk, client
from source_vitally.client import FEW_RETRIES, MAX_SECONDS, RETRIES, Patience, PatientClient, RequestFailed
from source_vitally.retrievers import FeedRetriever

USUAL, ONE_OF_MANY, DOUBTFUL = Patience(), Patience(one_of_many=True), Patience(doubtful=True)


@pytest.mark.parametrize(
    ("patience", "status", "others_succeed", "retries"),
    [
        (USUAL, 500, True, RETRIES),
        (ONE_OF_MANY, 500, False, RETRIES),
        (ONE_OF_MANY, 500, True, FEW_RETRIES),
        (ONE_OF_MANY, None, True, FEW_RETRIES),
        (ONE_OF_MANY, 429, True, RETRIES),
        (DOUBTFUL, 500, False, FEW_RETRIES),
        (DOUBTFUL, 200, False, FEW_RETRIES),
        (DOUBTFUL, 503, True, RETRIES),
        (DOUBTFUL, None, True, RETRIES),
        (DOUBTFUL, 429, True, RETRIES),
        (Patience(2), 503, False, 2),
        (Patience(0, one_of_many=True), 500, True, 0),
    ],
)
def test_how_often_a_request_is_tried_again(
    patience: Patience, status: int | None, others_succeed: bool, retries: int
) -> None:
    tries = next(n for n in range(1, 99) if patience.has_ended(status, n, others_succeed))
    assert tries - 1 == retries


CONFIG = {"data_center": {"region": "eu"}, "secret_token": "sk_live_example_not_real"}


@pytest.mark.parametrize(("retry_after", "tries"), [(None, 1 + RETRIES), ("400", 4)])
def test_an_outage_is_outlasted_for_minutes_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, retry_after: str | None, tries: int
) -> None:
    [accounts] = cdk.streams_of(SourceVitally(config=CONFIG), {"accounts"})
    assert isinstance(accounts, DefaultStream)
    retriever = accounts._stream_partition_generator._partition_factory._retriever  # type: ignore[attr-defined]
    assert isinstance(retriever, FeedRetriever)
    patient: Any = retriever.requester._http_client  # type: ignore[attr-defined]
    assert isinstance(patient, PatientClient)
    waits: list[float] = []
    asked: list[requests.PreparedRequest] = []

    def down(request: requests.PreparedRequest, *_: Any) -> requests.Response:
        asked.append(request)
        answer = requests.Response()
        answer.status_code, answer._content, answer.request = 503, b"", request
        answer.headers.update({"Retry-After": retry_after} if retry_after else {})
        return answer

    monkeypatch.setattr(patient, "_once", down)
    monkeypatch.setattr(client, "sleep", waits.append)
    monkeypatch.setattr(client, "monotonic", lambda: sum(waits))
    with pytest.raises(RequestFailed):
        patient._send_with_retry(requests.Request("GET", "http://127.0.0.1/accounts").prepare(), {})
    assert len(asked) == tries
    assert 120 < sum(waits) <= MAX_SECONDS


def test_what_the_environment_says_of_a_host_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    [accounts] = cdk.streams_of(SourceVitally(config=CONFIG), {"accounts"})
    assert isinstance(accounts, DefaultStream)
    retriever: Any = accounts._stream_partition_generator._partition_factory._retriever  # type: ignore[attr-defined]
    session = retriever.requester._http_client._session
    reads: list[str] = []
    environ = requests.sessions.get_environ_proxies

    def read(url: str, **given: Any) -> Any:
        reads.append(url)
        return environ(url, **given)

    monkeypatch.setattr(requests.sessions, "get_environ_proxies", read)
    for name, value in (("https_proxy", "http://proxy.example:3128"), ("no_proxy", "b.example")):
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.upper(), value)
    found = [
        session.merge_environment_settings(url=url, proxies={}, stream=None, verify=None, cert=None)
        for url in ("https://a.example/1", "https://a.example/2", "https://b.example/1", "http://a.example/1")
    ]
    assert [one["proxies"].get("https") for one in found[:3]] == ["http://proxy.example:3128"] * 2 + [None]
    assert reads == ["https://a.example/1", "https://b.example/1", "http://a.example/1"]
    found[0]["proxies"] = {"https": "http://another.example"}
    again = session.merge_environment_settings(
        url="https://a.example/3", proxies={}, stream=None, verify=None, cert=None
    )
    assert again["proxies"]["https"] == "http://proxy.example:3128"
