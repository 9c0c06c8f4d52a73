"""Who watches the chaos runs: bugs planted into the connectors, each of which some run must catch, by its own check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from destination_vitally.lines import with_member
from destination_vitally.mirror.missing import Missing
from destination_vitally.outcomes.ledger import Checkpoint, Ledger
from integration_tests.chaos import destination_run, mirror_run, source_run
from source_vitally.scan import Scan, ScanState

SEEDS = range(20)


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


BUGS: dict[str, tuple[tuple[type, str, Callable[..., Any]], Callable[[int], None], str]] = {
    "a state moved early": ((Ledger, "ready", states_at_once), destination_run.run, "workspace|counted as rejected"),
    "a watermark not capped": ((Scan, "result", newest_row), source_run.run, "the state claims"),
    "a rejected row not counted": ((Checkpoint, "echo", all_accepted), destination_run.run, "counted as rejected"),
    "a list trusted": ((Missing, "_why_kept_now", as_listed), mirror_run.run, "must not be"),
}


@pytest.mark.parametrize(("bug", "chaos_run", "found"), BUGS.values(), ids=BUGS.keys())
def test_a_planted_bug_is_caught(
    monkeypatch: pytest.MonkeyPatch, bug: Any, chaos_run: Callable[[int], None], found: str
) -> None:
    monkeypatch.setattr(*bug)
    with pytest.raises(AssertionError, match=found):
        make_all(chaos_run)


def make_all(chaos_run: Callable[[int], None]) -> None:
    """Make chaos runs until one fails."""
    for seed in SEEDS:
        chaos_run(seed)
