"""Why records are rejected: counted by reason, and the end of a sync in which that is no accident."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from destination_vitally.lines import parse
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.outcomes.ledger import PendingRecord, Tally

ALL_ALIKE = 300
"""When so many rows of a stream, its first ones, are rejected for one reason, the rest will be as well."""

REASONS_COUNTED = 100
OTHERS = "other reasons"
SHORTEST_MASKED = 3

_VITALLYS_WORDS = re.compile(r"(?:Vitally refused it|to its end|whether it is there): ")
"""What comes after these words was said by Vitally, and may quote values."""


def masked(record: PendingRecord) -> str:
    """Return the reason of a rejection without values of the record but its key: Vitally's words may quote them."""
    reason = record.reason or ""
    found = _VITALLYS_WORDS.search(reason)
    if not found:
        return reason
    words = reason[found.end() :]
    for value in sorted(_texts(parse(record.line)["record"]["data"]), key=len, reverse=True):
        words = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "***", words)
    return reason[: found.end()] + words


def reason_of(record: PendingRecord) -> tuple[str, str]:
    """Return the row that a rejection is about, such as `account 'a'`, and the reason that it may share with others."""
    name = re.escape(record.plan.entry.name)
    found = re.match(rf"{name}(?: '.*?')?(?=: )", masked(record), re.DOTALL)
    row = record.label or (found[0] if found else "")
    return row, masked(record).removeprefix(row).removeprefix(": ")


def _texts(value: object) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_texts(entry) for entry in value.values()))
    if isinstance(value, list):
        return set().union(*(_texts(entry) for entry in value))
    text = value if isinstance(value, str) else "" if value is None or isinstance(value, bool) else str(value)
    return {text} if len(text) >= SHORTEST_MASKED else set()


@dataclass
class _Reasons:
    """The reasons of one stream: how often each was given, and the first row it was about."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    first_alike: int = 0

    def add(self, row: str, reason: str) -> None:
        if reason not in self.counts and len(self.counts) >= REASONS_COUNTED:
            row, reason = "", OTHERS
        self.counts[reason] = self.counts.get(reason, 0) + 1
        self.examples.setdefault(reason, row)

    def sentences(self) -> Iterator[str]:
        for reason, count in sorted(self.counts.items(), key=lambda entry: -entry[1]):
            example = self.examples[reason]
            yield f"{count} rejected: {reason}" + (f" (for example {example})" if example else "")


class Rejections:
    """Counts the rejections of a sync. Used by one thread at a time."""

    def __init__(self, limit_percent: int) -> None:
        """`limit_percent` is the share of its rows beyond which the rejections of a stream are a failure."""
        self._limit = limit_percent
        self._streams: dict[StreamPlan, _Reasons] = {}

    def note(self, record: PendingRecord) -> str:
        """Count a rejection; return why the sync has to stop at it, or nothing."""
        reasons = self._streams.setdefault(record.plan, _Reasons())
        reasons.add(*reason_of(record))
        if record.place > ALL_ALIKE:
            return ""
        reasons.first_alike += 1
        if reasons.first_alike < ALL_ALIKE or len(reasons.counts) > 1:
            return ""
        return (
            f"Stopped: the first {ALL_ALIKE} rows of stream {record.plan.title} were all rejected for the same reason. "
            f"{next(reasons.sentences())}. Correct the settings or the table; the rows come again with the next sync."
        )

    def failure(self, plan: StreamPlan, tally: Tally) -> str:
        """Return why a stream has failed when all its records have outcomes, or nothing."""
        rejected = tally.outcomes["rejected"]
        if not rejected:
            return ""
        main = next(self._streams[plan].sentences())
        if rejected == tally.received:
            return f"Stream {plan.title}: none of its {rejected} rows could be written. {main}."
        if rejected * 100 <= self._limit * tally.received:
            return ""
        return (
            f"Stream {plan.title}: {rejected} of {tally.received} rows were rejected, which is more than the "
            f"{self._limit} % of Rejected rows at most (reject_limit_percent). {main}."
        )

    def summary(self, plan: StreamPlan) -> Iterator[str]:
        """Yield what was rejected of a stream, a line per reason with an example, the most frequent first."""
        for sentence in self._streams.get(plan, _Reasons()).sentences():
            yield f"Stream {plan.title}: {sentence}"
