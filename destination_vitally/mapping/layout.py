"""Where the columns of a row go: decided once per set of columns, whatever the order in which they come."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Literal, NamedTuple

from destination_vitally.config import Cast, StreamMapping
from destination_vitally.mapping import casts
from destination_vitally.mapping.casts import Read
from destination_vitally.mapping.columns import AmbiguousError, Columns, folded, is_deletion, is_loader_column
from destination_vitally.mapping.values import VitallyId, identifier
from destination_vitally.objects.model import Field, Kind, Object
from vitally_api.traits import CustomField

logger = logging.getLogger("airbyte")

COLUMNS_REMEMBERED = 20_000
"""Of how many columns the layouts are kept; a source that omits what is empty makes many sets of columns."""

COLUMNS_SAID = 1000
"""Of how many columns it is said that they are left out; members of an object may have any number of names."""

Place = Literal["field", "default", "open", "merged"]
"""A field; a field unless it has a value; among the traits; with its members among the traits."""


class Target(NamedTuple):
    """Where one column goes, or what is at a path below it; `is_plain` is a trait that is sent as it is."""

    column: str
    path: tuple[str, ...]
    place: Place
    name: str
    read: Read
    clears: bool
    is_plain: bool = False


class Layout(NamedTuple):
    """What becomes of the columns of a row.

    Attributes:
        targets: where each goes; what the mapping says comes first.
        cleared: fields and traits, each as place and name, whose column the row lacks: it is empty.
        problem: why rows with these columns cannot be written; empty when they can.
        deletions: the columns that say whether the row was deleted.
    """

    targets: tuple[Target, ...]
    cleared: tuple[tuple[Place, str], ...]
    problem: str
    deletions: tuple[str, ...]


CustomFields = Mapping[str, CustomField] | None
"""The custom fields of an object by their path; None when nobody can know them."""


class Types(NamedTuple):
    """What is known of types: of custom fields, asked for when the first trait is met, and of the stream's columns."""

    custom_fields: Callable[[], CustomFields] = lambda: None
    columns: Mapping[str, Any] = {}


NO_TYPES = Types()


class _Mapped(NamedTuple):
    """What a mapping says of one column."""

    column: str
    place: Place
    name: str
    read: Read
    clears: bool
    is_plain: bool = False


