"""Ends and interruptions that somebody else decides: closed outputs, signals, outages, servers that never answer."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from signal import SIGTERM
from typing import Any

import pytest

from benchmarks.processes import SOURCE, read
from integration_tests.harness import FORKED_SOURCE, as_files, configured, run_process, run_source, source_config
from integration_tests.sandbox import Fault
from source_vitally import client, source
from unit_tests.endless import OK, Script, serving
from unit_tests.pages import ROOT
from vitally_api import bounds
from vitally_api.ends import OUTPUT_CLOSED, TERMINATED

IN_TIME = 120.0
COMMAND = [sys.executable, "-m", "source_vitally"]
STREAM = {"name": "users", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}
USERS = configured({"streams": [STREAM]})


@pytest.mark.parametrize("command", ["spec", "read"])
def test_an_output_that_nobody_reads_ends_it_in_silence(make_sandbox: Any, tmp_path: Path, command: str) -> None:
    sandbox = make_sandbox(sizes={"users": 300})
    config = source_config(sandbox.url, sandbox.rest_key)
    files = as_files(tmp_path, config=config, catalog=USERS) if command == "read" else []
    process = subprocess.Popen([*COMMAND, command, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    process.stdout.close()
    _, said = process.communicate(timeout=IN_TIME)
    assert (process.returncode, said) == (OUTPUT_CLOSED, b"")


def test_sigterm_ends_a_read_at_once_with_whole_lines(make_sandbox: Any) -> None:
    sandbox = make_sandbox(sizes={"users": 900})
    reached, ended = threading.Event(), threading.Event()

    def after_page(page: Any) -> None:
        if page.resource == "users" and page.number == 7:
            reached.set()
            ended.wait(IN_TIME)

    sandbox.after_page = after_page
    config = source_config(sandbox.url, sandbox.rest_key)
    run = run_process(
        FORKED_SOURCE, "read", config=config, catalog=USERS, when=reached.is_set, ending=SIGTERM, limit=IN_TIME
    )
    ended.set()
    sandbox.after_page = None
    assert run.exit_code == TERMINATED
    assert run.stderr == ""
    before = len(run.records("users"))
    assert 600 <= before <= 700, "all but what the last page still brings is printed"
    again = run_source("read", config, USERS, run.last_states())
    assert again.exit_code == 0
    assert len({row["id"] for row in run.records("users") + again.records("users")}) >= 900


def test_a_check_ends_whatever_the_server_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes connections and never answers; the seconds are fewer here."""
    monkeypatch.setattr(source, "LONGEST_CHECK", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        run = run_source("check", source_config(f"http://127.0.0.1:{server.getsockname()[1]}"))
    assert run.connection_status["status"] == "FAILED"
    assert "had not answered by then" in run.connection_status["message"]


@pytest.mark.parametrize("seconds", [90, 110])
def test_an_outage_is_outlasted(make_sandbox: Any, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """By a clock that passes where the source waits, and nowhere else."""
    sandbox = make_sandbox(sizes={"users": 250})
    outage = Fault(path="/users$", skip=1, times=None, status=503, body="down")
    sandbox.faults.add(outage)
    passed = 0.0

    def sleep(wait: float) -> None:
        nonlocal passed
        passed += wait
        if passed >= seconds:
            sandbox.faults.clear()

    monkeypatch.setattr(client, "sleep", sleep)
    run = run_source("read", source_config(sandbox.url, sandbox.rest_key), USERS)
    assert run.exit_code == 0, run.errors
    assert passed >= seconds
    assert {row["id"] for row in run.records("users")} == {row["id"] for row in sandbox.workspace.rows("users")}


def of_sizes(sizes: list[int]) -> Script:
    """A list whose rows have so many bytes."""

    def answer(request: bytes) -> Iterator[bytes]:
        path = request.split()[1].decode()
        limit = int(path.partition("limit=")[2].partition("&")[0])
        start = int(path.partition("from=")[2].partition("&")[0] or 0)
        end = min(start + limit, len(sizes))
        some = [b'{"id": "%d", "note": "%s"}' % (number, b"x" * sizes[number]) for number in range(start, end)]
        more = b'"%d"' % end if end < len(sizes) else b"null"
        body = b'{"results": [%s], "next": %s}' % (b",".join(some), more)
        yield OK + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        yield body

    return answer


def test_the_memory_that_the_docs_recommend_is_enough_for_the_largest_rows() -> None:
    sizes = [150_000] * 100 + [1_000, 60_000_000, 1_000]
    with serving() as serve:
        run = read(SOURCE, serve(of_sizes(sizes)).url, ("users",))
    assert run.records == len(sizes)
    said = re.search(r"\| source \| \d+ MB, [\d.]+ CPU \| (\d+) MB", (ROOT / "docs" / "operations.md").read_text())
    assert said
    assert run.peak < int(said[1])


@pytest.mark.parametrize(("size", "count"), [(60_000, 120), (1_500_000, 12)])
def test_a_page_that_is_too_large_is_asked_for_in_halves(
    monkeypatch: pytest.MonkeyPatch, size: int, count: int
) -> None:
    """Rows of 60 kB fit a page of a megabyte by a dozen, of 1.5 MB only alone."""
    monkeypatch.setattr(bounds, "LARGEST_PAGE", bounds.MEGABYTE)
    monkeypatch.setattr(bounds, "LARGEST_ROW", 2 * bounds.MEGABYTE)
    asked: list[bytes] = []
    rows = of_sizes([size] * count)

    def noted(request: bytes) -> Iterator[bytes]:
        asked.append(request)
        return rows(request)

    with serving() as serve:
        run = run_source("read", source_config(serve(noted).url), USERS)
    assert run.exit_code == 0, run.errors
    assert [int(row["id"]) for row in run.records("users")] == list(range(count))
    assert [line for line in run.logs("INFO") if "larger pages do not come" in line]
    assert len(asked) <= 2 * count / (12 if size == 60_000 else 1) + 14
