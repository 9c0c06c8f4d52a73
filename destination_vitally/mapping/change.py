"""What one record asks for, what identifies its row, and keys that too many different rows share."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

from destination_vitally.errors import RejectedError
from destination_vitally.mapping.values.cursors import is_older
from destination_vitally.objects.model import Field, Object, Operation, Requirement, Route
from destination_vitally.objects.table import BY_NAME

REPEATED_ROWS = 20
REPEATED_PERCENT = 5
"""A key with more different contents than this, and of more than so many rows of the stream, is pointed out."""

KEYS_COUNTED = 1_000
"""Of so many keys the rows are counted at once. A key of more than one row in a thousand is never missed."""

COPIED = "vitally:"
"""What your id of the copy of a row begins with that has none where it was read; Vitally's id there follows."""

_EMPTY: tuple[Any, ...] = (None, "", [])


class Change(NamedTuple):
    """What one record asks for.

    `fields` are those of the object, under their own names and in Vitally's types; a reference is a text when
    it is your id, a `VitallyId` when it is Vitally's. `open_values` are the traits, or the properties of an event.
    A null in either means: remove the value. `sent_at` and `message_id` are the time (ISO 8601 in UTC) and the id that
    the record gives its message; empty where it gives none. A record with a time of its own is one message of its own.
    `cursor` tells whether it is older than another of its key, see `cursors`.
    Of a row that was read from Vitally, to be created or updated, `origin` is the id that it has where it was read, and
    `is_unsure` says that it may be the row of that id in this workspace. `left_out` are fields that cannot be written
    here, each with the reason.
    """

    entry: Object
    operation: Operation
    route: Route
    label: str
    fields: dict[str, Any]
    open_values: dict[str, Any]
    sent_at: str = ""
    message_id: str = ""
    cursor: bytes = b""
    origin: str = ""
    is_unsure: bool = False
    left_out: dict[str, str] = {}  # noqa: RUF012 - made anew before it is changed

    def followed_by(self, later: Change) -> Change:
        """Return this change and a later one of the same row as one: the later values win.

        Of one that is older by its cursor nothing is left.
        """
        if is_older(self.cursor, later.cursor):
            return later
        return later._replace(
            fields={**self.fields, **later.fields}, open_values={**self.open_values, **later.open_values}
        )

    @property
    def query(self) -> str:
        """What stands behind the question mark of the request that deletes the row; empty where nothing does."""
        values = {f.name: self.fields.get(f.name) for f in self.entry.fields if f.of_deletes}
        given = {name: value for name, value in values.items() if value}
        return urlencode(given) if self.operation == "delete" else ""

    def references(self) -> Iterator[tuple[Field, Any]]:
        """Yield each id of another row that it names, with the field that does."""
        for field in self.entry.references():
            for one in listed(self.fields.get(field.name)):
                yield field, one

    def rejected(self, reason: str, status: int | None = None) -> RejectedError:
        """Return the error that says why this change cannot be made."""
        return RejectedError(f"{self.label}: {reason}", status)


def listed(value: Any) -> list[Any]:
    """Return what a field that refers to one row or to several refers to; nothing where it is empty."""
    return value if isinstance(value, list) else [value] if value else []


def lacking(fields: dict[str, Any], requires: tuple[Requirement, ...]) -> str:
    """Return the first requirement that `fields` do not meet, in words; empty when they meet all."""
    for requirement in requires:
        if isinstance(requirement, str):
            if fields.get(requirement) in _EMPTY:
                return requirement
        elif all(fields.get(name) in _EMPTY for name in requirement):
            return " or ".join(requirement)
    return ""


def identity_of(entry: Object, fields: dict[str, Any]) -> tuple[str, ...] | None:
    """Return what identifies this row among those of the object: the first of its keys that has values, or nothing."""
    return next(identities_of(entry, fields), None)


