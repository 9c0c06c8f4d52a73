"""How a resource of the REST API is described, and the parts several descriptions share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from integration_tests.sandbox.wire.messages import Row


@dataclass(frozen=True)
class Inline:
    """A served attribute holding other rows whole: one or (`many`) a list.

    `source` is the attribute of this row that holds their ids; for a `child`, theirs that holds this row's.
    """

    name: str
    table: str
    source: str
    many: bool = False
    child: bool = False


@dataclass(frozen=True)
class Writing:
    """The rules of POST and PUT. An attribute named in neither `create` nor `update` cannot be written."""

    required: tuple[str, ...]
    create: tuple[str, ...]
    update: tuple[str, ...]
    one_of: tuple[str, ...] = ()
    """At least one of these must be given on create."""
    only_one: bool = False
    references: Mapping[str, str] = field(default_factory=dict)
    """Attributes that hold Vitally ids, and of what."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """What the value of an attribute must be, where it is not a text."""
    html: tuple[str, ...] = ()
    traits_model: str | None = None
    """The custom-field model the trait keys must belong to; None = any key."""
    post_existing: str = "duplicate"
    """POST with a known externalId: `update`, `duplicate`, or the name of the switch that decides."""


@dataclass(frozen=True)
class Resource:
    name: str
    operations: frozenset[str]
    attributes: Mapping[str, Any]
    """Every stored and served attribute with its default."""
    state: Callable[[Row], tuple[str, ...]]
    """The states a row is in; a list shows the rows of some states."""
    under: Mapping[str, str] = field(default_factory=dict)
    """Parents whose path lists these rows too, and the attribute that holds the parent's id(s)."""
    scopes: tuple[str, ...] = ()
    """Further id attributes by which rows are looked up."""
    filters: tuple[str, ...] = ()
    under_filters: tuple[str, ...] = ()
    sort_documented: bool = True
    inlines: tuple[Inline, ...] = ()
    detail_inlines: tuple[Inline, ...] = ()
    """Served by GET of one row only."""
    hidden: tuple[str, ...] = ()
    """Stored and never served. Every row is stored with `id`, `createdAt` and `updatedAt`."""
    ids: Literal["id", "either", "source"] = "id"
    """What `:id` takes: a Vitally id, also an externalId, or an externalId only together with `?source=`."""
    delete: Literal["hard", "soft", "switch"] = "hard"
    delete_ids: Literal["id", "either"] = "id"
    writing: Writing | None = None

    @property
    def scope_fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.under.values(), *self.scopes)))


def names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def attributes(nullable: str, **defaults: Any) -> dict[str, Any]:
    return {**dict.fromkeys(nullable.split()), **defaults}


def always(_: Row) -> tuple[str, ...]:
    return ("live",)


def archive_state(row: Row) -> tuple[str, ...]:
    return ("archived",) if row.get("archivedAt") else ("live",)


def account_state(row: Row) -> tuple[str, ...]:
    if row.get("untracked"):
        return ("untracked",)
    return ("churned",) if row.get("churnedAt") else ("active",)


def organization_state(row: Row) -> tuple[str, ...]:
    return ("untracked",) if row.get("untracked") else ("live",)


def nps_state(row: Row) -> tuple[str, ...]:
    return tuple(row.get("targets") or ("unassigned",))


STATES = ("live", "archived", "active", "churned", "untracked", "accounts", "organization", "unassigned")
STAMPS = ("createdAt", "updatedAt")
READ = frozenset({"list", "get"})
WRITE = frozenset({"create", "update", "delete"})
PARENTS = {"accounts": "accountId", "organizations": "organizationId"}
PARENT_LISTS = {"accounts": "accountIds", "organizations": "organizationIds"}
PARENT_ROWS = (
    Inline("account", "accounts", "accountId"),
    Inline("organization", "organizations", "organizationId"),
)
PARENT_LIST_ROWS = (
    Inline("accounts", "accounts", "accountIds", many=True),
    Inline("organizations", "organizations", "organizationIds", many=True),
)
PARENT_TABLES = {"accountId": "accounts", "organizationId": "organizations"}
NPS_COUNTS: dict[str, Any] = dict.fromkeys(names("npsDetractorCount npsPassiveCount npsPromoterCount"), 0)
