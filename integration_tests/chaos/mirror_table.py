"""A table and the workspace that it is mirrored to, drawn by dice: keys that look alike, rows of any age, children."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from datetime import timedelta
from random import Random

from integration_tests.destination.cases import definition
from integration_tests.destination.mirrored import Scene, complete, objects
from integration_tests.harness import Json, record, state
from integration_tests.sandbox import Row, Sandbox, iso

PLAIN = ("k{n}",)
SPELLINGS = (
    ("Key {n}", "kEY {n}"),
    ("caf\N{LATIN SMALL LETTER E WITH ACUTE} {n}", "cafe\N{COMBINING ACUTE ACCENT} {n}"),
    ("0b5c7a52-6f0e-4f5c-9c57-{n:012x}", "0B5C7A526F0E4F5C9C57{n:012X}"),
    (" blank {n}", "blank {n}\N{NO-BREAK SPACE}"),
    ("{n}", "00{n}"),
    ("no{n}", "n\N{ZERO WIDTH SPACE}o{n}"),
)
"""Of each kind the two spellings of one key, of which nobody knows whether Vitally takes them for one."""

NEEDED = {"account": "acme", "user": "ida"}
"""What other rows of a scene need is in the table as well."""

COLUMNS = {"account": "accountId", "organization": "organizationId"}
"""What names the parent in tables of children, where a delete destroys what is below."""

CHILDREN = {"tasks": "tasks", "custom_object_feature_request": "instances"}
"""Streams of rows below, by REST and by batch, and the workspace's table of each. Other children cannot be moved."""

FIELDS = {("instances", "accountId"): "customerId"}
"""What the workspace calls such a column otherwise."""

AGES = (0.5, 30, 400)
"""How many hours before the first sync a row was made."""

GRACE = (0, 1, 24)

DOUBTS: tuple[tuple[str, Json], ...] = (
    ("incremental", {"sync_mode": "incremental"}),
    ("appends", {"minimum_generation_id": 0}),
    ("no ids", {"generation_id": None, "minimum_generation_id": None}),
    *((why, {}) for why in ("no status", "cut short", "no key", "truncated key", "attempt", *["lost"] * 4)),
)
"""Why a sync may not delete, and what its catalog has then."""

OF_CHILDREN: tuple[tuple[str, Json], ...] = (("child cut short", {}), ("child lost", {}), ("child rejected", {}))


