"""Where the columns of a row go: decided once per set of columns, whatever their order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Literal, NamedTuple

from destination_vitally.config import StreamMapping
from destination_vitally.mapping.columns import (
    AmbiguousError,
    Columns,
    folded,
    is_deletion,
    is_loader_column,
    is_unavailable,
)
from destination_vitally.mapping.labels import PLAIN, CustomFields, Labels
from destination_vitally.mapping.values import casts
from destination_vitally.mapping.values.casts import Read
from destination_vitally.mapping.values.lists import structure
from destination_vitally.mapping.values.times import NEVER, UTC
from destination_vitally.objects.model import Field, Kind, Object, Operation
from destination_vitally.objects.table import BY_NAME, MESSAGE_FIELDS
from vitally_api.traits import kind_of

logger = logging.getLogger("airbyte")

COLUMNS_REMEMBERED = 20_000
"""Of how many columns the layouts are kept; a source that omits what is empty makes many sets of columns."""

COLUMNS_LOGGED = 1000
"""Of how many columns the log says that they are left out; members of an object may have any number of names."""

_IN_TRAITS = "traits."
_ARCHIVED = folded("archivedAt")
_OF_CRMS = ("sfdc.", "hspot.")
"""What the traits begin with that Vitally's own integrations with Salesforce and HubSpot write."""

_LOADERS = "is left out: it is a column of the tool that loads the table."
_UNDEFINED = "is left out: there is no custom field of that path in Vitally.{hint}"
_NEAR = (
    "becomes a trait of its own, though Vitally has the custom field {path}. Map it to the trait {path} to write that, "
    "or to the trait {plain} to mean its own."
)
_NO_FIELD = "is left out: {entry} has no field of that name to write.{hint}"
_COMPUTED = "is left out: Vitally sets it itself."
_IS_FIELD = "is left out: as a trait it would overwrite the field {field}. Map it to that, or to another trait."
_CRM = "becomes a trait of a CRM integration ({prefix}.), which overwrites it with its next sync."
_NEVER = (
    "holds numbers that are no time between 1990 and 2100, such as 0: they count as no value. If they are Unix times "
    "all the same, give the column the Type (cast) unix_seconds or unix_milliseconds."
)

Place = Literal["field", "default", "open", "merged", "message"]
"""A field; a field unless it has a value; among the traits; with its members among the traits; beside them all."""


class Target(NamedTuple):
    """Where one column goes, or what is at a path in it; `is_plain` is a trait that is sent as it is."""

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
        schedules: the columns named like the field by which the delete of another object is scheduled.
        archived: the column that says when a row of Vitally was archived.
    """

    targets: tuple[Target, ...]
    cleared: tuple[tuple[Place, str], ...]
    problem: str
    deletions: tuple[str, ...]
    schedules: tuple[str, ...]
    archived: str


_SCHEDULES = {folded(field.name) for entry in BY_NAME.values() for field in entry.fields if field.of_deletes}


class Types(NamedTuple):
    """What is known of types: of custom fields, asked for when the first trait is met, and of the stream's columns."""

    custom_fields: Callable[[], CustomFields] = lambda: None
    columns: Mapping[str, Any] = {}


NO_TYPES = Types()


