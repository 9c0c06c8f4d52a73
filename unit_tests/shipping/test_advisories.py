"""What is said of packages with known advisories, and where nothing can be known."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import requests_mock

from shipping import advisories


@pytest.fixture
def osv() -> Any:
    with requests_mock.Mocker() as mocker:
        yield mocker


def results(request: Any, context: Any) -> Any:
    """Given an OSV that knows something of one package, by name and version."""
    del context
    known = {"version": "2.32.0", "package": {"ecosystem": "PyPI", "name": "requests"}}
    return {"results": [{"vulns": [{"id": "PYSEC-1"}]} if one == known else {} for one in request.json()["queries"]]}


def test_advisories_are_those_of_a_version(osv: Any) -> None:
    osv.post(advisories.ADDRESS, json=results)
    found = advisories.known([("idna", "3.0"), ("requests", "2.32.0"), ("requests", "2.33.0")])
    assert found == {"requests==2.32.0": ["PYSEC-1"]}


def test_each_lock_is_one_request_and_a_find_is_an_error(
    osv: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    osv.post(advisories.ADDRESS, json=lambda request, _: {"results": [{} for _ in request.json()["queries"]]})
    assert advisories.main() == 0
    assert osv.call_count == len(advisories.CHECKED) == capsys.readouterr().out.count("checked, 0 with")
    monkeypatch.setattr(advisories, "known", lambda packages: {"idna==3.0": ["PYSEC-2"]})
    assert advisories.main() == 1
    assert "locks/source.lock: idna==3.0: PYSEC-2\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "answer",
    [
        {"exc": requests.ConnectionError},
        {"status_code": 503},
        {"json": {"results": []}},
        {"text": "<html>"},
        {"json": []},
    ],
)
def test_what_cannot_be_asked_is_not_checked(osv: Any, answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    osv.post(advisories.ADDRESS, **answer)
    assert advisories.main() == 0
    assert capsys.readouterr().out.count(": not checked (") == len(advisories.CHECKED)
