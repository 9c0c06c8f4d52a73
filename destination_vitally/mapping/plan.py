"""What becomes of each stream of a connection, decided before the first record.

Three spellings say it, the first that applies wins: an entry of `mappings`; the `destination_object_name` and
sync mode of a data-activation connection; the name of the stream. Every mistake in them is found here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, NamedTuple, Protocol

from destination_vitally.config import Config, StreamMapping, setting
from destination_vitally.errors import ConfigError, ListError
from destination_vitally.mapping.checks import (
    assigned,
    canonical,
    check_columns,
    check_matching,
    check_messages,
    lacking,
    lacking_fields,
    matched,
    with_traits_as_known,
)
from destination_vitally.mapping.columns import folded, is_deletion
from destination_vitally.mapping.labels import CustomFields, Labels
from destination_vitally.mapping.layout import Types
from destination_vitally.mapping.mapper import Mapper, Rules
from destination_vitally.mapping.mirroring import (
    Mirror,
    check_together,
    explain_deletes,
    explain_truncation,
    mirror_of,
)
from destination_vitally.mapping.naming import PREFIX, object_of, object_of_stream, placed
from destination_vitally.objects.model import OPERATIONS, BatchRoute, Directory, Object, Operation, Route
from destination_vitally.objects.table import DIRECTORIES, rank
from destination_vitally.protocol import AirbyteStream, ConfiguredAirbyteStream
from vitally_api.names import STREAM_PREFIX

logger = logging.getLogger("airbyte")

StreamKey = tuple[str | None, str]
"""Namespace and name, as a catalog and a record give them."""

BY_SYNC_MODE: dict[str, Operation] = {
    "append": "create",
    "append_dedup": "upsert",
    "update": "update",
    "soft_delete": "delete",
}
"""What the sync mode of a data-activation connection means."""


class Definitions(Protocol):
    """The custom objects of a workspace, by what people and streams call them; raises ConfigError for unknown ones."""

    def named(self, name: str) -> str:
        """Return the id of the custom object of that id, machine name or label."""
        ...

    def of_stream(self, stream_name: str) -> str:
        """Return the id of the custom object that the source reads as the stream of that name."""
        ...

    def custom_fields(self, model: str, definition: str) -> CustomFields:
        """Return the custom fields of a model by their path; None when nobody can know. Raises ListError."""
        ...

    def traits(self, entry: Object) -> Collection[str]:
        """Return the traits that rows of an object have, as far as its newest page shows. Raises ListError."""
        ...


@dataclass(frozen=True)
class _Choice:
    """What the rows of a stream become, and the mapping that says so, if one does.

    `number` is that of the mapping, where the stream has several; `title` is what errors call it.
    """

    entry: Object
    operation: Operation
    mapping: StreamMapping | None
    number: int
    title: str
    directory: Directory | None = None
    only_ids: bool = False


class _Around(NamedTuple):
    """What all streams have in common: arguments of `build`."""

    config: Config
    definitions: Definitions
    now: Callable[[], float]
    is_check: bool


@dataclass(frozen=True, eq=False)
class StreamPlan:
    """One stream, or one entry of `mappings` for it: the object its records become, by which operation, and how."""

    namespace: str | None
    name: str
    entry: Object
    operation: Operation
    rank: int
    batched: bool
    """Whether records travel in batches; else each is a request."""
    mapper: Mapper
    sync_id: int = 0
    """The platform's number of the sync."""
    is_dated: bool = False
    """Whether its mapping says when each row was so: its rows are sent in the order of their times."""
    may_use_rest: bool = True
    """Whether any of its rows might be written or deleted by REST."""
    mirror: Mirror | None = None
    """How rows that Vitally has and the stream lacks are deleted, if they are."""
    directory: Directory | None = None
    """What its rows say the names of: they are looked up by these, and not written."""
    only_ids: bool = False
    """Whether its rows say nothing but which rows there are where they were read."""
    cursor_field: tuple[str, ...] = ()
    """Where records have what shows which of two rows of a key is the newer; nowhere: the one that arrives later."""
    number: int = 0
    """Which entry of `mappings` it is, from 1, where its stream has several; else 0."""
    lacks: str = ""
    """Which custom fields rows of another workspace have and its object here has not."""

    @property
    def key(self) -> StreamKey:
        """What the stream is called in a catalog."""
        return self.namespace, self.name

    @property
    def stream_title(self) -> str:
        """What messages call the stream."""
        return f"{self.namespace}.{self.name}" if self.namespace else self.name

    @property
    def title(self) -> str:
        """What messages call the stream and, if it has several, the entry."""
        return f"{self.stream_title}, entry {self.number}" if self.number else self.stream_title


