"""What an entry of the table of objects is made of; the table itself is `objects.py`.

An object is something Vitally lets one write. Each of its operations names the ways ("routes") to do it, the
preferred first: a message of the Analytics API, or a call of the REST API. Nothing here moves data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Literal

Operation = Literal["create", "upsert", "update", "delete"]
OPERATIONS: tuple[Operation, ...] = ("create", "upsert", "update", "delete")

Requirement = str | tuple[str, ...]
"""The name of a field that must have a value, or several of which one must."""

Key = tuple[str, ...]
"""The fields that together tell one row from all others."""


class Kind(Enum):
    """The type of a field's value."""

    TEXT = "text"
    NUMBER = "a number"
    SCORE = "a whole number from 0 to 10"
    FLAG = "true or false"
    MOMENT = "a date-time"
    DAY = "a date"
    TEXTS = "a list of texts"
    LIST = "a list"
    OBJECT = "an object"


def names(words: str) -> frozenset[str]:
    """The set of the words of a text: a table of names that stays readable."""
    return frozenset(words.split())


@dataclass(frozen=True)
class Field:
    """One field of an object, under the name REST has for it.

    `refers` names the object whose id this is: records give your id (or Vitally's), the Analytics API gets
    yours, REST gets Vitally's. `inlined` is the column in which rows read from Vitally carry that object
    itself. `analytics` is the name in an Analytics message, with `traits.` in front when it travels among the
    traits; None means that only REST takes the field. `create_only` fields are not in the body of an
    update, `default` is sent when a row is created without the field.
    """

    name: str
    kind: Kind = Kind.TEXT
    analytics: str | None = None
    refers: str | None = None
    inlined: str | None = None
    aliases: tuple[str, ...] = ()
    create_only: bool = False
    in_body: bool = True
    default: Any = None
    description: str = ""


class Find(Enum):
    """How a row is looked up, to learn Vitally's id of it."""

    BY_PATH = "GET /things/{externalId}"
    SEARCH = "GET /things/search?externalId=, a bare array"
    IN_PARENT = "the lists below the account or organization of the row"
    NEWEST = "the newest rows of GET /things"
    BY_EMAIL = "GET /things/search?email="

    @property
    def by(self) -> str:
        """The field whose value is looked for."""
        return "email" if self is Find.BY_EMAIL else "externalId"


class Verb(Enum):
    """What a REST route does."""

    POST = "POST to the collection"
    PUT = "PUT to the row"
    PUT_OR_POST = "PUT to the row, POST when it is not there"
    FIND_OR_POST = "look the row up, then PUT or POST"
    DELETE = "DELETE the row"


@dataclass(frozen=True)
class Message:
    """A route over the Analytics API: messages of one type, sent in batches. `carries` is its open member."""

    type: str
    requires: tuple[Requirement, ...] = ()
    carries: Literal["traits", "properties"] | None = "traits"
    needs = "analytics_token"


@dataclass(frozen=True)
class Call:
    """A route over the REST API.

    `requires` holds for every record of the operation; `to_create` only when the row is not there yet.
    `repeatable` says that sending the same body (with its externalId, where the object has one) twice leaves
    what sending it once does.
    """

    verb: Verb
    requires: tuple[Requirement, ...] = ()
    to_create: tuple[Requirement, ...] = ()
    repeatable: bool = False
    needs = "secret_token"


Route = Message | Call


@dataclass(frozen=True, eq=False)
class Object:
    """One entry of the table.

    `path` is the REST collection (`{name}` stands for a field of the row), `item` one row of it (`{key}`
    stands for the row's id), `lookup` where one is read by its id if not there, or None. `addresses` are the
    ids `item` takes, the preferred first; one in `unproven` is promised by no vendor page, so a miss there
    proves nothing. `finds` are the ways to look a row up. `keys` are what tells one row from another; the first
    whose fields have values counts. `model` is what Vitally calls the object where it lists custom fields; with
    `defined_traits` only those can be written. `complete` names fields that REST empties when an update leaves
    them out. `read_only` are attributes of Vitally's own rows that cannot be written. `free` is where columns
    that are no field go. `once` says that a row already sent must not count a second time. `after` names objects
    to write first besides those the fields refer to. `on_delete` says what a delete does to a row; it is put
    before people who allow deletes.
    """

    name: str
    fields: tuple[Field, ...]
    operations: Mapping[Operation, tuple[Route, ...]]
    description: str = ""
    streams: tuple[str, ...] = ()
    path: str = ""
    item: str = ""
    lookup: str | None = ""
    addresses: tuple[str, ...] = ("externalId", "id")
    unproven: frozenset[str] = frozenset()
    finds: tuple[Find, ...] = (Find.BY_PATH,)
    keys: tuple[Key, ...] = (("externalId",), ("id",))
    model: str = ""
    defined_traits: bool = False
    complete: tuple[str, ...] = ()
    exactly_one: tuple[str, ...] = ()
    read_only: frozenset[str] = frozenset()
    free: Literal["traits", "properties"] | None = "traits"
    after: tuple[str, ...] = ()
    once: bool = False
    on_delete: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)

    def field(self, name: str) -> Field | None:
        """The field of that name, if the object has one."""
        return next((f for f in self.fields if f.name == name), None)

    def references(self) -> Iterator[Field]:
        """The fields that hold ids of other objects."""
        return (f for f in self.fields if f.refers)

    def matched_by(self, key: Key) -> Object:
        """The object with its rows told by one of its `keys` alone; what demands another key is left out."""
        if len(self.keys) < 2:
            return self
        others = {name for other in self.keys if other != key for name in other}
        operations = {
            operation: tuple(r for r in routes if operation == "create" or others.isdisjoint(r.requires))
            for operation, routes in self.operations.items()
        }
        return replace(
            self,
            operations=operations,
            keys=(key,),
            addresses=tuple(name for name in self.addresses if name in key),
            finds=tuple(way for way in self.finds if way.by in key),
        )

    @property
    def told_by(self) -> tuple[str, ...]:
        """The fields each of which says by itself which row is meant."""
        return tuple(name for key in self.keys if len(key) == 1 for name in key)

    @property
    def item_path(self) -> str:
        return self.item or self.path + "/{key}"


# What many entries of the table share.
ROW = names("id createdAt updatedAt archivedAt")
"""Attributes that nearly every row read from Vitally has and that nobody can write."""

ID = Field("id", in_body=False, description="Vitally's own id")
EXTERNAL_ID = Field("externalId", create_only=True, description="Your id")
NAME = Field("name")
PARENT = ("accountId", "organizationId")
PUT = Call(Verb.PUT)
PUT_BY_ID = Call(Verb.PUT, requires=("id",))
"""The last resort of an upsert: a row without externalId can be changed, but not made."""

DELETE = Call(Verb.DELETE)
