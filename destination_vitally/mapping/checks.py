"""Which mapping is for which stream, and what is wrong with it or with the columns: before the first record."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import combinations
from typing import Any

from destination_vitally.config import ConstantEntry, FieldEntry, StreamMapping, TraitEntry
from destination_vitally.errors import ConfigError
from destination_vitally.mapping.columns import AmbiguousError, Columns, below, folded, is_loader_column
from destination_vitally.mapping.labels import PLAIN, Labels
from destination_vitally.mapping.mapper import Mapper
from destination_vitally.objects.model import BatchRoute, Field, Object, Operation, Route
from destination_vitally.objects.table import MESSAGE_FIELDS
from destination_vitally.protocol import AirbyteStream
from vitally_api.traits import CustomField

logger = logging.getLogger("airbyte")

NAMED = 50
"""How many columns or custom fields an error lists."""

_OF_CUSTOM_FIELDS = "vitally.custom."
"""What the paths of custom fields begin with; any other trait comes into being by being written."""


def assigned(
    mappings: Iterable[StreamMapping], streams: list[AirbyteStream]
) -> dict[tuple[str | None, str], dict[int, StreamMapping]]:
    """Return the mappings of each stream that has some, by namespace and name: each by its number, counted from one.

    A name that differs from the stream's in nothing but case and underscores is taken for it, and the log says so.
    Where mappings have the namespace of a stream, those without one are not for it.

    Raises:
        ConfigError: two mappings of one stream are the same, or one could be for several streams.
    """
    found: dict[tuple[str | None, str], dict[int, StreamMapping]] = {}
    for number, mapping in enumerate(mappings, start=1):
        for stream in _streams_of(mapping, streams):
            found.setdefault((stream.namespace, stream.name), {})[number] = mapping
    return {key: _unlike(key[1], candidates) for key, candidates in found.items()}


def _streams_of(mapping: StreamMapping, streams: list[AirbyteStream]) -> list[AirbyteStream]:
    within = [s for s in streams if mapping.namespace in (None, s.namespace)]
    exact = [s for s in within if s.name == mapping.stream]
    alike = [s for s in within if folded(s.name) == folded(mapping.stream)]
    names = sorted({s.name for s in alike})
    if exact:
        return exact
    if len(names) > 1:
        raise ConfigError(
            f"The mapping of stream '{mapping.stream}' could be for {' or '.join(map(repr, names))}: write the name of "
            "the one you mean."
        )
    if names:
        logger.warning("The mapping of stream '%s' is taken for stream '%s'.", mapping.stream, names[0])
    else:
        known = ", ".join(sorted({s.name for s in streams})) or "none"
        logger.warning(
            "There is a mapping for stream '%s', which is not in the connection. Streams: %s", mapping.stream, known
        )
    return alike


def _unlike(stream: str, candidates: dict[int, StreamMapping]) -> dict[int, StreamMapping]:
    chosen = {number: mapping for number, mapping in candidates.items() if mapping.namespace} or candidates
    for one, other in combinations(chosen, 2):
        if chosen[one].model_copy(update={"stream": chosen[other].stream}) == chosen[other]:
            raise ConfigError(f"stream '{stream}': entries {one} and {other} of Mappings are the same; leave one")
    return chosen


def canonical(mapping: StreamMapping, entry: Object, title: str) -> StreamMapping:
    """Return a mapping under the names of the object's fields, which it may also call by their other names.

    Raises:
        ConfigError: a field does not exist or is named twice; the object has no traits.
    """
    fields = [(_field(line.field, entry, title).name, line) for line in mapping.fields]
    constants = [(_field(line.field, entry, title, in_messages=False).name, line) for line in mapping.constants]
    named = [(name, line.field) for name, line in fields] + [(name, line.field) for name, line in constants]
    for name in dict.fromkeys(_twice(name for name, _ in named)):
        spellings = list(dict.fromkeys(spelled for known, spelled in named if known == name))
        also = f" ({' and '.join(spellings)})" if len(spellings) > 1 else ""
        where = (
            "in Fields and in Fixed values (constants)"
            if name in dict(fields) and name in dict(constants)
            else "mapped twice"
        )
        raise ConfigError(f"{title}: {name}{also} is {where}; leave one")
    traits = _traits(mapping)
    if traits and entry.open_member is None:
        raise ConfigError(f"{title}: {entry.name} has no traits")
    for trait in _twice(traits):
        raise ConfigError(f"{title}: trait '{trait}' is mapped twice; leave one")
    for field in entry.fields:
        if (field.analytics or "").startswith("traits.") and (trait := str(field.analytics)[7:]) in traits:
            raise ConfigError(
                f"{title}: trait '{trait}' would overwrite the field {field.name} of {entry.name}. Map the column to "
                f"{field.name} in Fields, or to a trait of another name"
            )
    return mapping.model_copy(update={"fields": _renamed(fields), "constants": _renamed(constants)})


def check_columns(mapping: StreamMapping | None, schema: Mapping[str, Any], title: str) -> None:
    """Check that each mapped column is one the stream has, as far as its schema says.

    Raises:
        ConfigError: it is not, or several could be meant.
    """
    columns = Columns(schema)
    if not mapping or not schema:
        return
    mapped: list[FieldEntry | TraitEntry] = [*mapping.fields, *mapping.traits]
    try:
        missing = sorted({line.column for line in mapped if columns.locate(line.column) is None})
    except AmbiguousError as error:
        raise ConfigError(f"{title}: {error} in the mapping") from None
    for line in mapped:
        located = columns.locate(line.column)
        problem = _problem_of_path(schema[located[0]], located[1], located[0]) if located else ""
        if problem:
            raise ConfigError(f"{title}: the mapping names '{line.column}', and {problem}")
    if missing:
        named = ", ".join(f"column '{name}'" for name in missing)
        raise ConfigError(
            f"{title}: the mapping names {named}, which the stream does not have. Correct the mapping, or "
            f"select the column in the connection. Columns: {_listed(columns.names)}"
        )


def _problem_of_path(schema: Any, path: tuple[str, ...], where: str) -> str:
    """Return what is wrong with a path into a column, as far as the schema names the members; empty when nothing is."""
    members = schema.get("properties") if isinstance(schema, Mapping) else None
    if not path or not isinstance(members, Mapping) or not members:
        return ""
    found = below(members, path)
    if found:
        return _problem_of_path(members[found[0]], found[1], f"{where}.{found[0]}")
    if schema.get("additionalProperties") or schema.get("patternProperties"):
        return ""
    near = get_close_matches(path[0], members, 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{where} has no member '{path[0]}'.{hint} Members: {_listed(members)}"


def check_messages(mapping: StreamMapping, routes: Iterable[Route], title: str) -> None:
    """Check that rows with a time or an id of their own can go in messages.

    Raises:
        ConfigError: the chosen operation has no way but REST, with the keys that are there.
    """
    named = [line.field for line in mapping.fields if line.field in MESSAGE_FIELDS]
    if named and not any(isinstance(route, BatchRoute) for route in routes):
        raise ConfigError(
            f"{title}: {' and '.join(named)} travel in messages of the Analytics API, which this operation does not "
            "send with the keys that are configured"
        )


def with_traits_as_known(
    mapping: StreamMapping, entry: Object, labels: Labels, title: str, *, is_check: bool
) -> StreamMapping:
    """Return the mapping with its traits under the names that Vitally knows them by, see `labels`.

    Args:
        labels: the custom fields; where nobody can know them, nothing is checked.
        is_check: whether somebody waits for an answer: a name that is only near a custom field is then an error. In a
            sync it is a warning, since a custom field that an admin adds must break none.

    Raises:
        ConfigError: a custom field does not exist, and the object takes no others; or a name may mean several things.
    """
    known, names = labels.known, dict[str, str]()
    for name in _traits(mapping) if entry.open_member == "traits" else ():
        trait, near = labels.meant(name)
        names[name] = trait
        if known is None or trait in known:
            if trait != name and not name.startswith(PLAIN):
                logger.info("%s: trait '%s' is the custom field %s.", _sentence(title), name, trait)
        elif entry.defined_traits:
            raise ConfigError(
                f"{title}: {entry.name} has no custom field '{trait}', and takes no other traits.{_hint(trait, known)} "
                f"Custom fields: {_listed(known) or 'none'}"
            )
        elif near:
            problem = (
                f"{title}: trait '{name}' is nearly the custom field {' and '.join(near)}. Write {near[0]} to mean "
                f"that, or {PLAIN}{name} to mean a trait of its own"
            )
            if is_check:
                raise ConfigError(problem)
            logger.warning("%s; until then it is a trait of its own.", _sentence(problem))
        elif trait.startswith(_OF_CUSTOM_FIELDS):
            hint = _hint(trait, known)
            logger.warning("%s: there is no custom field '%s' in Vitally yet.%s", _sentence(title), trait, hint)
    lines = {
        key: [line.model_copy(update={"trait": names.get(line.trait, line.trait)}) for line in getattr(mapping, key)]
        for key in ("traits", "constant_traits")
    }
    return mapping.model_copy(update=lines)


def _hint(trait: str, known: Mapping[str, CustomField]) -> str:
    near = get_close_matches(trait, [*known, *(field.label for field in known.values())], cutoff=0.5)
    path = next((path for path, field in known.items() if near and near[0] in (path, field.label)), None)
    return f" Did you mean {path}?" if path else ""


def lacking(found: Iterable[str]) -> str:
    """Return a sentence with what another workspace has and this one has not; nothing where that is nothing."""
    what = "; ".join(dict.fromkeys(filter(None, found)))
    return what and (
        "The rows come from a workspace that has what this one lacks. Create it here by hand, with the same name; "
        f"until then rows are written without it: {what}."
    )


def lacking_fields(mapper: Mapper, schema: Mapping[str, Any]) -> str:
    """Return which custom fields a stream of another workspace says that its object has there and has not here."""
    traits = next((told for name, told in schema.items() if name.lower() == mapper.entry.open_member), None)
    members = traits.get("properties") if isinstance(traits, Mapping) else None
    if mapper.are_vitallys and mapper.entry.defined_traits and members:
        known = mapper.layouts.custom_fields
        if unknown := sorted(set(members) - set(known)) if known is not None else []:
            return f"custom fields of {mapper.entry.name}: {', '.join(unknown[:NAMED])}"
    return ""


def matched(entry: Object, primary_key: list[list[str]] | None, title: str) -> Object:
    """A data-activation connection says by its primary key what rows are matched by; raises ConfigError."""
    chosen = {".".join(path) for path in primary_key or []}
    if not chosen:
        return entry
    stood_for = {stand_in: name for name, stand_in in entry.stand_ins.items()}
    wanted = {stood_for.get(name, name) for name in chosen}
    key = next((key for key in entry.keys if set(key.fields) == wanted), None)
    if key is None:
        known = "; or ".join(" and ".join(key.fields) for key in entry.keys)
        raise ConfigError(
            f"{title}: rows of {entry.name} cannot be matched by {', '.join(sorted(chosen))}. Choose as matching "
            f"key: {known}"
        )
    return entry.matched_by(key)


def check_matching(mapper: Mapper, operation: Operation, schema: Mapping[str, Any], title: str) -> None:
    """Check that rows with the columns of the stream can be written at all.

    Raises:
        ConfigError: two columns are called like one field, or no column gives a field that must have a value.
    """
    columns = [name for name in schema if not is_loader_column(name)]
    if not columns:
        return
    layouts = mapper.layouts_of(schema)
    if problem := layouts[0].problem:
        raise ConfigError(f"{title}: {problem}")
    fields = {target.name for layout in layouts for target in layout.targets if target.place in ("field", "default")}
    missing = mapper.never_given(fields, operation)
    if missing:
        field = mapper.entry.field(missing)
        fixed = ", or enter it in Fixed values (constants)" if field and not field.is_id else ""
        raise ConfigError(
            f"{title}: no column gives {missing}, which is required to {operation} {mapper.entry.name}. Map a column "
            f"to it in Fields{fixed}. Columns: {_listed(columns)}"
        )
    if _by_vitallys_id(mapper, fields, columns):
        logger.warning(
            "%s: rows are matched by column 'id', which is taken for Vitally's own id. If it is your id, map it to "
            "externalId.",
            _sentence(title),
        )


def _by_vitallys_id(mapper: Mapper, fields: set[str], columns: list[str]) -> bool:
    by_name = [target for target in mapper.layouts_of(columns)[0].targets if target.name == "id"]
    is_mapped = "id" in mapper.mapped
    return bool(by_name) and not is_mapped and "externalId" not in fields and bool(mapper.entry.field("externalId"))


def _field(name: str, entry: Object, title: str, *, in_messages: bool = True) -> Field:
    wanted = folded(name)
    routes = (route for routes in entry.operations.values() for route in routes)
    in_messages = in_messages and any(isinstance(route, BatchRoute) for route in routes)
    known: list[Field] = [*entry.fields, *(MESSAGE_FIELDS.values() if in_messages else ())]
    for field in known:
        if wanted in (folded(spelling) for spelling in (field.name, *field.aliases)):
            return field
    names = ", ".join(field.name for field in known)
    more = " Anything else is a trait." if entry.open_member == "traits" else ""
    raise ConfigError(f"{title}: {entry.name} has no field '{name}'. Fields: {names}.{more}")


def _traits(mapping: StreamMapping) -> list[str]:
    return [*(line.trait for line in mapping.traits), *(line.trait for line in mapping.constant_traits)]


def _renamed(entries: Iterable[tuple[str, FieldEntry | ConstantEntry]]) -> list[FieldEntry | ConstantEntry]:
    return [line.model_copy(update={"field": name}) for name, line in entries]


def _twice(names: Iterable[str]) -> Iterator[str]:
    seen = set[str]()
    for name in names:
        if name in seen:
            yield name
        seen.add(name)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)[:NAMED])