class Layouts:
    """The layouts of one stream."""

    def __init__(self, entry: Object, mapping: StreamMapping | None, types: Types, *, clears: bool) -> None:
        """`clears` says what an empty value does where the mapping does not."""
        self._entry = entry
        self._types = types
        self._clears = clears
        self._schema = Columns(types.columns)
        self._mapped = list(self._read_mapping(mapping)) if mapping else []
        constants = {said.field for said in mapping.constants} if mapping else set()
        taken = constants | {said.name for said in self._mapped if said.place == "field"}
        self._by_name = {folded(n): f for f in entry.fields if f.name not in taken for n in (f.name, *f.aliases)}
        self._by_inlined = {folded(f.inlined): f for f in self._by_name.values() if f.inlined}
        self._traits = {said.name for said in self._mapped if said.place == "open"}
        self._traits |= {said.trait for said in mapping.constant_traits} if mapping else set()
        self._takes_others = bool(entry.open_member) and not (mapping and mapping.other_columns == "ignore")
        self._read_only = {folded(name) for name in entry.read_only}
        self._known: dict[tuple[tuple[str, ...], bool], Layout] = {}
        self._remembered = 0
        self._said: set[str] = set()

    def of(self, columns: Iterable[str], *, native: bool = False) -> Layout:
        """Return the layout of rows with these columns; `native` ones were read from Vitally."""
        key = (tuple(columns), native)
        layout = self._known.get(key)
        if layout is None:
            layout = self._made(*key)
            self._remembered += len(layout.targets)
            if self._remembered > COLUMNS_REMEMBERED:
                self._known.clear()
                self._remembered = len(layout.targets)
            self._known[key] = layout
        return layout

    def read_trait(self, name: str, column: str, cast: Cast | None = None, separator: str | None = None) -> Read:
        """Return what reads a trait: by the cast asked for, else by its custom field, else by the column's schema."""
        return casts.of_cast(cast or self._custom(name) or self._cast_of_schema(column), separator)

    @cached_property
    def _custom_fields(self) -> CustomFields:
        return self._types.custom_fields()

    def _custom(self, trait: str) -> Cast | None:
        found = (self._custom_fields or {}).get(trait)
        return casts.of_custom_field(found.type) if found else None

    def _cast_of_schema(self, column: str) -> Cast | None:
        try:
            known = self._schema.find(column)
        except AmbiguousError:
            return None
        return casts.of_schema(self._types.columns[known]) if known else None

    def _read_mapping(self, mapping: StreamMapping) -> Iterator[_Mapped]:
        for said in mapping.fields:
            if field := self._entry.field(said.field):
                read = casts.of_field(field, said.separator)
                yield _Mapped(said.column, "field", field.name, read, self._policy(said.null_values))
        for trait in mapping.traits:
            read = self.read_trait(trait.trait, trait.column, trait.cast, trait.separator)
            yield _Mapped(trait.column, "open", trait.trait, read, self._policy(trait.null_values))

    def _policy(self, said: str | None) -> bool:
        return self._clears if said is None else said == "clear"

    def _made(self, names: tuple[str, ...], native: bool) -> Layout:
        columns = Columns(names)
        targets: list[Target] = []
        cleared: list[tuple[Place, str]] = []
        problems: list[str] = []
        for said in self._mapped:
            try:
                found = columns.locate(said.column)
                if found:
                    targets.append(Target(*found, said.place, said.name, said.read, said.clears))
                elif said.clears and self._schema.locate(said.column):
                    cleared.append((said.place, said.name))
            except AmbiguousError as error:
                problems.append(str(error))
        mapped = {target.column for target in targets}
        others = list(self._others([name for name in names if name not in mapped], native))
        problems += _meant_twice(others)
        cleared += [("field", name) for name in self._absent_fields(columns)]
        deletions = tuple(filter(is_deletion, names))
        return Layout(tuple(targets + others), tuple(cleared), problems[0] if problems else "", deletions)

    def _absent_fields(self, columns: Columns) -> Iterator[str]:
        """Yield the fields for which the stream has a column of their name that these rows lack."""
        if not self._clears:
            return
        here = {folded(name) for name in columns.names}
        for name in self._schema.names:
            field = self._by_name.get(folded(name))
            if field and folded(name) not in here:
                yield field.name

    def _others(self, names: list[str], native: bool) -> Iterator[Target]:
        """Yield where columns go of which the mapping says nothing."""
        for column in names:
            fold = folded(column)
            field = self._by_name.get(fold)
            inlined = self._by_inlined.get(fold) if native else None
            if is_deletion(column):
                continue
            if is_loader_column(column):
                self._say_once("%s is left out: it is a column of the tool that loads the table.", column)
            elif inlined:
                yield Target(column, (), "field", inlined.name, _inlined_ids(inlined), self._clears)
            elif field:
                place: Place = "default" if native and field.inlined else "field"
                yield Target(column, (), place, field.name, _read_field(field, native), self._clears)
            elif fold == self._entry.open_member:
                _ = self._custom_fields  # asked for here, where a failure ends the sync, not the record
                yield Target(column, (), "merged", column, self._members_reader(column, native), self._clears)
            elif self._is_trait(column, native):
                read = casts.unchanged if native else self.read_trait(column, column)
                yield Target(column, (), "open", column, read, self._clears, read is casts.unchanged)

    def _is_trait(self, column: str, native: bool) -> bool:
        """Tell whether a column that is no field is sent among the traits."""
        is_said_otherwise = not self._takes_others or column in self._traits
        is_computed = native and folded(column) in self._read_only
        return not (is_said_otherwise or is_computed or self._is_undefined(column))

    def _members_reader(self, column: str, native: bool) -> Read:
        """Return what reads an object of traits: each member brought to its type; a ValueError names the member."""

        def read(value: Any) -> Any:
            traits = casts.structure(value)
            if not isinstance(traits, dict):
                return {} if self._is_undefined(column) else traits
            members = {name: member for name, member in traits.items() if not self._is_undefined(name, column)}
            return members if native else {name: self._read_member(name, member) for name, member in members.items()}

        return read

    def _read_member(self, name: str, value: Any) -> Any:
        try:
            return None if value is None else casts.of_cast(self._custom(name))(value)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None

    def _is_undefined(self, trait: str, column: str = "") -> bool:
        """Tell whether Vitally would refuse a trait (a member of a column); that it is left out is said once."""
        known = self._custom_fields
        if not self._entry.defined_traits or known is None or trait in known:
            return False
        path = f"{column}.{trait}" if column else trait
        self._say_once("%s is left out: there is no custom field of that path in Vitally.", path)
        return True

    def _say_once(self, text: str, column: str) -> None:
        if column not in self._said and len(self._said) < COLUMNS_SAID:
            self._said.add(column)
            logger.warning("Rows of %s: column " + text, self._entry.name, f"'{column}'")


def _read_field(field: Field, native: bool) -> Read:
    read = casts.of_field(field)
    return _vitallys(read, many=field.kind is Kind.TEXTS) if native and field.refers else read


def _meant_twice(targets: list[Target]) -> Iterator[str]:
    """Yield what is wrong where two columns have the name of one field."""
    seen: dict[str, str] = {}
    for target in targets:
        if target.place == "field":
            first = seen.setdefault(target.name, target.column)
            if first != target.column:
                yield f"columns '{first}' and '{target.column}' both have the name of {target.name}: map one to it"


def _vitallys(read: Read, *, many: bool) -> Read:
    def one(value: Any) -> Any:
        found = read(value)
        return None if found is None else VitallyId(found)

    def each(value: Any) -> Any:
        return [VitallyId(entry) for entry in read(value) or []]

    return each if many else one


def _inlined_ids(field: Field) -> Callable[[Any], Any]:
    """Return what reads the id of an inlined parent: yours where it has one, as only that has a meaning elsewhere."""

    def one(parent: Any) -> str:
        if isinstance(parent, dict) and parent.get("externalId"):
            return identifier(parent["externalId"])
        if isinstance(parent, dict) and parent.get("id"):
            return VitallyId(identifier(parent["id"]))
        raise ValueError("has neither externalId nor id")

    if field.kind is Kind.TEXTS:
        listed = casts.of_field(Field(field.name, Kind.LIST))
        return lambda value: [one(entry) for entry in listed(value) or []]
    return lambda value: one(casts.structure(value))