class Layouts:
    """The layouts of one stream."""

    def __init__(
        self,
        entry: Object,
        mapping: StreamMapping | None,
        types: Types,
        *,
        clears: bool,
        operation: Operation = "upsert",
    ) -> None:
        """`clears` says what an empty value does where the mapping does not."""
        self._entry = entry
        self._types = types
        self._clears = clears
        self._is_delete = operation == "delete"
        self._zone = mapping.zone if mapping else UTC
        self._schema = Columns(types.columns)
        self._known: dict[tuple[tuple[str, ...], bool], Layout] = {}
        self._remembered = 0
        self._logged: set[tuple[str, str]] = set()
        self._crm_is_logged = False
        self._mapped = list(self._read_mapping(mapping)) if mapping else []  # with columns that may be paths
        self._fields_as_traits = _fields_as_traits(entry)
        constants = {line.field for line in mapping.constants} if mapping else set()
        taken = constants | {mapped.name for mapped in self._mapped if mapped.place == "field"}
        free = [field for field in entry.fields if field.name not in taken and not field.is_named]
        self._by_name = {folded(name): field for field in free for name in (field.name, *field.aliases)}
        self._by_inlined = {folded(f.inlined): f for f in self._by_name.values() if f.inlined}
        self._traits = {mapped.name for mapped in self._mapped if mapped.place == "open"}
        self._traits |= {line.trait for line in mapping.constant_traits} if mapping else set()
        self._ignores_others = bool(mapping and mapping.other_columns == "ignore")
        self._schedules = _SCHEDULES - {folded(field.name) for field in entry.fields}
        self._read_only = {folded(name) for name in (*entry.read_only, *(f.name for f in entry.fields if f.is_named))}

    def of(self, columns: Iterable[str], *, native: bool = False) -> Layout:
        """Return the layout of rows with these columns; `native` ones were read from Vitally."""
        wanted = (tuple(columns), native)
        layout = self._known.get(wanted)
        if layout is None:
            layout = self._decided(*wanted)
            self._remembered += len(layout.targets)
            if self._remembered > COLUMNS_REMEMBERED:
                self._known.clear()
                self._remembered = len(layout.targets)
            self._known[wanted] = layout
        return layout

    def read(self, read: Read, value: Any, column: str) -> Any:
        """Return what a value of a column becomes; None where it is none, which is logged once where it is a number.

        Raises:
            ValueError: it cannot be read.
        """
        found = read(value)
        if found is NEVER:
            self._log_once(_NEVER, column)
            return None
        return found

    def trait_reader(self, name: str, column: str, cast: str | None = None, separator: str | None = None) -> Read:
        """Return what reads a trait: by the cast asked for, else by its custom field, else by the column's schema."""
        return casts.of_cast(cast or self._custom(name) or self._cast_of_schema(column), separator, self._zone)

    @cached_property
    def custom_fields(self) -> CustomFields:
        """The custom fields of the object, asked for when this is first asked."""
        return self._types.custom_fields()

    @cached_property
    def _labels(self) -> Labels:
        return Labels(self.custom_fields)

    def _custom(self, trait: str) -> Kind | None:
        found = (self.custom_fields or {}).get(trait)
        return kind_of(found.type) if found else None

    def _cast_of_schema(self, column: str) -> Kind | None:
        try:
            known = self._schema.find(column)
        except AmbiguousError:
            return None
        return casts.of_schema(self._types.columns[known]) if known else None

    def _read_mapping(self, mapping: StreamMapping) -> Iterator[Target]:
        for line in mapping.fields:
            field = self._entry.field(line.field)
            if known := field or MESSAGE_FIELDS.get(line.field):
                read = casts.of_field(known, line.separator, line.cast, self._zone)
                place: Place = "field" if field else "message"
                clears = bool(field) and self._policy(line.null_values)
                yield Target(line.column, (), place, known.name, read, clears)
        for trait in mapping.traits:
            read = self.trait_reader(trait.trait, trait.column, trait.cast, trait.separator)
            self._log_crm(trait.trait, trait.column)
            yield Target(trait.column, (), "open", trait.trait, read, self._policy(trait.null_values))

    def _policy(self, chosen: str | None) -> bool:
        return self._clears if chosen is None else chosen == "clear"

    def _decided(self, names: tuple[str, ...], native: bool) -> Layout:
        columns = Columns(names)
        targets: list[Target] = []
        cleared: list[tuple[Place, str]] = []
        problems: list[str] = []
        for mapped in self._mapped:
            try:
                found = columns.locate(mapped.column)
                if found:
                    targets.append(mapped._replace(column=found[0], path=found[1]))
                elif mapped.clears and self._schema.locate(mapped.column):
                    cleared.append((mapped.place, mapped.name))
            except AmbiguousError as error:
                problems.append(str(error))
        taken = {target.column for target in targets}
        left = [name for name in names if name not in taken]
        others = list(self._others(left, native))
        problems += _meant_twice(others)
        cleared += [("field", name) for name in self._absent_fields(columns)]
        schedules = [name for name in left if folded(name) in self._schedules]
        return Layout(
            tuple(targets + others),
            tuple(cleared),
            problems[0] if problems else "",
            tuple(filter(is_deletion, names)),
            tuple(schedules),
            next((name for name in names if native and folded(name) == _ARCHIVED), ""),
        )

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
            if is_deletion(column) or (is_loader_column(column) and self._ignores_others):
                continue
            if is_loader_column(column):
                self._log_once(_LOADERS, column)
            elif inlined:
                yield Target(column, (), "field", inlined.name, casts.of_inlined(inlined), self._clears)
            elif field:
                place: Place = "default" if native and field.inlined else "field"
                yield Target(column, (), place, field.name, self._field_reader(field, native), self._clears)
            elif fold == self._entry.open_member:
                _ = self.custom_fields  # asked for here, where a failure ends the sync, not the record
                yield Target(column, (), "merged", column, self._members_reader(column, native), self._clears)
            elif self._is_trait(column, native):
                read = casts.unchanged if native else self.trait_reader(column, column)
                yield Target(column, (), "open", column, read, self._clears, read is casts.unchanged)

    def _is_trait(self, column: str, native: bool) -> bool:
        """Tell whether a column that is no field is sent among the traits; if it is not, the log says why."""
        is_computed = native and folded(column) in self._read_only
        if self._ignores_others or is_computed or column in self._traits or self._is_delete:
            return False
        if not self._entry.open_member:
            no_field = _NO_FIELD.format(entry=self._entry.name, hint=_hint(column, self._entry))
            self._log_once(_COMPUTED if folded(column) in self._read_only else no_field, column)
            return False
        return self._is_free(column, native=native)

    def _is_free(self, trait: str, column: str = "", *, native: bool = False) -> bool:
        """Tell whether a trait (a member of a column) may be written: it exists, and is no field by another name."""
        path = f"{column}.{trait}" if column else trait
        if self._is_undefined(trait, path) or (column and trait in self._traits):
            return False
        if not native and (field := self._fields_as_traits.get(folded(trait))):
            self._log_once(_IS_FIELD.format(field=field), path)
            return False
        if not native and self._entry.open_member == "traits" and (near := self._labels.near(trait)):
            self._log_once(_NEAR.format(path=" or ".join(near), plain=PLAIN + trait), path)
        self._log_crm(trait, path)
        return True

    def _field_reader(self, field: Field, native: bool) -> Read:
        read = casts.of_field(field, zone=self._zone)
        if field.entries:
            return self._entries_reader(field, read)
        is_vitallys = native and (field.refers or field.directory)
        return casts.as_vitallys(read, many=field.kind is Kind.TEXTS) if is_vitallys else read

    def _entries_reader(self, field: Field, read: Read) -> Read:
        """Return what reads a list whose entries are held to the fields of an object; a ValueError names the field."""
        entry = BY_NAME[field.entries]
        readers = {f.name: casts.of_field(f, zone=self._zone) for f in entry.fields if f.in_body}
        if entry.field("externalId"):  # else an entry is always a new one
            readers["id"] = casts.unchanged
        names = {folded(name): f.name for f in entry.fields for name in (f.name, *f.aliases)}
        passed_over = {folded(name) for name in entry.read_only}

        def one(members: Any) -> Any:
            if not isinstance(members, dict):
                return members
            found: dict[str, Any] = {f.name: f.default for f in entry.fields if f.default is not None}
            for name, value in members.items():
                known = names.get(folded(name), "")
                if known in readers and not is_unavailable(value):
                    try:
                        path = f"{field.name}.{name}"
                        found[known] = None if value is None else self.read(readers[known], value, path)
                    except ValueError as error:
                        raise ValueError(f"{known} {error}") from None
                elif not known and folded(name) not in passed_over:
                    left_out = _NO_FIELD.format(entry=entry.name, hint=_hint(name, entry))
                    self._log_once(left_out, f"{field.name}.{name}")
            return found

        return lambda value: [one(members) for members in read(value) or []]

    def _members_reader(self, column: str, native: bool) -> Read:
        """Return what reads an object of traits: each member brought to its type; a ValueError names the member."""

        def read(value: Any) -> Any:
            traits = structure(value)
            if not isinstance(traits, dict):
                return {} if self._is_undefined(column, column) else traits
            members = {
                name: member
                for name, member in traits.items()
                if not is_unavailable(member) and self._is_free(name, column, native=native)
            }
            return members if native else {name: self._read_member(name, member) for name, member in members.items()}

        return read

    def _read_member(self, name: str, value: Any) -> Any:
        try:
            return None if value is None else self.read(casts.of_cast(self._custom(name), zone=self._zone), value, name)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None

    def _is_undefined(self, trait: str, path: str) -> bool:
        """Tell whether Vitally would refuse a trait, since no custom field has its name."""
        known = self.custom_fields
        if not self._entry.defined_traits or known is None or trait in known:
            return False
        near = self._labels.near(trait)
        self._log_once(_UNDEFINED.format(hint=f" Did you mean {near[0]}?" if near else ""), path)
        return True

    def _log_crm(self, trait: str, column: str) -> None:
        if trait.startswith(_OF_CRMS) and self._entry.open_member == "traits" and not self._crm_is_logged:
            self._crm_is_logged = True
            self._log_once(_CRM.format(prefix=trait.partition(".")[0]), column)

    def _log_once(self, text: str, column: str) -> None:
        if (text, column) not in self._logged and len(self._logged) < COLUMNS_LOGGED:
            self._logged.add((text, column))
            level = logging.INFO if text == _COMPUTED else logging.WARNING
            logger.log(level, "Rows of %s: column '%s' %s", self._entry.name, column, text)


def _fields_as_traits(entry: Object) -> dict[str, str]:
    """The names of traits that are fields in a message, each with its field."""
    places = [(field, field.analytics or "") for field in entry.fields]
    return {folded(place.removeprefix(_IN_TRAITS)): f.name for f, place in places if place.startswith(_IN_TRAITS)}


def _hint(column: str, entry: Object) -> str:
    """Return a question that names the field which a column of another name is likely to be for."""
    fold = folded(column)
    fields = {folded(field.name): field.name for field in entry.fields}
    elsewhere = {folded(name): field.name for field in entry.fields for name in field.elsewhere}
    near = elsewhere.get(fold) or next((fields[name] for name in get_close_matches(fold, fields, 1, 0.7)), "")
    return f" Did you mean {near}?" if near else ""


def _meant_twice(targets: list[Target]) -> Iterator[str]:
    """Yield what is wrong where two columns have the name of one field."""
    seen: dict[str, str] = {}
    for target in targets:
        if target.place == "field":
            first = seen.setdefault(target.name, target.column)
            if first != target.column:
                yield f"columns '{first}' and '{target.column}' both have the name of {target.name}: map one to it"
