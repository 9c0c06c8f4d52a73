"""From a page to its rows, and from a row to the record that is sent on."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any, ClassVar

import orjson
import requests
from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor
from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.types import Config, StreamSlice

from source_vitally.responses import body_of
from source_vitally.schema import fields_of, flat_columns, id_fields, inlined_fields

logger = logging.getLogger("airbyte")

DEEPEST = 200
"""Levels of a row. What prints messages, and what reads them, takes some 250."""

_REFERENCE_FIELDS = ("id", "externalId", "name", "email")


@dataclass
class Sieve:
    """Keeps of a stream's lists what is an object. What is none costs only itself, and is said once."""

    stream: str
    _has_said: bool = field(init=False, default=False)
    _left_out: set[str] = field(init=False, repr=False, default_factory=set)

    def leave_out(self, row: Mapping[str, Any], why: str) -> None:
        """Say, once for each reason, that a row is left out."""
        if why not in self._left_out:
            self._left_out.add(why)
            logger.warning(
                f"Stream {self.stream}: the row {row.get('id')} {why}. It is left out, like any further one; the "
                "others are read. Report it to Vitally's support. This is said once."
            )

    def objects(self, items: list[Any], whose: str) -> list[Mapping[str, Any]]:
        """Return the objects of a list; `whose` says in the log what list it is."""
        found = [with_text_ids(item) for item in items if isinstance(item, Mapping)]
        if len(found) < len(items) and not self._has_said:
            self._has_said = True
            odd = next(item for item in items if not isinstance(item, Mapping))
            logger.warning(
                f"Stream {self.stream}: among {whose} is {_KINDS.get(type(odd), 'something')} where an object should "
                "be. It is left out, like any further one; the others are read. Report it to Vitally's support. This "
                "is said once."
            )
        return found


_KINDS = {str: "a text", type(None): "a null", bool: "a boolean", int: "a number", float: "a number", list: "a list"}


@dataclass
class PageExtractor(RecordExtractor):
    """Takes the rows out of a page that the error handler has already parsed."""

    parameters: InitVar[Mapping[str, Any]]
    envelope: str = "results"
    are_known_by_id: ClassVar[bool] = True

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        self._sieve = Sieve(parameters.get("name", ""))

    def extract_records(self, response: requests.Response) -> Iterable[Mapping[str, Any]]:
        """Yield the rows of a page in the server's order."""
        body = body_of(response)
        rows = body if isinstance(body, list) else body[self.envelope]
        found = self._sieve.objects(rows, "the rows of a page")
        has_deep = _may_be_deep(found)
        for row in found:
            if has_deep and is_deep(row):
                self._sieve.leave_out(row, f"is nested deeper than {DEEPEST} levels, which no destination takes")
            elif self.are_known_by_id and self.envelope != "list" and not isinstance(row.get("id"), str):
                self._sieve.leave_out(row, "has no id, by which it would be known")
            else:
                yield row


def is_deep(value: Any) -> bool:
    """Tell whether a value is nested deeper than can be printed."""
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return False
    return True


def _may_be_deep(rows: list[Any]) -> bool:
    """Tell whether one of some rows may be: the parser of messages takes less than half as much as that of answers."""
    try:
        orjson.dumps([[[[rows]]]])  # deeper than a record in its message
    except TypeError:
        return True
    return False


def _inside(value: Any) -> Iterable[Any]:
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return (item for item in items if isinstance(item, Mapping | list))


def with_text_ids(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row whose ids are texts: where its own is a number, this and all others in it become one."""
    return _with_text_ids(row) if type(row.get("id")) in (int, float) else row


def _with_text_ids(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: inner if key == "traits" else _with_text_ids(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_text_ids(item, name.removesuffix("s")) for item in value]
    is_id = name == "id" or name.endswith(("Id", "ID"))  # Vitally writes `userID` as well
    return _text_id(value) if is_id and type(value) in (int, float) else value


def _text_id(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


@dataclass
class InlinedParents(RecordTransformation):
    """Reduces objects that Vitally inlines (an account in a note, accounts in a user) to references, if configured."""

    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        wants_all = self.config.get("inlined_objects") == "full"
        self._fields = () if wants_all else inlined_fields(parameters)

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,
        stream_state: Any = None,
        stream_slice: StreamSlice | None = None,
    ) -> None:
        """Reduce the record's inlined objects in place."""
        for name in self._fields:
            value = record.get(name)
            if isinstance(value, list):
                record[name] = [_reference(item) for item in value]
            elif value is not None:
                record[name] = _reference(value)


def _reference(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {key: value[key] for key in _REFERENCE_FIELDS if key in value}


def ids_of(rows: Any) -> list[str] | None:
    """Return the ids of inlined rows, or None where there are no rows to take them from."""
    if not isinstance(rows, list):
        return None
    found = [with_text_ids(row).get("id") if isinstance(row, Mapping) else row for row in rows]
    return [identifier for identifier in found if isinstance(identifier, str)]


@dataclass
class Columns(RecordTransformation):
    """Gives a row the columns that its schema promises beyond what Vitally sends.

    One spelling per column, as warehouses do not tell `userID` from `userId`; the ids of inlined rows where Vitally
    leaves the field for them empty; in lists of inlined rows nothing but objects; custom fields, if configured.
    """

    config: Config
    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        self._spellings = {name.lower(): name for name in fields_of(parameters)}
        self._names = frozenset(self._spellings.values())
        self._ids = id_fields(parameters)
        self._inlined = inlined_fields(parameters)
        self._sieve = Sieve(parameters.get("name", ""))
        self._traits = flat_columns(self.config, parameters)

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,
        stream_state: Any = None,
        stream_slice: StreamSlice | None = None,
    ) -> None:
        """Change the record in place."""
        for name in record.keys() - self._names:
            if column := self._spellings.get(name.lower()):
                value = record.pop(name)
                if record.get(column) is None:
                    record[column] = value
        for name, rows in self._ids.items():
            if not record.get(name) and (ids := ids_of(record.get(rows))) is not None:
                record[name] = ids
        for name in self._inlined:
            if isinstance(items := record.get(name), list):
                record[name] = self._sieve.objects(items, f"the '{name}' of a row")
        if self._traits and isinstance(traits := record.get("traits"), Mapping):
            record.update({column.name: column.value(traits) for column in self._traits})


@dataclass
class PartitionFields(RecordTransformation):
    """Adds the fields of a record's partition to the record; the key of `custom_fields` needs them."""

    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Exist for the CDK, which hands over `parameters`."""

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,
        stream_state: Any = None,
        stream_slice: StreamSlice | None = None,
    ) -> None:
        """Change the record in place."""
        record.update(stream_slice.partition if stream_slice else {})


def place_of(row: Mapping[str, Any]) -> str:
    """Name a row, for people who look for what comes after it."""
    return f"{row.get('id')} (created {row.get('createdAt')}, updated {row.get('updatedAt')})"


def version_of(row: Mapping[str, Any]) -> str:
    """Return what tells a version of a row from others; whole seconds do not, as two edits may fall into one."""
    key = row.get("id") or (row.get("model"), row.get("path"), row.get("customObjectId"))
    time = str(row.get("updatedAt"))
    is_exact = "." in time and ".000" not in time
    return f"{key} {time} {row.get('archivedAt') if is_exact else hash(str(row))}"
