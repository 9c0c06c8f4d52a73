"""Files of lines: their names cannot lead out of their folder, none grows without bound, nothing is stored twice."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from typing import Any

import pytest

from destination_vitally.errors import OutageError
from destination_vitally.outcomes import files as module
from destination_vitally.outcomes.files import Files, folder_of, stamp
from unit_tests.clock import QuickClock


class Bucket:
    """Keeps files in memory, in the order in which they are stored."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.fails_at = 0

    def put(self, key: str, body: bytes) -> None:
        if self.fails_at and len(self.bodies) + 1 == self.fails_at:
            raise OutageError("The store fails.")
        self.bodies.append(gzip.decompress(body))


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        ((4711, None, "accounts"), "4711/accounts"),
        (("a/b", "c d"), "a%2Fb/c%20d"),
        (("..", "."), "%2E%2E/%2E"),
        (("...", "a.b"), ".../a.b"),
        (("", "ä?#%"), "%C3%A4%3F%23%25"),
    ],
)
def test_no_name_leads_out_of_its_folder(names: tuple[Any, ...], folder: str) -> None:
    assert folder_of(*names) == folder


def test_a_file_ends_where_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FULL_BYTES", 10)
    bucket = Bucket()
    given: Any = bucket
    files = Files(given, QuickClock(), "jsonl", lambda lines: b"<" + b"".join(lines) + b">")
    for number in range(5):
        files.add("folder", b"line%d\n" % number)
    assert files.is_full
    files.flush()
    assert bucket.bodies == [b"<line0\nline1\n>", b"<line2\nline3\n>", b"<line4\n>"]
    assert not files.is_full


def test_what_a_failure_left_is_stored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FULL_BYTES", 1)
    bucket = Bucket()
    given: Any = bucket
    files = Files(given, QuickClock(), "jsonl", b"".join)
    for number in range(4):
        files.add("folder", b"%d" % number)
    bucket.fails_at = 3
    with pytest.raises(OutageError):
        files.flush()
    bucket.fails_at = 0
    files.flush()
    files.flush()
    assert bucket.bodies == [b"0", b"1", b"2", b"3"]


@pytest.fixture
def far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_from_greenwich")
def test_names_have_the_time_in_utc() -> None:
    assert stamp(QuickClock(start=1_790_000_000)) == "20260921T141320Z"
