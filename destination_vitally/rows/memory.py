"""The one memory of Vitally's rows: facts are noted by `note`, and asked for by `ask`; nobody else has to hear of them.

A row is found by Vitally's id and by each of its keys. Of its values only those are kept that somebody has asked for.
Values may be forgotten, since they can be read again; ids, keys and that this sync has sent to a row are not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from destination_vitally.api.pages import Row, text_of
from destination_vitally.clock import Clock
from destination_vitally.lines import dumps, parse
from destination_vitally.mapping.change import Change, row_of
from destination_vitally.objects.model import Object
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.facts import (
    Answer,
    Coming,
    Deleted,
    Elsewhere,
    Fact,
    Identity,
    Known,
    Missed,
    Place,
    Seen,
    Sending,
    Shown,
    Taken,
    Written,
    names_of,
)
from destination_vitally.rows.store import Recent, Statement, Store, joined

_SCHEMA = """
CREATE TABLE known (
    place INTEGER, id TEXT, names INTEGER, state INTEGER, listed INTEGER, at REAL, row BLOB, PRIMARY KEY (place, id)
) WITHOUT ROWID;
CREATE TABLE keys (place INTEGER, key TEXT, id TEXT, PRIMARY KEY (place, key, id)) WITHOUT ROWID;
CREATE TABLE sent (
    place INTEGER, key TEXT, external_id TEXT, taken REAL, since REAL, PRIMARY KEY (place, key)
) WITHOUT ROWID;
CREATE INDEX sent_by_row ON sent (place, external_id);
CREATE TABLE contents (place INTEGER, external_id TEXT, content BLOB, PRIMARY KEY (place, external_id)) WITHOUT ROWID;
CREATE TABLE elsewhere (place INTEGER, id TEXT, external_id TEXT, PRIMARY KEY (place, id)) WITHOUT ROWID;
"""
_KEPT = {
    "known": "state <> 0",
    "keys": "(place, id) IN (SELECT place, id FROM known WHERE state <> 0)",
    "contents": "0",
}
"""What cannot be read again."""

_OWN, _GONE = 1, 2
"""What has become of a row since Vitally showed it (0): this sync has written it, or deleted it."""

_PUT = """
INSERT INTO known VALUES (?, ?, ?, 0, ?, 0, ?) ON CONFLICT (place, id) DO UPDATE SET
    names = iif(state, names, excluded.names), row = iif(state, row, excluded.row),
    listed = max(listed, excluded.listed)
"""
_PUT_OWN = "INSERT OR REPLACE INTO known VALUES (?, ?, 0, ?, ?, ?, ?)"
_PUT_KEY = "INSERT OR IGNORE INTO keys VALUES (?, ?, ?)"
_FIND = "SELECT id, row, names, state, listed, at FROM keys JOIN known USING (place, id) WHERE place = ? AND key = ?"
_GET = "SELECT row, names, state, listed FROM known WHERE place = ? AND id = ?"
_SENT = "SELECT external_id, taken, since FROM sent WHERE place = ? AND key = ?"

_ASKED = "asked"
"""Stands in the place of a key's name for an id that a row has answered to and does not have."""

ANSWERS = 10_000
"""So many answers are kept at hand: the rows of a sync ask for the same parents again and again."""


