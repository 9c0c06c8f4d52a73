"""What Airbyte's form does with a spec, as rules: what it draws, in which order, what it refuses, what it saves.

Written down from reading the form's own code (airbyte-platform, August 2026): it draws named properties, lists of
scalars, lists of objects with named properties, and choices whose branches differ in a constant. What it saves is the
config without whatever the spec does not name, whether a person touched it or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Any, Literal

Schema = Mapping[str, Any]
Kind = Literal["value", "group", "choice", "list of objects"]

DEFAULT_GROUP = "default"
DRAWN = ("string", "number", "integer", "boolean", "array")
"""The types that a single control can hold."""


class FormError(Exception):
    """The form cannot be built of this spec, or cannot hold this config: it shows an error instead of itself."""


@dataclass(frozen=True)
class Block:
    """A property as the form draws it."""

    name: str
    path: tuple[str, ...]
    kind: Kind
    schema: Schema
    is_required: bool
    inner: tuple[Block, ...] = ()
    selector: str = ""

    @property
    def order(self) -> int | None:
        """The place that the spec gives it."""
        return self.schema.get("order")

    @property
    def is_open(self) -> bool:
        """Whether it is in sight, not among the closed "Optional fields"."""
        always = "const" in self.schema or self.schema.get("always_show") or self.kind in ("choice", "group")
        return bool(self.is_required or always)

    @property
    def is_drawn(self) -> bool:
        """Whether a person sees it as something that can be filled in."""
        return "const" not in self.schema and not self.schema.get("airbyte_hidden", False)


@dataclass(frozen=True)
class Card:
    """One card of the form: its title, the names in sight, and those among the closed "Optional fields"."""

    title: str | None
    open: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


def block(schema: Schema, name: str = "", path: tuple[str, ...] = (), *, is_required: bool = True) -> Block:
    """Return what the form makes of a schema.

    Raises:
        FormError: the branches of a choice are no objects, or no constant tells them apart.
    """
    if schema.get("oneOf"):
        branches = [block({**branch, "type": schema.get("type")}, name, path) for branch in schema["oneOf"]]
        if any(branch.kind != "group" for branch in branches):
            raise FormError(f"{name}: a branch of the choice is no object")
        constants = [[b.name for b in branch.inner if b.schema.get("const")] for branch in branches]
        selectors = [name for name in constants[0] if all(name in others for others in constants)]
        if not selectors:
            raise FormError(f"{name}: no constant tells the branches apart")
        return Block(name, path, "choice", schema, is_required, tuple(branches), selectors[0])
    items = schema.get("items")
    if schema.get("type") == "array" and isinstance(items, dict) and items.get("type") == "object":
        if items.get("oneOf"):
            raise FormError(f"{name}: a list of choices")
        return Block(name, path, "list of objects", schema, is_required, block(items, name, path).inner)
    if schema.get("type") == "object":
        required = schema.get("required", ())
        inner = (
            block(part, key, (*path, key), is_required=key in required)
            for key, part in schema.get("properties", {}).items()
        )
        return Block(name, path, "group", schema, is_required, tuple(inner))
    return Block(name, path, "value", schema, is_required)


def cards(spec: Schema) -> list[Card]:
    """Return the cards of the form from top to bottom."""
    by_group: dict[str, list[Block]] = {}
    for part in block(spec).inner:
        if part.is_drawn:
            by_group.setdefault(part.schema.get("group") or DEFAULT_GROUP, []).append(part)
    titles = {group["id"]: group.get("title") for group in spec.get("groups", [{"id": DEFAULT_GROUP}])}
    known = [group for group in titles if group in by_group]
    unknown = sorted(group for group in by_group if group not in titles)
    return [_card(titles.get(group), by_group[group]) for group in known + unknown]


def reading_order(blocks: tuple[Block, ...]) -> tuple[list[str], list[str]]:
    """Return the names of blocks as they are read: those in sight, then those among the closed "Optional fields"."""
    card = _card(None, [part for part in blocks if part.is_drawn])
    return card.open, card.closed


def _card(title: str | None, blocks: list[Block]) -> Card:
    ordered = sorted(blocks, key=cmp_to_key(_compared))
    return Card(title, [b.name for b in ordered if b.is_open], [b.name for b in ordered if not b.is_open])


def _compared(one: Block, other: Block) -> int:
    if one.is_open != other.is_open:
        return -1 if one.is_open else 1
    if one.order is not None and other.order is not None:
        return one.order - other.order
    if one.order is not None or other.order is not None:
        return -1 if one.order is not None else 1
    return (one.name > other.name) - (one.name < other.name)


def settings(spec: Schema) -> set[tuple[str, ...]]:
    """Return the paths of everything that a config of this spec may hold, without constants and what is kept hidden."""
    return {p.path for p in _all(block(spec)) if "const" not in p.schema and not p.schema.get("airbyte_hidden")}


def reachable(spec: Schema) -> set[tuple[str, ...]]:
    """Return the paths of everything that a person can fill in."""
    return {part.path for part in _all(block(spec), only_drawn=True) if "const" not in part.schema}


def _all(parent: Block, *, only_drawn: bool = False) -> Iterator[Block]:
    for part in parent.inner:
        if only_drawn and not part.is_drawn:
            continue
        if part.kind == "value" or not part.inner:
            # Else it is drawn as an empty frame, or as a text whose type nobody knows.
            if not only_drawn or (part.kind == "value" and part.schema.get("type") in DRAWN):
                yield part
            continue
        if part.path != parent.path:  # the branches of a choice are where the choice is
            yield part
        yield from _all(part, only_drawn=only_drawn)


def saved(spec: Schema, config: Any) -> Any:
    """Return what is stored when a person opens a config, changes nothing and saves it.

    Raises:
        FormError: the form refuses the config, or cannot hold it.
    """
    kept = _saved(block(spec), spec, _without_empty(config))
    refused = list(_refused(block(spec), kept))
    if refused:
        raise FormError("; ".join(refused))
    return kept


def typed(spec: Schema, answers: Mapping[str, Any]) -> Any:
    """Return what is stored when a person opens an empty form, gives these answers and saves it: defaults come along.

    Raises:
        FormError: as `saved`.
    """
    defaults = {part.name: part.schema["default"] for part in block(spec).inner if "default" in part.schema}
    return saved(spec, {**defaults, **answers})


def _without_empty(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_empty(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {name: _without_empty(v) for name, v in value.items() if not (isinstance(v, str) and not v.strip())}


def _saved(part: Block, schema: Schema, value: Any) -> Any:
    if part.kind == "list of objects":
        if not isinstance(value, list):
            raise FormError(f"{part.name}: no list")
        return [_object(part.inner, entry, part.name) for entry in value]
    if part.kind == "group":
        return _object(part.inner, value, part.name)
    if part.kind == "choice":
        chosen = [branch for branch in part.inner if _constant(branch, part.selector) == value.get(part.selector)]
        if not chosen:
            return value
        return {**_object(chosen[0].inner, value, part.name), part.selector: value[part.selector]}
    return _scalar(schema, value)


def _constant(branch: Block, selector: str) -> Any:
    return next(b.schema["const"] for b in branch.inner if b.name == selector)


def _object(blocks: tuple[Block, ...], value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FormError(f"{name}: no object")
    kept = {b.name: _saved(b, b.schema, value[b.name]) for b in blocks if b.name in value}
    # A group that the config lacks comes into being.
    return {
        **kept,
        **{b.name: _object(b.inner, {}, b.name) for b in blocks if b.kind == "group" and b.name not in value},
    }


def _scalar(schema: Schema, value: Any) -> Any:
    kind = schema.get("type")
    if kind == "string":
        return ("null" if value is None else str(value)).strip()
    if kind == "array" and isinstance(schema.get("items"), dict):
        if not isinstance(value, list):
            raise FormError("no list")
        return [_scalar(schema["items"], entry) for entry in value]
    return value


def _refused(part: Block, value: Any) -> Iterator[str]:
    if part.kind == "value":
        yield from _refused_value(part, value)
        return
    entries = value if part.kind == "list of objects" else [value]
    for entry in entries:
        blocks = part.inner
        if part.kind == "choice":
            blocks = tuple(
                b for x in part.inner if _constant(x, part.selector) == entry.get(part.selector) for b in x.inner
            )
        for inner in blocks:
            if inner.name in entry:
                yield from _refused(inner, entry[inner.name])
            elif inner.is_required and "const" not in inner.schema:
                yield f"{'.'.join(inner.path)}: this field is required"


def _refused_value(part: Block, value: Any) -> Iterator[str]:
    schema = part.schema
    if isinstance(value, list):
        for entry in value:
            yield from _refused_value(Block(part.name, part.path, "value", schema.get("items", {}), False), entry)
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{part.name}: not one of the choices"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{part.name}: must match pattern"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{part.name}: too small"
    if "maximum" in schema and value > schema["maximum"]:
        yield f"{part.name}: too large"
