"""The journal of an undo itself, by which it can be undone: what is about to be sent is stored before it is."""

from __future__ import annotations

from typing import Any

from destination_vitally.clock import Clock
from destination_vitally.config import Config, NoStorage
from destination_vitally.journal.journal import Journal
from destination_vitally.mapping.change import Change
from destination_vitally.mapping.values import moment_of
from destination_vitally.objects.model import Kind
from destination_vitally.outcomes.store import open_bucket
from destination_vitally.undo.judging import ABSENT, Shown, field_of, shown
from destination_vitally.undo.rows import Past, Row

Json = dict[str, Any]

_COMMON: Json = {"line": None, "entry": 0, "stream": "undo", "namespace": None}
_UNREAD = dict.fromkeys(("taken_at", "landed_at", "seen", "status"))


class Recording:
    """Keeps the journal, if the settings ask for one and anything is sent. Safe to use from several threads."""

    def __init__(self, config: Config, clock: Clock) -> None:
        storage = config.object_storage_config
        is_kept = config.journal == "changes" and not isinstance(storage, NoStorage)
        self._journal = Journal(open_bucket(storage), clock, config, 0) if is_kept else None  # type: ignore[arg-type]
        self._clock = clock

    def change(self, row: Row, change: Change, now: Shown) -> int:
        """Store what is about to be done to a row that is as `now`; returns its number. Raises as `Bucket.put`."""
        if change.operation == "delete":
            return self._store(row, {"operation": "delete", "row": now})
        sent = [Past.of(name, one) for name, one in change.fields.items() if name != "id"]
        sent += [Past.of(name, one, is_trait=True) for name, one in change.open_values.items()]
        links = [past for past in sent if (f := field_of(row.entry, past)) and f.refers and f.kind is Kind.TEXTS]
        said = {
            "values": [_value(row, past, now) for past in sent if past not in links],
            "links": [_link(past.name, one, was=False) for past in links for one in past.sent],
        }
        return self._store(row, said)

    def taken_out(self, row: Row, name: str, other: str) -> int:
        """Store that a link is about to be taken out; the same as `change`."""
        key = {"userId": row.key.get("externalId", "")}
        links = [_link(name, other, was=True)]
        return self._store(
            row, {"object": "membership", "operation": "delete", "route": "batch", "key": key, "links": links}
        )

    def _store(self, row: Row, said: Json) -> int:
        if self._journal is None:
            return 0
        known = {"object": row.entry.name, "key": row.key, "id": row.id, "existed": True}
        done: Json = {"operation": "update", "route": "rest", "values": [], "links": [], "row": None}
        read_at = {"read_at": moment_of(self._clock.now() * 1000)}
        seq = self._journal.intend({**_COMMON, **known, **done, **read_at, **said})
        self._journal.flush()
        return seq

    def outcome(self, seq: int, row: Row, effect: str | None, reason: str = "") -> None:
        """Take what became of it."""
        if self._journal:
            about = {
                "object": row.entry.name,
                "label": row.label,
                "id": row.id,
                "effect": effect,
                "reason": reason or None,
            }
            said = "rejected" if reason else "accepted"
            self._journal.outcome({"seq": seq, **_COMMON, **_UNREAD, **about, "outcome": said})

    def flush(self) -> None:
        """Store what was taken. Raises as `Bucket.put`."""
        if self._journal:
            self._journal.flush()


def _value(row: Row, past: Past, now: Shown) -> Json:
    before = shown(row.entry, past, now)
    is_known = before is not ABSENT
    place = "trait" if past.is_trait else "field"
    return {
        "place": place,
        "name": past.name,
        "known": is_known,
        "before": before if is_known else None,
        "sent": past.sent,
    }


def _link(name: str, other: str, *, was: bool) -> Json:
    return {"name": name, "id": other, "external_id": None, "was": was}
