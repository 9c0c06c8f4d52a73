"""What is wrong with a mapping or with the columns of a stream, found before the first record."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from destination_vitally.config import ConstantEntry, FieldEntry, StreamMapping, TraitEntry
from destination_vitally.errors import ConfigError
from destination_vitally.mapping.columns import AmbiguousError, Columns, folded, is_loader_column
from destination_vitally.mapping.layout import CustomFields
from destination_vitally.mapping.mapper import Mapper
from destination_vitally.objects.model import Field, Object, Operation

logger = logging.getLogger("airbyte")

NAMED = 50
"""How many columns or custom fields an error lists."""

_OF_CUSTOM_FIELDS = "vitally.custom."
"""What the paths of custom fields begin with; any other trait comes into being by being written."""


def canonical(mapping: StreamMapping, entry: Object, title: str) -> StreamMapping:
    """Return a mapping under the names of the object's fields, which it may also call by their other names.

    Raises:
        ConfigError: a field does not exist or is named twice; the object has no traits.
    """
    fields = [(_field(said.field, entry, title).name, said) for said in mapping.fields]
    constants = [(_field(said.field, entry, title).name, said) for said in mapping.constants]
    named = [(name, said.field) for name, said in fields] + [(name, said.field) for name, said in constants]
    for name in dict.fromkeys(_twice(name for name, _ in named)):
        spellings = list(dict.fromkeys(spelled for known, spelled in named if known == name))
        also = f" ({' and '.join(spellings)})" if len(spellings) > 1 else ""
        where = "in fields and in constants" if name in dict(fields) and name in dict(constants) else "mapped twice"
        raise ConfigError(f"{title}: {name}{also} is {where}; leave one")
    traits = _traits(mapping)
    if traits and entry.open_member is None:
        raise ConfigError(f"{title}: {entry.name} has no traits")
    for trait in _twice(traits):
        raise ConfigError(f"{title}: trait '{trait}' is mapped twice; leave one")
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
        missing = sorted({said.column for said in mapped if columns.locate(said.column) is None})
    except AmbiguousError as error:
        raise ConfigError(f"{title}: {error} in the mapping") from None
    if missing:
        named = ", ".join(f"column '{name}'" for name in missing)
        raise ConfigError(
            f"{title}: the mapping names {named}, which the stream does not have. Correct the mapping, or "
            f"select the column in the connection. Columns: {_listed(columns.names)}"
        )


def check_traits(mapping: StreamMapping, entry: Object, known: CustomFields, title: str) -> None:
    """Check that each mapped path of a custom field exists; without `known` nothing can be said.

    Raises:
        ConfigError: one does not, and the object takes no others.
    """
    if known is None:
        return
    for trait in _traits(mapping):
        if trait in known:
            continue
        near = get_close_matches(trait, [*known, *(field.label for field in known.values())], cutoff=0.5)
        path = next((path for path, field in known.items() if near and near[0] in (path, field.label)), None)
        hint = f" Did you mean {path}?" if path else ""
        if entry.defined_traits:
            raise ConfigError(
                f"{title}: {entry.name} has no custom field '{trait}', and takes no other traits.{hint} "
                f"Custom fields: {_listed(known) or 'none'}"
            )
        if trait.startswith(_OF_CUSTOM_FIELDS):
            logger.warning("%s: there is no custom field '%s' in Vitally yet.%s", title.capitalize(), trait, hint)


def check_matching(mapper: Mapper, operation: Operation, schema: Mapping[str, Any], title: str) -> None:
    """Check that rows with the columns of the stream can be written at all.

    Raises:
        ConfigError: two columns are called like one field, or no column gives a field that must have a value.
    """
    columns = [name for name in schema if not is_loader_column(name)]
    if not columns:
        return
    layouts = [mapper.layouts.of(schema, native=native) for native in (False, True)]
    if problem := layouts[0].problem:
        raise ConfigError(f"{title}: {problem}")
    fields = {target.name for layout in layouts for target in layout.targets if target.place == "field"}
    missing = mapper.never_given(fields, operation)
    if missing:
        raise ConfigError(
            f"{title}: no column gives {missing}, which is required to {operation} {mapper.entry.name}. Map a column "
            f"to it in fields. Columns: {_listed(columns)}"
        )
    if _by_vitallys_id(mapper, fields, columns):
        logger.warning(
            "%s: rows are matched by column 'id', which is taken for Vitally's own id. If it is your id, map it to "
            "externalId.",
            title.capitalize(),
        )


def _by_vitallys_id(mapper: Mapper, fields: set[str], columns: list[str]) -> bool:
    by_name = [target for target in mapper.layouts.of(columns).targets if target.name == "id"]
    is_mapped = "id" in mapper.mapped
    return bool(by_name) and not is_mapped and "externalId" not in fields and bool(mapper.entry.field("externalId"))


def _field(name: str, entry: Object, title: str) -> Field:
    wanted = folded(name)
    for field in entry.fields:
        if wanted in (folded(spelling) for spelling in (field.name, *field.aliases)):
            return field
    known = ", ".join(field.name for field in entry.fields)
    more = " Anything else is a trait." if entry.open_member == "traits" else ""
    raise ConfigError(f"{title}: {entry.name} has no field '{name}'. Fields: {known}.{more}")


def _traits(mapping: StreamMapping) -> list[str]:
    return [*(said.trait for said in mapping.traits), *(said.trait for said in mapping.constant_traits)]


def _renamed(entries: Iterable[tuple[str, FieldEntry | ConstantEntry]]) -> list[FieldEntry | ConstantEntry]:
    return [said.model_copy(update={"field": name}) for name, said in entries]


def _twice(names: Iterable[str]) -> Iterator[str]:
    seen = set[str]()
    for name in names:
        if name in seen:
            yield name
        seen.add(name)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)[:NAMED])
