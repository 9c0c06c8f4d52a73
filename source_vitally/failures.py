"""Rows whose details cannot be read, as they are remembered between syncs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

MAX_FAILED = 500
"""More are not remembered. A bound of the state, not of the reading: the state then says how far it is sure."""

LASTING = 3
"""A row that has failed in the same way in so many syncs is taken to stay as it is."""

_ASKED_AGAIN_AFTER = timedelta(days=7)


@dataclass(frozen=True)
class Failure:
    """A row that was asked for in vain.

    Attributes:
        time: Its update time, as the list has it.
        reason: What came instead, in a few words.
        syncs: In how many syncs, one after the other, this came.
        asked: When it was last asked for, as an ISO 8601 time.
    """

    time: str | None = None
    reason: str = ""
    syncs: int = 1
    asked: str | None = None

    @classmethod
    def from_json(cls, value: Any) -> Failure:
        """Read an entry of a state; in older ones it is the update time alone."""
        fields: Mapping[str, Any] = value if isinstance(value, Mapping) else {"updatedAt": value}
        syncs, reason = fields.get("syncs"), fields.get("reason")
        return cls(
            time=_text(fields.get("updatedAt")),
            reason=reason if isinstance(reason, str) else "",
            syncs=syncs if isinstance(syncs, int) else 1,
            asked=_text(fields.get("asked")),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the entry of a state."""
        return {"updatedAt": self.time, "reason": self.reason, "syncs": self.syncs, "asked": self.asked}

    def again(self, time: str | None, reason: str, now: datetime) -> Failure:
        """Return what is remembered of a row that has failed once more."""
        return Failure(time, reason, self.syncs + 1 if reason == self.reason else 1, now.isoformat(timespec="seconds"))

    @property
    def lasts(self) -> bool:
        """Whether it is no longer expected to pass."""
        return self.syncs >= LASTING

    def is_due(self, now: datetime) -> bool:
        """Whether it is to be asked for again: in the next sync, or once a week where it lasts."""
        try:
            return not self.lasts or abs(now - datetime.fromisoformat(self.asked or "")) >= _ASKED_AGAIN_AFTER
        except (ValueError, TypeError):
            return True


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
