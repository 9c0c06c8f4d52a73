"""What an entry of the table of objects is made of; the table itself is in `table.py`.

An object is something Vitally lets one write. Each of its operations names the ways ("routes") to do it, the
preferred first: a batch of the Analytics API, or the REST API. Nothing here moves data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any, Literal

from vitally_api import traits

Kind = traits.Kind
"""The types of fields' values."""

Operation = Literal["create", "upsert", "update", "delete"]
OPERATIONS: tuple[Operation, ...] = ("create", "upsert", "update", "delete")

Requirement = str | tuple[str, ...]
"""The name of a field that must have a value, or several of which one must."""


class _Unset(Enum):
    UNSET = "unset"


UNSET = _Unset.UNSET
"""No value is known; None is one."""


def names(words: str) -> frozenset[str]:
    """Return the set of the words of a text: a table of names that stays readable."""
    return frozenset(words.split())


class Directory(Enum):
    """Things that people know by email or name, not by Vitally's id: what they are called, where they are listed.

    `stream` is that of the source in which a row of each arrives.
    """

    title: str
    path: str
    stream: str
    is_searched: bool

    ADMIN = ("team member", "/admins", "admins", True)
    USER = ("user", "/users", "", True)
    NOTE_CATEGORY = ("note category", "/noteCategories", "note_categories", False)
    TASK_CATEGORY = ("task category", "/taskCategories", "task_categories", False)
    PROJECT_CATEGORY = ("project category", "/projectCategories", "project_categories", False)
    PROJECT_TEMPLATE = ("project template", "/projectTemplates", "project_templates", False)
    PROJECT_STATUS = ("project status", "/projects", "", False)
    """Nothing lists them: they are known from the projects that have one."""

    def __new__(cls, title: str, path: str, stream: str, is_searched: bool) -> Directory:
        """`is_searched` things are found by email below the path; else it is a list of all, with names."""
        made = object.__new__(cls)
        made._value_ = made.title = title
        made.path, made.stream, made.is_searched = path, stream, is_searched
        return made

    @property
    def other_name(self) -> str:
        """What may be given instead of Vitally's id."""
        return "email" if self.is_searched else "name"


@dataclass(frozen=True)
class Field:
    """One field of an object.

    Attributes:
        name: what REST calls it.
        kind: the type of its values.
        analytics: its name in an Analytics message, with `traits.` in front when it travels among the traits; None
            means that only REST takes the field.
        refers: the object whose id this is. Records give your id (or Vitally's), the Analytics API gets yours, REST
            gets Vitally's.
        inlined: the column in which rows read from Vitally carry that object itself, or what `directory` lists.
        aliases: other names that mean the field.
        otherwise: what another page of Vitally calls it in a new row; tried where the first name is refused.
        create_only: whether an update does not take it.
        in_body: whether REST takes it in the body at all.
        default: what is sent when a row is created without the field.
        initial: the value that a new row has in Vitally anyway. A field that only REST takes may be left out of a
            batch when it has this value.
        description: what a person who maps columns has to know.
        directory: where the id is found when an email or a name is given instead.
        stands_for: the reference field in whose place the email of a user may be given here.
        mentions: the object whose rows the value names by your ids or emails, for Vitally to find: the value itself, or
            members of its entries called userId (for a user) and email.
        holds_people: whether there are people in the value, each with type and id, or externalId or email as id.
        is_html: whether it is HTML, of which Vitally keeps what `vitally_api.markup` says.
        elsewhere: what other vendors call it; only named in warnings of columns that are left out.
        is_named: whether it is taken only where a mapping names it, since columns of its name mean something else.
        clear_only: whether Vitally lets it be cleared, and not set.
        of_deletes: whether it is a field of deletes and of nothing else.
        entries: the object whose fields the entries of the value have.
    """

    name: str
    kind: Kind = Kind.TEXT
    analytics: str | None = None
    refers: str | None = None
    inlined: str | None = None
    aliases: tuple[str, ...] = ()
    otherwise: str = ""
    create_only: bool = False
    in_body: bool = True
    default: Any = None
    initial: Any = UNSET
    description: str = ""
    directory: Directory | None = None
    mentions: str = ""
    holds_people: bool = False
    stands_for: str = ""
    is_html: bool = False
    elsewhere: frozenset[str] = frozenset()
    is_named: bool = False
    clear_only: bool = False
    of_deletes: bool = False
    entries: str = ""

    @cached_property
    def is_id(self) -> bool:
        """Whether the values identify one thing among all others; the name says so throughout Vitally's APIs."""
        return self.kind in (Kind.TEXT, Kind.TEXTS) and (
            self.name in ("id", "email") or self.name.endswith(("Id", "Ids")) or bool(self.stands_for)
        )