class Memory:
    """What is known of the rows of a workspace. Safe to use from several threads."""

    def __init__(self, clock: Clock, store: Store | None = None) -> None:
        """`store` is where it is kept; a new one when left out."""
        self.clock = clock
        self.store = store or Store()
        self.store.create(_SCHEMA)
        self.store.on_full(self._forget_shown, _KEPT)
        self.is_forgetful = False
        """Whether rows that were shown have been forgotten: then no list proves that one is not there."""
        self._places: dict[str, Place] = {}
        self._lock = threading.Lock()
        self._answers: dict[tuple[int, str], tuple[tuple[Known, ...], bool]] = {}
        self._asked_by: dict[tuple[int, str], set[str]] = {}
        """The keys that rows were asked for by, by Vitally's id: an answer may be by a key that the row has no more."""
        self._recent: Recent[tuple[Known, ...]] = Recent(ANSWERS)
        self._missed: Recent[Missed | float] = Recent()
        self.wake: Callable[[str, Iterable[str]], None] = lambda path, external_ids: None
        """Lets go what waits for rows of an object, by your ids: something is known of them that was not."""
        self._noting: dict[type, Callable[[Any], None]] = {
            Shown: self._shown,
            Missed: self._not_there,
            Sending: self._sending,
            Taken: self._taken,
            Seen: self._seen,
            Written: self._written,
            Deleted: self._deleted,
            Elsewhere: self._elsewhere,
        }

    # What is to be kept

    def expect(self, entry: Object, *, sent: bool, contents: bool) -> None:
        """Say what of the messages to an object somebody may ask for: that they were sent, and what is in them."""
        place = self._place(entry)
        place.keeps_sent |= sent or contents
        place.keeps_contents |= contents

    def keep_values(self, change: Change) -> None:
        """Keep from now on, of rows that are shown, the values that a change would write."""
        self._place(change.entry).keep(change)

    def has_values(self, known: Known, change: Change) -> bool:
        """Tell whether all was kept of a row that a change would write."""
        return known.names >= self._place(change.entry).needed(change)

    # Questions

    def ask(self, entry: Object, identity: Identity | None) -> Answer:
        """Return what is known of the row of an identity, as `identities_of` spells it; sends nothing."""
        if identity is None:
            return Answer()
        place, key = self._place(entry), joined(identity)
        rows, was_deleted = self._rows(place, key)
        missed = self._missed.get((place.number, key))
        sent = self.store.one(_SENT, place.number, key) if place.count or place.has_sent else None
        return Answer(
            rows,
            Coming(*sent) if sent and sent[2] is not None else None,
            missed if isinstance(missed, float) else None,
            sent is not None,
            was_deleted,
            missed.reason if isinstance(missed, Missed) else None,
        )

    def find(self, target: str, value: str) -> Answer:
        """Return what is known of a row that is referred to, by your id, else by Vitally's, else by one it had."""
        entry = BY_NAME[target]
        answer = self.ask(entry, (target, "externalId", value))
        if answer.rows or answer.coming:
            return answer
        for name in ("id", _ASKED):
            rows, _ = self._rows(self._place(entry), joined((target, name, value)))
            if rows:
                return Answer(rows)
        return answer

    def id_of(self, target: str, value: str) -> str | None:
        """Return Vitally's id of a row that is there, by any id."""
        found = self.find(target, value).live
        return next(iter(found)) if len(found) == 1 else None

    def yours_elsewhere(self, entry: Object, identifier: str) -> str | None:
        """Return your id of a row of the workspace that records were read from, by Vitally's id there."""
        query = "SELECT external_id FROM elsewhere WHERE place = ? AND id = ?"
        found = self.store.one(query, self._place(entry).number, identifier)
        return str(found[0]) if found else None

    def is_sent(self, entry: Object, row: Row) -> bool:
        """Tell whether this sync has sent something to a row, by any of its keys."""
        place = self._place(entry)
        has_sent = place.count or place.has_sent
        return bool(has_sent) and any(self.store.one(_SENT, place.number, key) for key in place.keys_of(row))

    def content(self, entry: Object, external_id: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the fields and the open values of the last message to a row, if they are remembered."""
        query = "SELECT content FROM contents WHERE place = ? AND external_id = ?"
        found = self.store.one(query, self._place(entry).number, external_id)
        if not found:
            return None
        fields, open_values = parse(found[0])
        return fields, open_values

    def count(self, entry: Object) -> int:
        """Return how many rows of an object this sync has written, those of messages that were taken among them."""
        return self._place(entry).count

    def _rows(self, place: Place, key: str) -> tuple[tuple[Known, ...], bool]:
        try:
            return self._answers[place.number, key]
        except KeyError:
            pass
        found = self.store.all(_FIND, place.number, key)
        shown = [
            (own, Known(parse(row), names, at if state == _OWN else None, bool(listed)), state)
            for own, row, names, state, listed, at in found
        ]
        # A row may have had the key before it was shown again.
        shown = [known for known in shown if key.startswith(_ASKED) or key in place.keys_of(known[1].row)]
        rows = tuple(one for _, one, state in shown if state != _GONE)
        answer = rows or self._recent.get((place.number, key)) or (), any(state == _GONE for *_, state in shown)
        if len(self._answers) >= ANSWERS:
            self._answers.clear()
            self._asked_by.clear()
        self._answers[place.number, key] = answer
        for own, *_ in shown:
            self._asked_by.setdefault((place.number, own), set()).add(key)
        return answer

    # Facts

    def note(self, *facts: Fact) -> None:
        """Remember what was found out, or what this sync has done."""
        for fact in facts:
            self._noting[type(fact)](fact)

    def _shown(self, fact: Shown) -> None:
        place = self._place(fact.entry)
        names = len(place.values)
        rows = [(str(row["id"]), place.kept(row)) for row in fact.rows]
        keys = [(key, own) for own, row in rows for key in place.keys_of(row)]
        if fact.asked:
            keys += [(joined(("", _ASKED, fact.asked)), own) for own, _ in rows]
        if self.is_forgetful:
            by_id = dict(rows)
            for key, own in keys:
                self._recent.put((place.number, key), (Known(by_id[own], names, None, fact.is_listed),))
        else:
            self.store.write(
                (_PUT, [(place.number, own, names, fact.is_listed, dumps(row)) for own, row in rows]),
                (_PUT_KEY, [(place.number, key, own) for key, own in keys]),
            )
        self._changed(place, (key for key, _ in keys), (own for own, _ in rows))
        self.wake(fact.entry.path, (value for _, row in rows for value in names_of(row)))

    def _not_there(self, fact: Missed) -> None:
        place, key = self._place(fact.entry), joined(fact.identity)
        self._missed.put((place.number, key), fact if fact.reason else self.clock.monotonic())
        self.wake(fact.entry.path, fact.identity[2:] if fact.reason else ())
        if not fact.reason:
            # What was shown of it is no longer so.
            self._recent.forget((place.number, key))
            rows = [one for one in self._rows(place, key)[0] if fact.is_gone or not one.is_own]
            if rows:
                self.store.write(
                    ("DELETE FROM known WHERE place = ? AND id = ?", [(place.number, one.id) for one in rows])
                )
                self._answers.clear()

    def _sending(self, fact: Sending) -> None:
        place = self._place(fact.change.entry)
        place.has_sent = True
        keys = place.keys_of(fact.change.fields)
        self.store.write(
            ("INSERT OR IGNORE INTO sent VALUES (?, ?, NULL, NULL, NULL)", [(place.number, key) for key in keys])
        )
        self._changed(place, keys)

    def _taken(self, fact: Taken) -> None:
        now = self.clock.monotonic()
        places: dict[Place, list[tuple[str, dict[str, Any], dict[str, Any]]]] = {}
        for change in fact.changes:
            if found := row_of(change):
                places.setdefault(self._place(found[0]), []).append(found[1:])
        for place, contents in places.items():
            place.count += len(contents)
            if not place.keeps_sent:
                continue
            keys = [(key, own) for own, fields, _ in contents for key in place.keys_of(fields)]
            statements: list[Statement] = [
                (
                    "INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?, ?)",
                    [(place.number, key, own, fact.time, now) for key, own in keys],
                )
            ]
            if place.keeps_contents:
                rows = [(place.number, own, dumps([fields, values])) for own, fields, values in contents]
                statements.append(("INSERT OR REPLACE INTO contents VALUES (?, ?, ?)", rows))
            self.store.write(*statements)
            self._changed(place, (key for key, _ in keys))
            self.wake(place.entry.path, (value for _, fields, _ in contents for value in names_of(fields)))

    def _written(self, fact: Written) -> None:
        place, own = self._place(fact.entry), str(fact.row["id"])
        place.count += 1
        found = self.store.one(_GET, place.number, own)
        before = parse(found[0]) if found and found[2] != _GONE else {}
        row = {**before, **place.kept(fact.row), "id": own}
        keys = place.keys_of(row)
        is_listed = fact.is_new or bool(found and found[3])
        self.store.write(
            (_PUT_OWN, [(place.number, own, _OWN, is_listed, self.clock.monotonic(), dumps(row))]),
            (_PUT_KEY, [(place.number, key, own) for key in keys]),
        )
        self._changed(place, keys, [own])
        self.wake(fact.entry.path, names_of(row))

    def _deleted(self, fact: Deleted) -> None:
        place = self._place(fact.entry)
        found = {one.id: one.row for key in place.keys_of(fact.keys) for one in self._rows(place, key)[0]}
        if not found:
            found = {str(fact.keys.get("id") or fact.keys.get("externalId")): fact.keys}
        for own, row in found.items():
            keys = place.keys_of(row)
            self.store.write(
                (_PUT_OWN, [(place.number, own, _GONE, 0, self.clock.monotonic(), dumps(row))]),
                (_PUT_KEY, [(place.number, key, own) for key in keys]),
            )
            self._seen(Seen(fact.entry, row))
            self._changed(place, keys, [own])
            for key in keys:
                self._recent.forget((place.number, key))

    def _elsewhere(self, fact: Elsewhere) -> None:
        row = (self._place(fact.entry).number, fact.identifier, fact.external_id)
        self.store.write(("INSERT OR REPLACE INTO elsewhere VALUES (?, ?, ?)", [row]))
        self.wake(fact.entry.path, [fact.identifier])

    def _seen(self, fact: Seen) -> None:
        place = self._place(fact.entry)
        query = "UPDATE sent SET since = NULL WHERE place = ? AND external_id = ?"
        self.store.write((query, [(place.number, text_of(fact.row, "externalId"))]))
        self.wake(fact.entry.path, names_of(fact.row))

    # Within

    def _place(self, entry: Object) -> Place:
        name = entry.path or entry.name
        try:
            return self._places[name]
        except KeyError:
            with self._lock:
                return self._places.setdefault(name, Place(len(self._places), entry))

    def _changed(self, place: Place, keys: Iterable[str], ids: Iterable[str] = ()) -> None:
        for own in ids:
            for key in self._asked_by.pop((place.number, own), ()):
                self._answers.pop((place.number, key), None)
        for key in keys:
            self._answers.pop((place.number, key), None)
            self._missed.forget((place.number, key))

    def _forget_shown(self) -> None:
        self.is_forgetful = True
        self._answers.clear()
