"""Faults hit the requests they name, limits count like a token bucket, and the command line serves."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from threading import Thread
from typing import Any

import pytest
import requests

from integration_tests.sandbox import (
    CUT_EMOJI,
    LONG_INTEGER,
    NOT_A_NUMBER,
    TOO_LARGE,
    Clock,
    Fault,
    Limits,
    Sandbox,
)
from integration_tests.sandbox.testing.client import Client
from integration_tests.sandbox.testing.fixtures import MakeSandbox

ACCOUNT = {"externalId": "new", "name": "New"}
Ticker = Callable[[float], None]


def made(sandbox: Sandbox) -> bool:
    return sandbox.workspace.find("accounts", "new") is not None


class TestFaults:
    def test_a_status(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.faults.add(Fault(path=r"^/resources/users$", status=503, headers={"Retry-After": "7"}))
        assert client.rest("GET", "accounts").status_code == 200
        response = client.rest("GET", "users")
        assert (response.status_code, response.headers["Retry-After"]) == (503, "7")
        assert "error" in response.json()
        assert client.rest("GET", "users").status_code == 200
        assert [(r.status, r.fault) for r in sandbox.journal] == [(200, None), (503, "status"), (200, None)]

    @pytest.mark.parametrize(("body", "sent"), [("teapot", b"teapot"), ({"message": "no"}, b'{"message":"no"}')])
    def test_the_body_of_a_status(self, sandbox: Sandbox, client: Client, body: Any, sent: bytes) -> None:
        sandbox.faults.add(Fault(status=418, body=body))
        assert client.rest("GET", "users").content == sent

    def test_json_that_strict_parsers_refuse(self, sandbox: Sandbox, client: Client) -> None:
        odd = {"name": f"cut {CUT_EMOJI}", "mrr": NOT_A_NUMBER, "npsScore": TOO_LARGE, "usersCount": LONG_INTEGER}
        account = sandbox.workspace.insert("accounts", {"externalId": "odd", **odd})["id"]
        sandbox.switches.byte_order_mark = True
        body = client.rest("GET", f"accounts/{account}").content
        assert body.startswith(b"\xef\xbb\xbf{")
        for sent in (b'"cut \\ud83d"', b'"mrr":NaN', b'"npsScore":1e400', b'"usersCount":12345678901234567890123'):
            assert sent in body

    def test_requests_under_way_are_counted(self, sandbox: Sandbox) -> None:
        sandbox.switches.latency = 0.2
        threads = [Thread(target=Client(sandbox).get, args=("users",)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (sandbox.under_way, sandbox.most_under_way) == (0, 3)

    def test_skip_times_and_method(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.faults.add(Fault(path="accounts", method="GET", skip=1, times=2))
        methods = ["GET", "POST", "GET", "GET", "GET"]
        statuses = [client.rest(method, "accounts", ACCOUNT).status_code for method in methods]
        assert statuses == [200, 200, 500, 500, 200]

    def test_for_ever_until_cleared(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.faults.add(Fault(times=None))
        assert {client.rest("GET", "users").status_code for _ in range(5)} == {500}
        sandbox.faults.clear()
        assert client.rest("GET", "users").status_code == 200

    @pytest.mark.parametrize(
        ("kind", "acts"), [("status", False), ("html", False), ("drop", False), ("drop_after", True)]
    )
    def test_before_or_after_the_workspace_acts(self, sandbox: Sandbox, client: Client, kind: Any, acts: bool) -> None:
        sandbox.faults.add(Fault(method="POST", kind=kind))
        if kind.startswith("drop"):
            with pytest.raises(requests.ConnectionError):
                client.rest("POST", "accounts", ACCOUNT)
        else:
            assert client.rest("POST", "accounts", ACCOUNT).status_code == 500
        assert made(sandbox) is acts
        assert [r.fault for r in sandbox.journal] == [kind]
        assert client.get("users")["results"]

    @pytest.mark.parametrize("kind", ["not_json", "html"])
    def test_bodies_that_are_not_json(self, sandbox: Sandbox, client: Client, kind: Any) -> None:
        sandbox.faults.add(Fault(kind=kind, status=200))
        response = client.rest("GET", "users")
        assert response.status_code == 200
        with pytest.raises(requests.JSONDecodeError):
            response.json()

    def test_no_results(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.faults.add(Fault(kind="no_results"))
        assert "results" not in client.get("users")

    def test_truncated(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.faults.add(Fault(kind="truncate"))
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            client.rest("GET", "users")
        assert client.get("users")["results"]

    def test_latency_combines_with_another_fault(self, sandbox: Sandbox, client: Client) -> None:
        sandbox.faults.add(Fault(kind="latency", seconds=0.001, times=2))
        sandbox.faults.add(Fault(status=502))
        assert [client.rest("GET", "users").status_code for _ in range(3)] == [502, 200, 200]
        assert [r.fault for r in sandbox.journal] == ["status", "latency", None]


@pytest.fixture
def seconds() -> list[float]:
    """The time of a limiter's clock, to be moved by hand."""
    return [0.0]