class Lookup(Enum):
    """How a row is looked up, to learn Vitally's id of it."""

    BY_PATH = "by path"  # GET /things/{externalId}
    SEARCH = "search"  # GET /things/search?externalId=, a bare array
    IN_PARENT = "in parent"  # the lists below the account or organization of the row
    NEWEST = "newest"  # the newest rows of GET /things
    BY_EMAIL = "by email"  # GET /things/search?email=


@dataclass(frozen=True)
class Key:
    """What identifies one row of an object among all others.

    Attributes:
        by: the field whose value identifies the row, or the fields whose values together do.
        in_path: whether REST takes the value in the path of the row.
        any_case: whether values that differ in nothing but their case mean the same row.
        documented: whether a page of Vitally says so; where none does, a miss proves nothing.
        lookups: the ways to look the row up by this key, the preferred first.
    """

    by: str | tuple[str, ...]
    in_path: bool = False
    any_case: bool = False
    documented: bool = True
    lookups: tuple[Lookup, ...] = ()

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields."""
        return (self.by,) if isinstance(self.by, str) else self.by


class Verb(Enum):
    """What a REST route does: POST to the collection, the others to the row; POST where a row is not there."""

    POST = "POST"
    PUT = "PUT"
    PUT_OR_POST = "PUT or POST"
    FIND_OR_POST = "find then PUT or POST"
    DELETE = "DELETE"


@dataclass(frozen=True)
class BatchRoute:
    """A way over the Analytics API: messages of one type, sent in batches.

    Attributes:
        type: the type of the messages.
        requires: what every record must have.
        carries: the member of the message that takes columns which are no field.
    """

    type: str
    requires: tuple[Requirement, ...] = ()
    carries: Literal["traits", "properties"] | None = "traits"
    needs = "analytics_token"


@dataclass(frozen=True)
class RestRoute:
    """A way over the REST API: one row, one to a few requests.

    Attributes:
        verb: what is done.
        requires: what every record must have.
        to_create: what a record must have besides when the row is not there yet.
        repeatable: whether sending the same body (with its externalId, where the object has one) twice leaves what
            sending it once does.
    """

    verb: Verb
    requires: tuple[Requirement, ...] = ()
    to_create: tuple[Requirement, ...] = ()
    repeatable: bool = False
    needs = "secret_token"


Route = BatchRoute | RestRoute


@dataclass(frozen=True, eq=False)
class Object:
    """One entry of the table: something that Vitally lets one write.

    Attributes:
        name: what mappings and data activation call it.
        description: what it is, for the person who maps columns.
        fields: its fields.
        operations: the routes of each operation, the preferred first.
        streams: names of streams whose rows are of this object without being mapped.
        path: the REST collection; `{name}` stands for a field of the row.
        lists: what to ask `path` for to be shown all rows: a query for each part of them.
        item: one row of the collection when it is not below it; `{key}` stands for the row's id.
        read_path: where one row is read by its id, when not at its own path; None when nowhere.
        keys: what identifies a row; the first whose fields have values counts.
        model: what Vitally calls the object where it lists custom fields.
        open_member: where columns that are no field go; None when there is no such place.
        defined_traits: whether only traits can be written that an admin has defined in Vitally.
        resend_on_update: fields that REST empties when an update leaves them out.
        exactly_one: fields of which a new row must have exactly one.
        read_only: attributes of Vitally's own rows that cannot be written.
        written_after: objects that are written first, besides those the fields refer to.
        counts_once: whether a row that was already sent must not count a second time.
        kept_in: the reference field whose row in Vitally holds what rows of the object say, where they have none of
            their own.
        on_delete: what a delete does to a row; it is put before people who allow deletes.
        destroys_below: whether a delete destroys rows of other objects as well.
        can_merge: whether people can merge rows, so that an old id leads to another row.
        constants: members that every message has.
        copied_by: what the copy of a row of another workspace is known by, where rows have no id of yours.
    """

    name: str
    description: str
    fields: tuple[Field, ...]
    operations: Mapping[Operation, tuple[Route, ...]]
    streams: tuple[str, ...] = ()
    path: str = ""
    lists: tuple[str, ...] = ("",)
    item: str = ""
    read_path: str | None = ""
    keys: tuple[Key, ...] = ()
    model: str = ""
    open_member: Literal["traits", "properties"] | None = None
    defined_traits: bool = False
    resend_on_update: tuple[str, ...] = ()
    exactly_one: tuple[str, ...] = ()
    read_only: frozenset[str] = frozenset()
    written_after: tuple[str, ...] = ()
    counts_once: bool = False
    kept_in: str = ""
    on_delete: str = ""
    destroys_below: bool = False
    can_merge: bool = False
    constants: Mapping[str, str] = field(default_factory=dict)
    copied_by: Key | None = None

    def field(self, name: str) -> Field | None:
        """Return the field of that name, if the object has one."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {f.name: f for f in self.fields}

    def references(self) -> Iterator[Field]:
        """Yield the fields that hold ids of other objects."""
        return iter(self._references)

    @cached_property
    def _references(self) -> tuple[Field, ...]:
        return tuple(f for f in self.fields if f.refers)

    @cached_property
    def people(self) -> tuple[Field, ...]:
        """The fields in which people, or things by their names, may be given."""
        return tuple(f for f in self.fields if f.stands_for or f.directory or f.holds_people)

    @property
    def stand_ins(self) -> dict[str, str]:
        """The name of the field that may be given in the place of another, by the name of that other."""
        return {f.stands_for: f.name for f in self.fields if f.stands_for}

    def or_stand_ins(self, requirement: Requirement) -> Requirement:
        """Return a requirement that is also met by a field which stands for one that is required."""
        names = (requirement,) if isinstance(requirement, str) else requirement
        also = [self.stand_ins[name] for name in names if name in self.stand_ins]
        return (*names, *also) if also else requirement

    def matched_by(self, key: Key) -> Object:
        """Return the object with its rows identified by one of its `keys` alone; what needs another is left out."""
        others = {name for other in self.keys if other != key for name in other.fields}
        if not others:
            return self
        operations = {
            operation: tuple(r for r in routes if operation == "create" or others.isdisjoint(r.requires))
            for operation, routes in self.operations.items()
        }
        return replace(self, operations=operations, keys=(key,))

    def can_look_up(self, lookup: Lookup | None = None) -> bool:
        """Tell whether rows can be looked up: in one way, or in any."""
        found = {way for key in self.keys for way in key.lookups}
        return lookup in found if lookup else bool(found)

    @property
    def is_listed(self) -> bool:
        """Whether there is one list of all its rows, rather than one per parent or none."""
        return bool(self.path) and "{" not in self.path

    @property
    def item_path(self) -> str:
        """The path of one row."""
        return self.item or self.path + "/{key}"


PARENT = ("accountId", "organizationId")
"""The fields that name what most objects belong to; `unknown_parents` creates their rows."""