def build(
    config: Config,
    streams: Iterable[ConfiguredAirbyteStream],
    definitions: Definitions,
    now: Callable[[], float] = time.time,
    *,
    is_check: bool = False,
) -> list[StreamPlan]:
    """Return the plan of every stream of a configured catalog, or those of its entries of `mappings` if it has several.

    Args:
        config: the settings.
        streams: of the catalog.
        definitions: the custom objects of the workspace.
        now: Vitally's clock, as far as it is known, in Unix seconds: what lies in the future is known by it.
        is_check: whether what may be a mistake, and breaks no sync, is an error.

    Raises:
        ConfigError: a stream matches no object, an object has no such operation, a token is missing, a
            mapping names a field or column that does not exist, rows cannot be matched by the chosen key, a
            custom object is not in the workspace, or missing rows may not be deleted.
    """
    plans: list[StreamPlan] = []
    around = _Around(config, definitions, now, is_check)
    streams, problems = list(streams), list[str]()
    mappings = assigned(config.mappings, [configured.stream for configured in streams])
    for configured in streams:
        stream = configured.stream
        entries: Mapping[int, StreamMapping | None] = mappings.get((stream.namespace, stream.name)) or {0: None}
        choices = [_choose(configured, one, n if len(entries) > 1 else 0) for n, one in entries.items()]
        try:
            choices = [_locate(choice, stream.name, definitions) for choice in choices]
        except ConfigError as error:
            problems.append(str(error))
            continue
        can_delete = any("delete" in choice.entry.operations for choice in choices)
        for choice in choices:
            plan = _compile(around, configured, choice, can_delete=can_delete)
            plans.append(plan)
            logger.info("Stream %s: %s %s", plan.title, plan.operation, plan.entry.name)
            explain_deletes(config, plan.title, plan.entry, plan.operation, _deletions(stream))
            explain_truncation(configured, plan.title, plan.mirror)
    if problems:
        raise ConfigError(" ".join([*problems, lacking(plan.lacks for plan in plans)]).strip())
    whole = {plan.entry.path for plan in plans if plan.only_ids and plan.mirror}
    others = (one for one in plans if one.mirror or not (one.mapper.are_vitallys and one.entry.path in whole))
    check_together((plan.title, plan.entry, plan.mirror) for plan in others)
    return plans


def _choose(configured: ConfiguredAirbyteStream, mapping: StreamMapping | None, number: int) -> _Choice:
    """Choose the object and the operation: by the mapping, else by data activation, else by the stream's name."""
    stream, title = configured.stream, _quoted_title(configured, number)
    mode = configured.destination_sync_mode.value
    asked: Operation | None = None
    if mapping:
        entry, asked = object_of(mapping.object, title), mapping.operation
    elif configured.destination_object_name:
        entry = object_of(configured.destination_object_name, title)
        asked = BY_SYNC_MODE.get(mode)
        if asked is None:
            raise ConfigError(
                f"{title}: sync mode {mode} is not possible, Vitally cannot be emptied. Choose append "
                "(create), append_dedup (upsert), update or soft_delete (delete)."
            )
    else:
        entry = object_of_stream(stream.name, title)
    if directory := next((one for one, of in DIRECTORIES.items() if of is entry), None):
        return _Choice(entry, "upsert", None, number, title, directory)
    only_ids = folded(stream.name) == folded(f"{entry.name}_ids")
    operation = "update" if only_ids else asked or _default_operation(entry, mode)
    if operation not in entry.operations:
        possible = ", ".join(o for o in OPERATIONS if o in entry.operations)
        raise ConfigError(f"{title}: {entry.name} has no {operation}; possible: {possible}")
    if configured.destination_object_name and not mapping and operation != "create":
        entry = matched(entry, configured.primary_key, title)
    return _Choice(entry, operation, mapping, number, title, only_ids=only_ids)


def _locate(choice: _Choice, stream_name: str, definitions: Definitions) -> _Choice:
    """Give a custom object its place: its instances are addressed by the id of their definition."""
    entry = choice.entry
    if not entry.name.startswith(PREFIX):
        return choice
    name = entry.name.removeprefix(PREFIX)
    by_stream = (STREAM_PREFIX + name).lower() == stream_name.lower()
    definition = _definition(definitions, name, stream_name if by_stream else "", is_named=bool(choice.mapping))
    return replace(choice, entry=placed(entry, definition))


def _definition(definitions: Definitions, name: str, stream_name: str, *, is_named: bool) -> str:
    """Return the id of a custom object: as a person calls it, else as the source calls its stream."""
    if not stream_name:
        return definitions.named(name)
    with suppress(ConfigError):
        if is_named:
            return definitions.named(name)
    return definitions.of_stream(stream_name)