@pytest.fixture
def limited(make_sandbox: MakeSandbox, seconds: list[float]) -> Callable[..., Client]:
    """Makes a client of a sandbox with these limits."""

    def make(**options: Any) -> Client:
        limits = Limits(monotonic=lambda: seconds[0], **options)
        clock = Clock(at=datetime(2026, 9, 1, tzinfo=timezone.utc))
        return Client(make_sandbox(limits=limits, clock=clock))

    return make


class TestLimits:
    def test_the_documented_headers(self, limited: Callable[..., Client]) -> None:
        headers = limited().rest("GET", "users").headers
        assert headers["RateLimit-Limit"] == "1000, 1000;window=60"
        assert headers["RateLimit-Remaining"] == "999"
        assert headers["RateLimit-Reset"] == "1"

    def test_an_empty_bucket_refills(self, limited: Callable[..., Client], seconds: list[float]) -> None:
        client = limited(requests_per_minute=2)
        assert [client.rest("GET", "users").status_code for _ in range(3)] == [200, 200, 429]
        refused = client.rest("GET", "users")
        assert "error" in refused.json()
        assert (refused.headers["RateLimit-Remaining"], refused.headers["RateLimit-Reset"]) == ("0", "30")
        assert "Retry-After" not in refused.headers
        seconds[0] += 30
        assert [client.rest("GET", "users").status_code for _ in range(2)] == [200, 429]
        seconds[0] += 3600
        assert [client.rest("GET", "users").status_code for _ in range(3)] == [200, 200, 429]

    def test_a_write_can_cost_more(self, limited: Callable[..., Client], seconds: list[float]) -> None:
        client = limited(requests_per_minute=6, write_cost=5)
        assert client.rest("POST", "accounts", ACCOUNT).headers["RateLimit-Remaining"] == "1"
        refused = client.rest("DELETE", "accounts/new")
        assert (refused.status_code, refused.headers["RateLimit-Reset"]) == (429, "10")
        seconds[0] += 10
        assert client.rest("DELETE", "accounts/new").status_code == 429
        seconds[0] += 30
        assert client.rest("DELETE", "accounts/new").status_code == 204

    def test_each_key_has_its_own_bucket(self, limited: Callable[..., Client]) -> None:
        client = limited(requests_per_minute=1)
        assert client.rest("GET", "users").status_code == 200
        assert client.analytics("account", {"accountId": "a", "messageId": "1"}).status_code == 200
        assert client.analytics("account", {"accountId": "a", "messageId": "2"}).status_code == 429

    @pytest.mark.parametrize(
        ("dialect", "expected"),
        [
            (
                "x-ratelimit",
                {"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "60"},
            ),
            ("x-ratelimit-epoch", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1788220860"}),
            ("retry-after", {"Retry-After": "60"}),
            ("retry-after-date", {"Retry-After": "Tue, 01 Sep 2026 00:01:00 GMT"}),
            ("none", {}),
        ],
    )
    def test_dialects(self, limited: Callable[..., Client], dialect: str, expected: dict[str, str]) -> None:
        client = limited(requests_per_minute=1, dialect=dialect)
        client.rest("GET", "users")
        refused = client.rest("GET", "users")
        assert refused.status_code == 429
        assert {name: refused.headers.get(name) for name in expected} == expected
        named = {name for name in refused.headers if "ratelimit" in name.lower() or name == "Retry-After"}
        assert named >= set(expected)
        assert bool(named) == bool(expected)

    def test_limits_can_be_lifted(self, limited: Callable[..., Client]) -> None:
        client = limited(requests_per_minute=1)
        client.rest("GET", "users")
        client.sandbox.limits = None
        assert client.rest("GET", "users").status_code == 200


def test_concurrent_clients_lose_nothing(sandbox: Sandbox) -> None:
    def write(worker: int) -> None:
        client = Client(sandbox)
        for n in range(20):
            body = {"externalId": f"{worker}-{n}", "name": "x"}
            assert client.rest("POST", "accounts", body).status_code == 200

    before = len(sandbox.workspace.rows("accounts"))
    workers = [Thread(target=write, args=(n,)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(sandbox.workspace.rows("accounts")) == before + 80
    assert sandbox.journal.count(method="POST") == 80


def test_a_taken_port_is_an_error(sandbox: Sandbox) -> None:
    with pytest.raises(OSError, match="address already in use"):
        Sandbox(port=int(sandbox.url.rsplit(":", 1)[1])).start()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line(number: signal.Signals) -> None:
    arguments = ["--seed", "2", "--accounts", "7", "--nps-responses", "0", "--requests-per-minute", "50"]
    command = [sys.executable, "-m", "integration_tests.sandbox", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline().split()
        urls = dict(zip(line[::2], line[1::2], strict=True))
        response = requests.get(
            f"{urls['REST']}/accounts?status=activeOrChurned",
            auth=("sk_live_example_not_real", ""),
            timeout=30,
        )
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
    assert 0 < len(response.json()["results"]) <= 7
    assert parsedate_to_datetime(response.headers["Date"]).tzinfo is not None
    assert response.headers["RateLimit-Limit"].startswith("50,")
    assert urls["Analytics"].endswith("/analytics/v1")
    assert (process.returncode, output, errors) == (0, "", "")