def identities_of(entry: Object, fields: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield what each of its keys that has values says of a row, in the order of the keys."""
    for key in entry.keys:
        values = [fields.get(name) for name in key.fields]
        if None not in values and "" not in values:
            texts = [str(value).lower() if key.any_case else str(value) for value in values]
            yield (entry.name, *key.fields, *texts)


def problem_of(error: Exception) -> str:
    """Return what is wrong with a value, without quoting it: our own words, or the kind of failure."""
    return str(error) if type(error) is ValueError else f"cannot be read ({type(error).__name__})"


def label_of(entry: Object, fields: dict[str, Any]) -> str:
    """Return what messages call the row: its object, and the first of its keys that is a text."""
    for name in _label_names(entry):
        value = fields.get(name)
        if value and isinstance(value, str):
            return f"{entry.name} '{value}'"
    return entry.name


@cache
def _label_names(entry: Object) -> tuple[str, ...]:
    """The fields that may name a row in a message, the preferred first."""
    of_keys = (name for key in entry.keys for name in key.fields)
    return (
        *(either for name in of_keys for either in (name, entry.stand_ins.get(name, name))),
        "externalId",
        "messageId",
    )


class RepeatedKeys:
    """Finds the keys of a stream that come with many different contents, in bounded memory (some 2 MB at most)."""

    def __init__(self) -> None:
        self._rows = 0
        self._counts: dict[Hashable, int] = {}
        self._contents: dict[Hashable, set[int]] = {}

    def add(self, key: Hashable, content: Hashable) -> None:
        """Count a row that is not dated: its key, and all that it says."""
        self._rows += 1
        if key not in self._counts and len(self._counts) >= KEYS_COUNTED:
            for known in [known for known, count in self._counts.items() if count == 1]:
                del self._counts[known], self._contents[known]
            for known in self._counts:
                self._counts[known] -= 1
            return
        self._counts[key] = self._counts.get(key, 0) + 1
        contents = self._contents.setdefault(key, set())
        if len(contents) <= REPEATED_ROWS:
            contents.add(hash(content))

    def found(self) -> list[tuple[Hashable, int]]:
        """Return the keys of too many contents, each with its number of rows (at least), the most frequent first."""
        shared = [
            (key, count)
            for key, count in self._counts.items()
            if len(self._contents[key]) > REPEATED_ROWS and count * 100 > self._rows * REPEATED_PERCENT
        ]
        return sorted(shared, key=lambda one: -one[1])

    def sentences(self, title: str) -> list[str]:
        """Return what the log says of each at the end of stream `title`."""
        return [
            f"Stream {title}: {count} rows of {self._rows} have the same key, {_named(key)}, and differ otherwise. In "
            "Vitally they are one row, with the values of the last. Is it a default value where the id is missing?"
            for key, count in self.found()
        ]


def _named(key: Hashable) -> str:
    """Return an identity (object, names of the fields, their values) in words."""
    parts = key if isinstance(key, tuple) else (key,)
    half = (len(parts) + 1) // 2
    pairs = zip(parts[1:half], parts[half:], strict=True) if len(parts) % 2 else [("key", parts[-1])]
    return " and ".join(f"{name} '{value}'" for name, value in pairs)


def link_of(entry: Object, value_of: Callable[[Field], Any]) -> tuple[Object, dict[str, Any]]:
    """Return where Vitally shows a row of an object that has none of its own: the object, and the fields of its row."""
    holder = next(field for field in entry.references() if field.name == entry.kept_in)
    keeper = BY_NAME[str(holder.refers)]
    links = {
        place.name: [value]
        for field in entry.references()
        for place in keeper.references()
        if field is not holder and place.refers == field.refers and (value := value_of(field))
    }
    return keeper, {"externalId": value_of(holder), **links}


def row_of(change: Change) -> tuple[Object, str, dict[str, Any], dict[str, Any]] | None:
    """Return what a change says of the row that shows it; None where there is no row, or nothing identifies it."""
    entry, fields, open_values = change.entry, change.fields, change.open_values
    if entry.kept_in:
        entry, fields = link_of(entry, lambda field: fields.get(field.name))
        fields, open_values = {"externalId": fields["externalId"]}, {}
    external_id = fields.get("externalId")
    return (entry, str(external_id), fields, open_values) if external_id and entry.path else None
