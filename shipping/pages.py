"""`make docs`: write the parts of docs/ that the code can make into their marked regions; `--check` only compares."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel

from destination_vitally.commands.discover import forms, what_it_takes
from destination_vitally.journal.lines import Header, Intent, Line, Link, Outcome, Trailer, Value
from destination_vitally.mapping.plan import BY_SYNC_MODE
from destination_vitally.objects.model import OPERATIONS, UNSET, BatchRoute, Field, Lookup, Object, Operation, RestRoute
from destination_vitally.objects.table import MESSAGE_FIELDS, OBJECTS
from shipping import columns, facts, promises, sentences
from shipping.names import ROOT

REGION = re.compile(r"(<!-- ([\w ]+): made by `make docs` -->\n)(.*?)(<!-- end -->)", re.DOTALL)
NOTHING = "\N{EN DASH}"
SCHEMA = ROOT / "docs" / "destination-vitally-journal.schema.json"
OTHERS: Mapping[str, str] = {
    "traits": "Any other column becomes a trait.",
    "custom fields": "Other columns: custom fields that an admin has defined in Vitally, by label or path.",
    "properties": "Any other column becomes a property of the event.",
    "none": "Other columns are left out.",
}


def main(arguments: list[str]) -> int:
    """Bring each page up to date; with `--check` say which are not, and return 1 if there is one."""
    pages = {path: made(path.read_text()) for path in sorted((ROOT / "docs").glob("*.md"))}
    pages[SCHEMA] = json.dumps(Line.model_json_schema(), indent=1) + "\n"
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if "--check" not in arguments:
            path.write_text(pages[path])
        print(f"{path.relative_to(ROOT)} {'is behind the code: make docs' if '--check' in arguments else 'is written'}")
    return 1 if stale and "--check" in arguments else 0


def made(page: str) -> str:
    """Return a page with each marked region as the code makes it."""
    return REGION.sub(lambda found: f"{found[1]}\n{_region(found[2], found[3])}\n\n{found[4]}", page)


def _region(name: str, body: str) -> str:
    return FACTS[name](body) if name in FACTS else REGIONS[name]()


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    return facts.table(head, rows).replace("{", "\\{")


def _named(entry: Object) -> str:
    return f"`{entry.name.replace('*', '<name>')}`"


def _ways(entry: Object, operation: Operation) -> str:
    kinds = ["Analytics" if isinstance(route, BatchRoute) else "REST" for route in entry.operations.get(operation, ())]
    return ", else ".join(dict.fromkeys(kinds)) or NOTHING


def objects() -> str:
    """The operations of each object with their ways, and what its rows are matched by."""
    rows = (
        [
            _named(entry),
            *(_ways(entry, operation) for operation in OPERATIONS),
            "; ".join(" + ".join(f"`{name}`" for name in key.fields) for key in entry.keys) or NOTHING,
        ]
        for entry in OBJECTS
    )
    return _table(["Object", *map(str.capitalize, OPERATIONS), "Matched by"], rows)


def fields() -> str:
    """All fields of all objects, and what of each cannot be written."""
    return "\n\n".join(_section(entry) for entry in OBJECTS)


def _section(entry: Object) -> str:
    tokens = frozenset(("secret_token", "analytics_token"))
    known = {BY_SYNC_MODE[form["sync_mode"]]: form["json_schema"] for form in forms(entry, {}, tokens)}
    rows = [[f"`{field.name}`", *_facts(field, entry, known)] for field in entry.fields]
    table = _table(["Field", "Type", "What it is", *map(str.capitalize, known), "Goes by"], rows)
    others = "custom fields" if entry.defined_traits else entry.open_member or "none"
    read_only = ", ".join(f"`{name}`" for name in sorted(entry.read_only - {field.name for field in entry.fields}))
    last = f"{OTHERS[others]}{f' Vitally sets these itself: {read_only}.' if read_only else ''}"
    return f"## {_named(entry)}\n\n{entry.description}.\n\n{table}\n\n{last}"


def _facts(field: Field, entry: Object, known: Mapping[Operation, Any]) -> Iterator[str]:
    routes = [route for routes in entry.operations.values() for route in routes]
    by_batch = bool(field.analytics or entry.counts_once) and any(isinstance(route, BatchRoute) for route in routes)
    in_path = f"{{{field.name}}}" in entry.path
    by_rest = (field.in_body or in_path or field.of_deletes) and any(isinstance(route, RestRoute) for route in routes)
    yield f"{field.kind.value}{', HTML' if field.is_html and 'HTML' not in field.description else ''}"
    yield ". ".join(what_it_takes(field, any_id=not by_batch))
    for schema in known.values():
        is_taken = field.name in schema["properties"]
        yield "required" if field.name in schema["required"] else "yes" if is_taken else NOTHING
    if field.is_named:
        yield "REST, where a mapping names it"
    elif by_batch or by_rest:
        yield " and ".join(way for way, is_way in (("batch", by_batch), ("REST", by_rest)) if is_way)
    else:
        yield f"instead of `{field.stands_for}`" if field.stands_for else "finds the row"


def messages() -> str:
    """The fields that the message of any object takes."""
    rows = ([f"`{field.name}`", field.kind.value, field.description] for field in MESSAGE_FIELDS.values())
    return _table(["Field", "Type", "What it is"], rows)


def deletes() -> str:
    """What a delete of each object does."""
    return _table(
        ["Object", "Each delete"],
        ([_named(entry), entry.on_delete] for entry in OBJECTS if "delete" in entry.operations),
    )


def leaving() -> str:
    """The fields that take an upsert out of its batch, and when they stay in it."""
    batched = [e for e in OBJECTS if any(isinstance(route, BatchRoute) for route in e.operations.get("upsert", ()))]
    found = [(entry, field) for entry in batched for field in entry.fields if field.in_body and not field.analytics]
    return _table(
        ["Object", "Field", "Stays in the batch"],
        ([_named(entry), f"`{field.name}`", _stays(field)] for entry, field in found),
    )


def _stays(field: Field) -> str:
    if field.is_named:
        return "never; [only a mapping gives it](#what-cannot-be-set)"
    if field.initial is UNSET:
        return "never"
    initial = f"`{json.dumps(field.initial)}`"
    return (
        f"where it is {initial}, which new rows have anyway; it is left out, and the log says so. To set it back to "
        f"{initial}, use an update"
    )


def creates() -> str:
    """How it is found out whether a row to be created is there."""
    found: dict[str, list[str]] = {}
    for entry in OBJECTS:
        if "create" in entry.operations:
            found.setdefault(_looked_up(entry), []).append(_named(entry))
    return _table(["Object", "Looked up"], ([", ".join(names), how] for how, names in found.items()))


def _looked_up(entry: Object) -> str:
    if entry.counts_once:
        return "not at all: Vitally counts it once by its id"
    if not (entry.field("externalId") and entry.can_look_up()):
        return "not at all: they have no `externalId`"
    return next(how for way, how in LOOKED_UP.items() if entry.can_look_up(way))


LOOKED_UP = {
    Lookup.IN_PARENT: "below its account or organization, which is read once per sync, or in the list of all; with a "
    "`source`, by both",
    Lookup.NEWEST: "by its `externalId`, and among the 100 newest. Vitally does not say that it finds them by "
    "`externalId`, so an older one may be written over",
    Lookup.SEARCH: "by the search for its `externalId`",
    Lookup.BY_PATH: "by its `externalId`",
}


def journal() -> str:
    """What is in each kind of line of a journal."""
    kinds: dict[str, type[BaseModel]] = {
        **{"header": Header, "intent": Intent, "a value": Value, "a link": Link},
        **{"outcome": Outcome, "trailer": Trailer},
    }
    return "\n\n".join(
        f"**{name}**: {inspect.cleandoc(kind.__doc__ or '')}\n\n"
        + _table(
            ["Member", "What it is"],
            ([f"`{member}`", field.description or NOTHING] for member, field in kind.model_fields.items()),
        )
        for name, kind in kinds.items()
    )


REGIONS: Mapping[str, Callable[[], str]] = {
    "the lines of a journal": journal,
    "the objects": objects,
    "the fields": fields,
    "the fields of messages": messages,
    "the deletes": deletes,
    "the fields that leave a batch": leaving,
    "the creates": creates,
    "columns": columns.tables,
    "references": columns.picture,
    "the sentences of the destination": partial(sentences.of, "destination_vitally"),
    "the sentences of the source": partial(sentences.of, "source_vitally"),
    "the sentences of both": partial(sentences.of, "vitally_api"),
    "planted": promises.planted,
    **{f"promises of the {part}": partial(promises.table, part) for part in ("source", "destination", "waiting")},
}
"""What makes each region of a page."""

FACTS: Mapping[str, Callable[[str], str]] = {
    "the streams": facts.streams,
    "the settings of the source": facts.settings_of_source,
    "the settings of the destination": facts.settings_of_destination,
}
"""What makes each region in which the last column is of the page."""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
