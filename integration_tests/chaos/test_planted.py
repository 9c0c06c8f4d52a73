"""Who watches the chaos runs: bugs planted into the connectors, each of which some run must catch, by its own check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest

from destination_vitally.lines import with_member
from destination_vitally.mirror.mirrors import Mirrors, _Mirrored
from destination_vitally.mirror.missing import Missing
from destination_vitally.outcomes.ledger import Checkpoint, Ledger
from destination_vitally.sync import writer
from destination_vitally.sync.streams import Counts
from destination_vitally.verify.proof import Verification
from integration_tests.chaos import destination_run, mirror_run, source_run
from source_vitally.scan import Scan, ScanState

SEEDS = 40


def states_at_once(self: Ledger) -> Iterator[bytes]:
    """A state moved early: given back before its records have outcomes."""
    while self._waiting:
        yield self._waiting.popleft().echo()


def newest_row(self: Scan) -> ScanState:
    """A watermark not capped: the newest row, although the scan may have passed rows before their edits."""
    return ScanState(self._newest or self.state.watermark)


def all_accepted(self: Checkpoint) -> bytes:
    """A rejected row not counted."""
    received = sum(segment.received for segment in self.segments)
    stats = b'{"recordCount":%.1f,"rejectedRecordCount":0.0}' % received
    return with_member(self.line, ("state", "destinationStats"), stats)


def as_listed(self: Missing, *_: Any) -> None:
    """A list trusted: a row deleted without being asked for once more."""


def unsaid(*_: Any) -> Callable[[], None]:
    """A row deleted without a word before."""
    return lambda: None


def all_but_one(self: Missing) -> Iterator[tuple[str, str]]:
    """A row left that a whole table lacks."""
    return islice(iter(self._missing), 1, None)


def unproved(*_: Any) -> Verification:
    """Messages under way not waited for."""
    return Verification()


def no(*_: Any) -> bool:
    """A question that nothing says yes to."""
    return False


BUGS: dict[str, tuple[tuple[Any, str, Any], Callable[[int], None], int, str]] = {
    "a state moved early": ((Ledger, "ready", states_at_once), destination_run.run, 0, "workspace|counted as rejected"),
    "a watermark not capped": ((Scan, "result", newest_row), source_run.run, 0, "the state claims"),
    "a rejected row not counted": ((Checkpoint, "echo", all_accepted), destination_run.run, 0, "counted as rejected"),
    "a list trusted": ((Missing, "_why_kept_now", as_listed), mirror_run.run, 35, "must not be|are gone"),
    "a look-alike missing": ((_Mirrored, "looks_like", no), mirror_run.run, 0, "looks like a row of the table"),
    "lost records not heard": ((Counts, "has_gaps", False), mirror_run.run, 0, "not whole"),
    "no grace": ((_Mirrored, "grace", 0.0), mirror_run.run, 3, "younger than the grace period"),
    "deletes not said": ((Mirrors, "_about_to_delete", unsaid), mirror_run.run, 0, "not in the log|not kept"),
    "a missing row left": ((Missing, "__iter__", all_but_one), mirror_run.run, 0, "is left that the table lacks"),
    "moves not awaited": ((writer, "verification_for", unproved), mirror_run.run, 24, "belongs elsewhere"),
    "moves not written": ((_Mirrored, "_may_be_below", no), mirror_run.run, 24, "belongs elsewhere|not whole"),
}
"""Each bug with the runs that must catch it, from which seed on, and in which words."""


@pytest.mark.parametrize(("bug", "chaos_run", "first", "found"), BUGS.values(), ids=BUGS.keys())
def test_a_planted_bug_is_caught(
    monkeypatch: pytest.MonkeyPatch, bug: Any, chaos_run: Callable[[int], None], first: int, found: str
) -> None:
    monkeypatch.setattr(*bug)
    with pytest.raises(AssertionError, match=found):
        make_all(chaos_run, first)


def make_all(chaos_run: Callable[[int], None], first: int) -> None:
    """Make chaos runs until one fails."""
    for seed in range(first, first + SEEDS):
        chaos_run(seed)
