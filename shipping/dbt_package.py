"""`make dbt-models`: what of the dbt package follows from the source's schemas, written into dbt/models/staging.

A source table and a staging model per stream: names, types and descriptions of columns have one definition, the JSON
schemas that discover shows; what a stream is stands in the table of docs/source-vitally.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from shipping.names import ROOT
from source_vitally import SourceVitally
from source_vitally.schema import TableSchemaLoader

FOLDER = ROOT / "dbt/models/staging"
INSTANCES = "custom_object_instances"
"""The one model of all tables `custom_object_<name>`, whose names only a workspace knows."""
RESERVED = {"from": "sender", "to": "recipients", "user": "user_reference"}
"""Columns that have words of SQL for names are called otherwise in models."""
OTHER_IDS = {INSTANCES: "instance_ids"}
PARENTS = {
    "messages": ("conversation_ids", "conversationId"),
    "meeting_transcripts": ("meeting_ids", "meetingId"),
    "account_health_scores": ("account_ids", "accountId"),
    "account_health_score_components": ("account_ids", "accountId"),
}
"""Streams whose rows go with their parent: the stream of its ids, and the column that names it."""
READ_WHOLE = {"messages": "conversationUpdatedAt", "account_health_score_components": "accountUpdatedAt"}
"""Streams that are read whole for a parent: the column of the parent's version, older in rows that are gone."""
FRESHNESS = {f"{verdict}_after": {"count": hours, "period": "hour"} for verdict, hours in (("warn", 36), ("error", 72))}
HEAD = "Made by `make dbt-models` from the schemas of the source: change those.\n"
DELETED = "Whether the row is gone from Vitally, by the rule of docs/dbt.md; false where that cannot be known."
IDS = "The ids of all rows that are there now: a row of the other table whose id is not among them is gone."
EXTRACTED = "When the source read this version of the row."


@dataclass(frozen=True)
class Stream:
    """A stream as the package needs it."""

    name: str
    key: list[str]
    says: str
    columns: Mapping[str, Mapping[str, Any]]

    @property
    def model(self) -> str:
        """The name of its staging model."""
        return f"stg_vitally__{self.name}"

    @property
    def is_of_ids(self) -> bool:
        """Whether it holds nothing but ids: such a stream has no model, but others are compared with it."""
        return self.name.endswith("_ids")


def streams() -> list[Stream]:
    """Return every stream of the manifest, and the instances of custom objects as one."""
    found = {entry["name"]: entry for entry in SourceVitally().resolved_manifest["streams"]}
    told = dict(re.findall(r"^\| `(\S+)` \|.*\| *([^|]*?) *\|$", (ROOT / "docs/source-vitally.md").read_text(), re.M))
    told[INSTANCES] = told["custom_object_<name>"]
    return [
        Stream(
            name=name,
            key=[key] if isinstance(key := entry.get("primary_key", "id"), str) else key,
            says=told[name],
            columns=TableSchemaLoader(config={}, parameters={"name": name}).get_json_schema()["properties"],
        )
        for name, entry in sorted({**found, INSTANCES: {}}.items())
    ]


def files() -> dict[str, str]:
    """Return the text of each file of the folder."""
    known = streams()
    names = {stream.name for stream in known}
    models = [stream for stream in known if not stream.is_of_ids]
    return {
        "sources.yml": _yaml(sources=[_source([stream for stream in known if stream.name != INSTANCES])]),
        "models.yml": _yaml(models=[_described(stream, names) for stream in models]),
        **{f"{stream.model}.sql": _model(stream, names) for stream in models},
    }


def _source(tables: list[Stream]) -> dict[str, Any]:
    return {
        "name": "vitally",
        "description": "A Vitally workspace, as source-vitally reads it and a typed destination of Airbyte writes it.",
        "database": "{{ var('vitally_database', target.database) }}",
        "schema": "{{ var('vitally_schema', 'vitally') }}",
        "config": {"loaded_at_field": "_airbyte_extracted_at"},
        "tables": list(map(_table, tables)),
    }


def _table(stream: Stream) -> dict[str, Any]:
    """Return a table of the source. Ids are read anew by each sync; other tables are as old as the last change."""
    tests: list[dict[str, Any]] = [{"vitally.never_null": {"arguments": {"columns": stream.key}}}]
    if stream.is_of_ids:
        tests.append({"vitally.read_at_once": {}})
    return {
        "name": stream.name,
        "identifier": f"{{{{ var('vitally_prefix', '') }}}}{stream.name}",
        **_description(IDS if stream.is_of_ids else stream.says),
        **({"config": {"freshness": FRESHNESS}} if stream.is_of_ids else {}),
        "data_tests": tests,
        "columns": [{"name": name, **_description(schema)} for name, schema in stream.columns.items()],
    }


def _described(stream: Stream, names: set[str]) -> dict[str, Any]:
    columns = [{"name": snake(name), **_description(schema)} for name, schema in stream.columns.items()]
    if _ids(stream, names):
        columns.append({"name": "is_deleted", "description": DELETED})
    columns.append({"name": "extracted_at", "description": EXTRACTED})
    return {"name": stream.model, **_description(stream.says), "columns": columns}


def _description(of: str | Mapping[str, Any]) -> dict[str, str]:
    text = of if isinstance(of, str) else of.get("description", "")
    return {"description": text} if text else {}


def _model(stream: Stream, names: set[str]) -> str:
    return f"-- {HEAD}{{{{ vitally.staging(\n{''.join(_arguments(stream, names))}) }}}}\n"


def _arguments(stream: Stream, names: set[str]) -> Iterator[str]:
    yield f"    '{stream.name}',\n    columns={{\n"
    for name, schema in stream.columns.items():
        yield f"        '{name}': ['{snake(name)}', '{_kind(schema)}'],\n"
    yield "    },\n"
    if stream.key != ["id"]:
        yield f"    key={[snake(name) for name in stream.key]},\n"
    if found := _ids(stream, names):
        ids, by = found
        yield f"    ids='{ids}',\n"
        yield f"    ids_of='{snake(by)}',\n" if by != "id" else ""
    if stream.name in READ_WHOLE:
        yield f"    version='{snake(READ_WHOLE[stream.name])}',\n"


def _ids(stream: Stream, names: set[str]) -> tuple[str, str] | None:
    """Return the stream of ids that shows which rows are gone, and the column that is compared with it."""
    if stream.name in PARENTS:
        return PARENTS[stream.name]
    ids = OTHER_IDS.get(stream.name, f"{stream.name[:-1]}_ids")
    return (ids, "id") if ids in names else None


def snake(name: str) -> str:
    """Return a column's name in models."""
    return RESERVED.get(name, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())


def _kind(schema: Mapping[str, Any]) -> str:
    """Return the type of a column in the package's words: what `vitally.type_of` knows."""
    types = schema["type"]
    kind = next(name for name in ([types] if isinstance(types, str) else types) if name != "null")
    return "timestamp" if schema.get("airbyte_type") else "json" if kind in ("object", "array") else str(kind)


class _Plain(yaml.SafeDumper):
    """Writes what occurs twice twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(**content: Any) -> str:
    text = yaml.dump({"version": 2, **content}, Dumper=_Plain, sort_keys=False, width=120, allow_unicode=True)
    return f"# {HEAD}{text}"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, text in files().items():
        (FOLDER / name).write_text(text)