def _compile(around: _Around, configured: ConfiguredAirbyteStream, choice: _Choice, *, can_delete: bool) -> StreamPlan:
    """Make the mapper that turns the records of the stream into changes; `can_delete` is of all its entries."""
    config, stream, title = around.config, configured.stream, choice.title
    entry, operation, mapping = choice.entry, choice.operation, choice.mapping
    custom_fields = cache(partial(_custom_fields, entry, operation, around.definitions))
    if mapping:
        if mapping.traits or mapping.constant_traits:
            labels = Labels(custom_fields(), cache(partial(_traits, entry, around.definitions)))
            mapping = with_traits_as_known(mapping, entry, labels, title, is_check=around.is_check)
        mapping = canonical(mapping, entry, title)
    schema = _columns(stream)
    check_columns(mapping, schema, title)
    routes = _routes(config, entry, operation, title, stream)
    if mapping:
        check_messages(mapping, routes[operation], title)
    rules = Rules(
        clear_nulls=((mapping and mapping.null_values) or config.null_values) == "clear",
        allow_deletes=config.allow_deletes,
        types=Types(custom_fields, schema),
        now=around.now,
        stream=stream.name,
        skips_deletes=can_delete and "delete" not in entry.operations,
    )
    try:
        mapper = Mapper(entry, operation, routes, mapping, rules)
    except ValueError as error:
        raise ConfigError(f"{title}: {error}") from None
    if not choice.only_ids and not choice.directory:
        check_matching(mapper, operation, schema, title)
    return StreamPlan(
        namespace=stream.namespace,
        name=stream.name,
        entry=mapper.entry,
        operation=operation,
        rank=rank(entry),
        batched=isinstance(routes[operation][0], BatchRoute),
        mapper=mapper,
        is_dated=operation == "upsert" and "timestamp" in mapper.mapped,
        may_use_rest=not isinstance(routes[operation][0], BatchRoute) or mapper.may_use_rest(schema),
        sync_id=configured.sync_id or 0,
        mirror=mirror_of(config, configured, entry, operation, choice.mapping),
        cursor_field=_cursor_field(configured),
        number=choice.number,
        directory=choice.directory,
        only_ids=choice.only_ids,
        lacks=lacking_fields(mapper, schema),
    )


def _cursor_field(configured: ConfiguredAirbyteStream) -> tuple[str, ...]:
    """Return the path of the cursor by which the newer of two rows of a key wins; of deduplicated streams alone."""
    if configured.destination_sync_mode.value != "append_dedup":
        return ()
    default = configured.stream.default_cursor_field if configured.stream.source_defined_cursor else None
    return tuple(configured.cursor_field or default or ())


def _quoted_title(configured: ConfiguredAirbyteStream, number: int) -> str:
    return f"stream '{configured.stream.name}'" + (f", entry {number} of Mappings" if number else "")


def _columns(stream: AirbyteStream) -> Mapping[str, Any]:
    columns = (stream.json_schema or {}).get("properties")
    return columns if isinstance(columns, dict) else {}


def _custom_fields(entry: Object, operation: Operation, definitions: Definitions) -> CustomFields:
    if not entry.model or operation == "delete":
        return None
    try:
        return definitions.custom_fields(entry.model, entry.constants.get("customObjectId", ""))
    except ListError as error:
        logger.warning("Custom fields of %s are not known, so traits are written as they are: %s", entry.name, error)
        return None


def _traits(entry: Object, definitions: Definitions) -> Collection[str]:
    try:
        return () if entry.defined_traits else definitions.traits(entry)
    except ListError as error:
        logger.warning("Plain traits of %s are not known, so a label means a custom field: %s", entry.name, error)
        return ()


def _deletions(stream: AirbyteStream) -> list[str]:
    return [column for column in _columns(stream) if is_deletion(column)]


def _default_operation(entry: Object, sync_mode: str) -> Operation:
    """Upsert where the object has it; but who asks for updates or deletes must not get anything else."""
    if sync_mode in ("update", "soft_delete"):
        return BY_SYNC_MODE[sync_mode]
    return "upsert" if "upsert" in entry.operations else "create"


def _routes(
    config: Config, entry: Object, operation: Operation, title: str, stream: AirbyteStream
) -> dict[Operation, tuple[Route, ...]]:
    """The routes that the configured tokens allow: of the operation, and of deletes where there is one."""
    found: dict[Operation, tuple[Route, ...]] = {}
    for wanted in (operation, "delete"):
        if routes := usable(entry, wanted, config.tokens):
            found[wanted] = routes
    deletes = config.allow_deletes and _deletions(stream)
    for wanted in (operation, *(("delete",) if deletes and "delete" in entry.operations else ())):
        if wanted not in found:
            needed = entry.operations[wanted][0].needs  # the other key is there, as one must be
            raise ConfigError(f"{title}: to {wanted} {entry.name}, the {setting(needed)} is needed")
    return found


def usable(entry: Object, operation: Operation, tokens: frozenset[str]) -> tuple[Route, ...]:
    """Return the routes of an operation for which there is a key."""
    return tuple(route for route in entry.operations.get(operation, ()) if route.needs in tokens)
