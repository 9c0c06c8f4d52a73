"""What `make docs` makes of `source_vitally/schemas.yaml`: the columns, and the picture of what refers to what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from source_vitally.schema import Field, columns_of, streams_of_table

TEMPLATE, OF_OBJECTS = "custom_object_instances", "custom_object_<name>"
"""The entry of the table for streams of custom objects, and what the docs call these."""

MANY = ("keys", "rows", "ids")
"""First words of types that name several rows."""

LISTS_OF_IDS = "_ids"


def tables() -> str:
    """Return a table per stream; streams with the same columns share one."""
    shown: dict[tuple[tuple[str, str, str], ...], list[str]] = {}
    for stream in streams_of_table():
        rows = tuple((name, field.written, field.about) for name, field in columns_of(stream).items())
        shown.setdefault(rows, []).append(OF_OBJECTS if stream == TEMPLATE else stream)
    return "\n\n".join(
        "\n".join(
            (
                f"### {', '.join(f'`{stream}`' for stream in streams)}",
                "",
                "| column | type | what it is |",
                "|---|---|---|",
                *(f"| `{name}` | {kind} | {about} |" for name, kind, about in rows),
            )
        )
        for rows, streams in shown.items()
    )


def picture() -> str:
    """Return what refers to what as a Mermaid diagram: a line per pair of streams, with the columns that do."""
    lines = ["```mermaid", "erDiagram"]
    for (stream, other, ends), columns in _references().items():
        lines.append(f'    {stream} {ends} {other} : "{", ".join(columns)}"')
    return "\n".join([*lines, "```"])


def _references() -> dict[tuple[str, str, str], list[str]]:
    found: dict[tuple[str, str, str], list[str]] = {}
    for stream in streams_of_table():
        if not stream.endswith(LISTS_OF_IDS):
            for name, other, is_many in _referring(stream):
                ends = "}o--o{" if is_many else "}o--o|"
                found.setdefault((stream, other, ends), []).append(name)
    return found


def _referring(stream: str) -> Iterator[tuple[str, str, bool]]:
    """Yield the columns that name rows of other streams, but for those that repeat a key beside them."""
    fields = columns_of(stream)
    for name, field in fields.items():
        inlined = fields[field.kind["ids_of"]] if field.written.startswith("ids ") else field
        is_repeated = field.written.startswith(("row ", "rows ")) and _has_key(name, fields)
        if inlined.refers and not is_repeated:
            yield name, inlined.refers, field.written.startswith(MANY)


def _has_key(name: str, fields: Mapping[str, Field]) -> bool:
    return bool({f"{name}Id", f"{name.removesuffix('s')}Ids", f"{name.removesuffix('s')}Id"} & fields.keys())