class Keys:
    """Keys that are drawn; two of one number look alike."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._forms: list[tuple[str, ...]] = []
        self._numbers: dict[str, int] = {}

    def new(self) -> str:
        """Draw a key that looks like none before."""
        number = len(self._forms)
        forms = self._dice.choice(SPELLINGS) if self._dice.random() < 0.3 else PLAIN
        self._forms.append(tuple(form.format(n=number) for form in forms))
        self._numbers.update((form.strip(), number) for form in self._forms[-1])
        return self._dice.choice(self._forms[-1])

    def again(self, key: str) -> str:
        """Spell a key in one of its ways."""
        number = self._numbers.get(key.strip())
        return key if number is None else self._dice.choice(self._forms[number])

    def look(self, key: str) -> Hashable:
        """Return what look-alikes have in common."""
        return self._numbers.get(key.strip(), key.strip())


class MirrorTable:
    """The mirrored table of a scene, and those of the rows below; `rows` are its keys."""

    def __init__(self, sandbox: Sandbox, dice: Random) -> None:
        self._sandbox = sandbox
        self._dice = dice
        self.keys = Keys(dice)
        self.scene = scene = Scene(sandbox, dice.choice([*objects(Sandbox(empty=True)), *COLUMNS, *COLUMNS]))
        self.grace = dice.choice(GRACE)
        self.needed = {*filter(None, [NEEDED.get(scene.one.object)])}
        there = [self.keys.new() for _ in range(dice.choice([1, 5, 30, 130]))]
        for key in there:
            made = iso(sandbox.clock.now() - timedelta(hours=dice.choice(AGES)))
            scene.ids[key] = scene.insert(key, createdAt=made)["id"]
        chosen = dice.sample(there, dice.randint(1, len(there)))
        self.rows = [*map(self.keys.again, chosen), *(self.keys.new() for _ in range(dice.randint(0, 3))), *self.needed]
        self.marked = {key for key in there if not self.shows_alike(key) and dice.random() < 0.1}
        """Rows that the table marks as deleted."""
        self.column = COLUMNS.get(scene.one.object, "")
        self.parents: dict[tuple[str, str], str] = {}
        """Of each child, by its stream and key, the key of the row that it belongs to."""
        if self.column:
            for n in range(dice.choice([0, 5, 20])):
                self._insert_child(dice.choice([*CHILDREN]), f"c{n}")

    def _insert_child(self, name: str, key: str) -> None:
        table = CHILDREN[name]
        # Most are below a row that the table lacks, and have to move away from it.
        lacking = {key: own for key, own in self.scene.ids.items() if not self.shows_alike(key)}
        ids = lacking if lacking and self._dice.random() < 0.7 else self.scene.ids
        parent = self._dice.choice([*ids.values()])
        more = {"customObjectId": definition(self._sandbox)} if table == "instances" else {}
        self._sandbox.workspace.insert(
            table, {"externalId": key, "name": "C", FIELDS.get((table, self.column), self.column): parent, **more}
        )
        self.parents[name, key] = self._dice.choice(self.rows)

    # What is in it

    def has(self, key: str) -> bool:
        """Tell whether it has a row of this key, by which blanks around one tell nothing apart."""
        return key.strip() in {one.strip() for one in self.rows}

    def shows_alike(self, key: str) -> bool:
        """Tell whether it has a row whose key is this one or looks like it."""
        return self.keys.look(key) in {self.keys.look(one) for one in self.rows}

    def is_marked(self, key: str) -> bool:
        return key.strip() in {one.strip() for one in self.marked}

    def marks_alike(self, key: str) -> bool:
        return self.keys.look(key) in {self.keys.look(one) for one in self.marked}

    @property
    def streams(self) -> list[str]:
        """The streams of children."""
        return [*dict.fromkeys(name for name, _ in self.parents)]

    def children_of(self, identifier: str) -> list[Row]:
        """Return the rows that only a row of the workspace has, and that the tables of children have somewhere."""
        found = []
        for name in self.streams:
            rows = self._sandbox.workspace.tables[CHILDREN[name]]
            field = FIELDS.get((CHILDREN[name], self.column), self.column)
            found += [row for row in rows.scoped(field, identifier) if (name, row["externalId"]) in self.parents]
        return found

    def misplaced(self) -> list[str]:
        """Return the children that are not where the tables have them."""
        workspace, found = self._sandbox.workspace, []
        for (name, key), parent in self.parents.items():
            table = CHILDREN[name]
            row = workspace.find(table, key) or {}
            own = workspace.tables[self.scene.one.resource].get(
                row.get(FIELDS.get((table, self.column), self.column)) or ""
            )
            if own is None or own["externalId"].strip() != parent.strip():
                found.append(f"{name} {key}, which belongs to {parent}: {row}")
        return found

    # What becomes of it

    def change(self, live: list[str]) -> None:
        """Let rows leave it and come to it, and children move; `live` are the keys of the rows in Vitally."""
        dice = self._dice
        others = [key for key in self.rows if key not in self.needed]
        kept = [key for key in others if dice.random() < 0.8] or others[:1]
        back = [key for key in live if not self.shows_alike(key) and not self.marks_alike(key)]
        kept += dice.sample(back, min(len(back), dice.randint(0, 2)))
        kept += [self.keys.new() for _ in range(dice.randint(0, 2))]
        self.rows = [*kept, *self.needed]
        for child, parent in self.parents.items():
            if not self.has(parent) or dice.random() < 0.3:
                self.parents[child] = dice.choice(self.rows)

    # What arrives of it

    def doubts(self) -> list[tuple[str, Json]]:
        return [*DOUBTS, *(OF_CHILDREN * 4 if self.parents else ())]

    def messages(self, doubt: str) -> Iterator[Json]:
        """Yield what arrives in a sync."""
        for name in ("table", *self.streams):
            rows = self._records(doubt) if name == "table" else self._children(name, doubt)
            counted = len(rows)
            is_short = doubt == ("cut short" if name == "table" else "child cut short")
            if is_short or doubt == ("lost" if name == "table" else "child lost"):
                rows = rows[: len(rows) // 2]
            yield from rows
            last = state(name, 1)
            if (counted != len(rows) and not is_short) or self._dice.random() < 0.5:
                last["state"]["sourceStats"] = {"recordCount": float(len(rows) if is_short else counted)}
            yield last
            if doubt != "no status":
                yield complete(name, "INCOMPLETE" if is_short else "COMPLETE")

    def _records(self, doubt: str) -> list[Json]:
        scene = self.scene
        there = [
            key for key in self.rows if key not in self.needed and self._sandbox.workspace.find(scene.one.resource, key)
        ]
        flawed = self._dice.sample(there, 1) if len(self.rows) > 1 and there else []
        rows = [scene.record(key) for key in self.rows if key not in flawed]
        rows += [scene.record(key, _ab_cdc_deleted_at="2026-01-01T00:00:00Z") for key in self.marked]
        # What cannot be written, since it has nothing but a key, is in the table nevertheless.
        rows += [record("table", {"externalId": key}) for key in flawed]
        if doubt == "no key":
            rows.append(record("table", {"externalId": None}))
        if doubt == "truncated key":
            change = {"field": "externalId", "change": "TRUNCATED", "reason": "SOURCE_FIELD_SIZE_LIMITATION"}
            rows[0]["record"] |= {"meta": {"changes": [change]}}
        self._dice.shuffle(rows)
        return rows

    def _children(self, name: str, doubt: str) -> list[Json]:
        rows = [
            record(name, {"externalId": key, "name": "C", self.column: parent})
            for (stream, key), parent in self.parents.items()
            if stream == name
        ]
        for row in rows[::2] if doubt == "child rejected" else ():
            row["record"]["data"]["name"] = {"an": "object"}
        self._dice.shuffle(rows)
        return rows
