"""From a record to the change it asks for: pure functions, the same for both transports.

A `Mapper` is made once per stream; where the columns go says `layout`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from destination_vitally.config import StreamMapping, setting
from destination_vitally.errors import RejectedError, SkippedError
from destination_vitally.lines import TOO_DEEP
from destination_vitally.mapping.change import (
    COPIED,
    Change,
    identities_of,
    identity_of,
    label_of,
    lacking,
    problem_of,
)
from destination_vitally.mapping.columns import Lost, are_vitallys, is_native, is_unavailable, member
from destination_vitally.mapping.layout import NO_TYPES, Layout, Layouts, Target, Types
from destination_vitally.mapping.routing import Routing
from destination_vitally.mapping.values import casts, times
from destination_vitally.mapping.values.numbers import EXACT_UP_TO
from destination_vitally.objects.model import Kind, Object, Operation, RestRoute, Route

__all__ = ["Change", "Mapper", "Rules", "identities_of", "identity_of", "lacking", "problem_of"]

logger = logging.getLogger("airbyte")

_NO_ID = "it has no externalId; set External id of rows that have none (external_id) to from_vitally_id to give it one"
_ONLY_IN_DELETES = "%s: %s is left out of rows that are not deleted."
_FINDS_NOTHING = (
    "%s: '%s' has found nothing in the first %d rows. If it is no typing mistake, it is a member that few rows have."
)
FIRST_ROWS = 10
"""After so many rows the log says which paths of a mapping have found nothing."""

AHEAD = times.DAY_SECONDS
"""So many seconds a message may be dated ahead of now; clocks differ, and some tables have days without a time zone."""


class _Draft:
    """A change in the making, and what is wrong: with all but its key, with its mark of a delete, with its deleteOn."""

    __slots__ = ("fields", "lost", "mark", "merged", "message", "open_values", "problem", "schedule")

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.open_values: dict[str, Any] = {}
        self.merged: dict[str, Any] = {}
        self.message: dict[str, Any] = {}
        self.lost: dict[str, str] = {}
        self.problem = self.mark = self.schedule = ""

    def note(self, problem: str, *, of_delete: bool) -> None:
        """Take note of a value that cannot be read; the first problem counts."""
        if of_delete:
            self.schedule = problem
        else:
            self.problem = self.problem or problem


class Rules(NamedTuple):
    """What bears on the rows of a stream besides its mapping: settings, what is known of types, Vitally's clock.

    `now` returns Unix seconds, `stream` is the name of the stream. `skips_deletes` says that deletes are for other
    entries of the stream, where the object has none.
    """

    clear_nulls: bool = False
    allow_deletes: bool = False
    types: Types = NO_TYPES
    now: Callable[[], float] = time.time
    stream: str = ""
    skips_deletes: bool = False


DELETES_SKIPPED = "say that they were deleted, which reaches only the entries whose object has a delete"

DEFAULT_RULES = Rules()


class Mapper:
    """Turns the records of one stream into changes."""

    def __init__(
        self,
        entry: Object,
        operation: Operation,
        routes: dict[Operation, tuple[Route, ...]],
        mapping: StreamMapping | None = None,
        rules: Rules = DEFAULT_RULES,
    ) -> None:
        """`routes` are those of the stream's operation and, where deletes are possible, of deletes.

        Raises:
            ValueError: a fixed value of the mapping is not of its type.
        """
        self.are_vitallys = are_vitallys(entry, mapping, rules.stream, rules.types.columns)
        if self.are_vitallys and entry.copied_by:
            entry = replace(entry, keys=(*entry.keys, entry.copied_by))
        self.entry = entry
        self._operation = operation
        self._rules = rules
        self.layouts = Layouts(entry, mapping, rules.types, clears=rules.clear_nulls, operation=operation)
        self.mapped = {line.field for line in mapping.fields} if mapping else set()
        self._copies = bool(mapping and mapping.external_id and entry.field("externalId"))
        self._constants = dict(_constants(entry, mapping)) if mapping else {}
        self._constant_traits = dict(_constant_traits(self.layouts, mapping)) if mapping else {}
        self._references = {f.name for f in entry.references()}
        self._of_deletes = [f.name for f in entry.fields if f.of_deletes]
        self._time = next((f.name for f in entry.fields if f.analytics == "timestamp"), "")
        self._found_nothing: dict[str, int] = {}
        self._routing = Routing(entry, operation, routes, self.mapped)

    def change(self, data: dict[str, Any]) -> Change:
        """Return the change a record asks for.

        Raises:
            RejectedError: the record cannot be written as it is; the text names object, key and reason.
        """
        native = self._is_native(data)
        layout = self.layouts.of(data, native=native)
        draft = _Draft(dict(self._constants))
        draft.problem = layout.problem
        for target in layout.targets:
            value = data[target.column]
            if target.is_plain and _is_sent_as_it_is(value):
                draft.open_values[target.name] = value
                continue
            try:
                self._take(target, value, draft)
            except MemoryError:
                raise
            except Exception as error:  # whatever a value does to our code, it is only this record's
                problem = f"{target.name} {problem_of(error)}"
                draft.note(problem, of_delete=target.name in self._of_deletes)
        for place, name in layout.cleared:
            (draft.fields if place == "field" else draft.open_values).setdefault(name, None)
        if draft.merged or self._constant_traits:
            draft.open_values = {**draft.merged, **draft.open_values, **self._constant_traits}
        is_deleted = self._is_deleted(data, layout, draft)
        is_archived = bool(layout.archived) and not _is_blank(data[layout.archived])
        operation = "delete" if is_deleted or is_archived else self._operation
        if is_archived and not self._rules.allow_deletes:
            raise SkippedError(
                "are archived where they were read; with Allow deletes (allow_deletes) they are archived here as well"
            )
        if not native or self._operation not in ("create", "upsert"):
            return self._checked(draft, operation)
        origin, is_unsure = self._as_copy(draft.fields)
        if operation != "delete":
            self._check_copy(draft, origin)
        return self._checked(draft, operation)._replace(origin=origin, is_unsure=is_unsure)

    def _check_copy(self, draft: _Draft, origin: str) -> None:
        """Raise what says why there can be no copy of a row that was read from Vitally."""
        field = self.entry.field(self._routing.never_met(draft.fields, self._operation))
        if field and field.name == "externalId":
            raise RejectedError(f"{label_of(self.entry, draft.fields)}: {_NO_ID}")
        if field and not field.is_id and not draft.problem and field.name not in draft.lost:
            raise SkippedError(f"have no {field.name}, without which Vitally takes none", origin)

    def _is_native(self, data: dict[str, Any]) -> bool:
        return is_native(data) if self.are_vitallys is None else self.are_vitallys

    def _as_copy(self, fields: dict[str, Any]) -> tuple[str, bool]:
        """Identify a row that was read from Vitally by what has a meaning in another workspace, where it has that.

        Returns Vitally's id of the row there, and whether nothing else was given that identifies it.
        """
        own, yours = fields.get("id") or "", fields.get("externalId")
        if own and not yours and self._copies:
            fields["externalId"] = COPIED + own
        by = self.entry.copied_by
        if own and (fields.get("externalId") or (by and not lacking(fields, by.fields))):
            del fields["id"]
        return own, "id" not in fields and bool(own) and not yours

    def layouts_of(self, columns: Iterable[str]) -> list[Layout]:
        """Return the layouts that rows with some columns may have: as yours, as Vitally's, or either."""
        known = self.are_vitallys
        return [self.layouts.of(columns, native=native) for native in ((False, True) if known is None else (known,))]

    def may_use_rest(self, columns: Iterable[str]) -> bool:
        """Tell whether a row with some columns might be written or deleted by REST."""
        layouts = self.layouts_of(columns)
        names = {target.name for layout in layouts for target in layout.targets}
        may_delete = self._rules.allow_deletes and bool(layouts[0].deletions or not names)
        return (may_delete and self._routing.may_use_rest("delete", None)) or self._routing.may_use_rest(
            self._operation, names or None, clears=self._rules.clear_nulls
        )

    def _is_deleted(self, data: dict[str, Any], layout: Layout, draft: _Draft) -> bool:
        """Tell whether a record says that its row was deleted: by a time, since deletes cannot be undone."""
        is_deleted = False
        for column in layout.deletions:
            try:
                when = None if _is_blank(data[column]) else times.date_time(data[column])
            except ValueError:
                when = times.NEVER
            if when is times.NEVER or (when and not times.plausible(when)):
                kind = casts.kind_of(data[column])
                draft.mark = f"{column} must be empty, or the time of the delete (1990 to 2100); it is {kind}"
            is_deleted = is_deleted or bool(when)
        if column := next((column for column in layout.schedules if not _is_blank(data[column])), ""):
            draft.schedule = f"{column} is given, and Vitally can delete nothing but users later"
        return is_deleted

    def identity(self, data: dict[str, Any]) -> tuple[str, ...] | None:
        """Return what identifies the row of a record, whatever is wrong with the rest; None if that is wrong."""
        native = self._is_native(data)
        layout = self.layouts.of(data, native=native)
        draft = _Draft(dict(self._constants))
        keys = {name for key in self.entry.keys for name in key.fields}
        try:
            for target in layout.targets:
                value = member(data[target.column], target.path)
                if target.name in keys and target.place in ("field", "default"):
                    if not is_unavailable(value):
                        self._place(target, value, draft)
                    elif isinstance(value, Lost):
                        draft.lost[target.name] = value
            if native:
                self._as_copy(draft.fields)
        except MemoryError:
            raise
        except Exception:
            return None
        return None if layout.problem or self._lost_key(draft) else identity_of(self.entry, draft.fields)

    def _lost_key(self, draft: _Draft) -> str:
        """Return what is wrong with the key that would tell the row, if a part of it did not survive its way."""
        for key in self.entry.keys:
            if lost := [name for name in key.fields if name in draft.lost]:
                return f"{lost[0]} {draft.lost[lost[0]]}"
            if not lacking(draft.fields, key.fields):
                break
        return ""

    def _note_path(self, target: Target, value: Any) -> None:
        """Count the first rows in which a path of the mapping finds nothing; once there are many, the log says so."""
        path = ".".join((target.column, *target.path))
        count = self._found_nothing.setdefault(path, 0)
        if value is not None:
            self._found_nothing[path] = FIRST_ROWS
        elif count < FIRST_ROWS:
            self._found_nothing[path] = count + 1
            if count + 1 == FIRST_ROWS:
                logger.warning(_FINDS_NOTHING, self.entry.name, path, FIRST_ROWS)

    def _take(self, target: Target, value: Any, draft: _Draft) -> None:
        """Put what is at the path of a target where it goes, unless a pipeline does not know it; raises as `_place`."""
        if target.path:
            value = member(value, target.path)
            self._note_path(target, value)
        if not is_unavailable(value):
            self._place(target, value, draft)
        elif isinstance(value, Lost) and target.place not in ("open", "merged"):
            draft.lost[target.name] = value
            if target.place == "message" or target.name in self._references:
                raise ValueError(value)
        elif target.name in self._of_deletes:
            raise ValueError("did not come along: the pipeline sends a mark in its place")

    def _place(self, target: Target, value: Any, draft: _Draft) -> None:
        """Put the value of a column where it goes; raises ValueError when it is not of the type it must have."""
        if value is TOO_DEEP:
            raise ValueError("is nested too deeply")
        if value is not None:
            is_given = target.name in self._of_deletes and not _is_blank(value)
            value = self.layouts.read(target.read, value, target.column)
            if is_given and value is None:
                raise ValueError("must be a day or a time; the value is a number that is none")
        if target.place == "merged":
            self._merge(target, value, draft)
            return
        into = draft.message if target.place == "message" else draft.fields
        into = draft.open_values if target.place == "open" else into
        if value is None:
            if target.clears:
                into.setdefault(target.name, None)
        elif target.place != "default" or into.get(target.name) is None:
            into[target.name] = value

    def _merge(self, target: Target, value: Any, draft: _Draft) -> None:
        """Take the members of an object of traits; anything else is a trait of that name."""
        members = value if isinstance(value, dict) else {} if value is None else {target.name: value}
        draft.merged.update((k, v) for k, v in members.items() if v is not None or target.clears)

    def _checked(self, draft: _Draft, operation: Operation) -> Change:
        entry, fields = self.entry, draft.fields
        label = label_of(entry, fields)
        draft.mark = self._lost_key(draft) or draft.mark
        sent_at, message_id = draft.message.get("timestamp") or "", draft.message.get("messageId") or ""
        if operation == "delete":
            if not draft.mark:
                self._check_delete(label)
        elif self._of_deletes:
            self._routing.log_once(_ONLY_IN_DELETES, [name for name in self._of_deletes if fields.pop(name, None)])
        problem = draft.mark or (draft.schedule if operation == "delete" else draft.problem)
        if problem := problem or self._problem_of_times(fields, sent_at):
            raise RejectedError(f"{label}: {problem}")
        route = self._routing.choose(operation, fields, label, in_message=bool(sent_at or message_id))
        if entry.exactly_one and operation == "create":
            given = [name for name in entry.exactly_one if fields.get(name) not in (None, "")]
            if len(given) != 1:
                raise RejectedError(f"{label}: exactly one of {', '.join(entry.exactly_one)} must be given")
        if isinstance(route, RestRoute):
            sent_at = message_id = ""
        return Change(entry, operation, route, label, fields, draft.open_values, sent_at, message_id)

    def _problem_of_times(self, fields: dict[str, Any], sent_at: str) -> str:
        """Return what is wrong with the time of a message or of a scheduled delete, or nothing."""
        when = sent_at or (self._time and fields.get(self._time))
        if when and not times.plausible(when):
            return "timestamp must be between 1990 and 2100"
        if when and times.seconds_of(when) > self._rules.now() + AHEAD:
            return "timestamp is more than a day ahead of now: Vitally would keep it as the newest until then"
        for name in self._of_deletes:
            if fields.get(name) and times.seconds_of(fields[name]) <= self._rules.now():
                return f"{name} must be in the future; leave it empty to delete at once"
        return ""

    def _check_delete(self, label: str) -> None:
        if "delete" not in self.entry.operations:
            if self._rules.skips_deletes:
                raise SkippedError(DELETES_SKIPPED)
            raise RejectedError(f"{label}: Vitally has no way to delete it")
        if not self._rules.allow_deletes:
            raise RejectedError(f"{label}: deletes are switched off; set Allow deletes (allow_deletes) to allow them")
        if "delete" not in self._routing:
            needed = self.entry.operations["delete"][0].needs
            raise RejectedError(f"{label}: deleting needs the {setting(needed)}")

    def never_given(self, given: Iterable[str], operation: Operation) -> str:
        """Return the requirement that rows cannot meet which have no other fields than `given`; empty when they can."""
        fields = {**{name: name for name in given}, **self._constants}  # any value will do
        return self._routing.never_met(fields, operation)


def _is_sent_as_it_is(value: Any) -> bool:
    """Tell whether a trait of no known type is what its column is: neither a marker of a pipeline nor rounded."""
    kind = type(value)
    if kind is str:
        return not is_unavailable(value)
    return kind is bool or kind is float or (kind is int and -EXACT_UP_TO < value < EXACT_UP_TO)


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _constants(entry: Object, mapping: StreamMapping) -> Iterator[tuple[str, Any]]:
    for line in mapping.constants:
        field = entry.field(line.field)
        if field:
            cast: Any = Kind.TEXT if field.is_id else None
            with _named(line.field):
                yield line.field, _fixed(casts.of_field(field, cast=cast, zone=mapping.zone), line.value)


def _constant_traits(layouts: Layouts, mapping: StreamMapping) -> Iterator[tuple[str, Any]]:
    for line in mapping.constant_traits:
        with _named(line.trait):
            yield line.trait, _fixed(layouts.trait_reader(line.trait, "", line.cast), line.value)


def _fixed(read: casts.Read, value: str) -> Any:
    found = read(value)
    if found is times.NEVER:
        raise ValueError("is no time between 1990 and 2100")
    return found


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"the fixed value of {name} {error}") from None
