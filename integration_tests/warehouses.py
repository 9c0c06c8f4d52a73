"""What is read of a workspace as it comes out of a warehouse: columns in one case, lists and objects as texts."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from integration_tests.harness import Json
from integration_tests.platforms import postgres

Moved = Callable[[Json, list[str]], tuple[Json, list[str]]]
_TYPES = {"object": "jsonb", "array": "jsonb", "number": "double precision", "integer": "bigint", "boolean": "boolean"}


def as_read(catalog: Json, lines: list[str]) -> tuple[Json, list[str]]:
    return catalog, lines


def in_case(columns: Callable[[str], str]) -> Moved:
    """Rows whose columns are spelled in one case."""

    def moved(catalog: Json, lines: list[str]) -> tuple[Json, list[str]]:
        messages = [json.loads(line) for line in lines]
        for message in messages:
            if message["type"] == "RECORD":
                data = message["record"]["data"]
                message["record"]["data"] = {columns(name): _flat(value) for name, value in data.items()}
        return _renamed(catalog, columns), [json.dumps(message) for message in messages]

    return moved


def through_postgres(catalog: Json, lines: list[str]) -> tuple[Json, list[str]]:
    """Rows that were in tables of a real Postgres, read as Airbyte's source reads them: JSON as text, nulls and all."""
    messages = [json.loads(line) for line in lines]
    rows: dict[str, list[Json]] = {}
    for message in messages:
        if message["type"] == "RECORD":
            data = {name.lower(): value for name, value in message["record"]["data"].items()}
            rows.setdefault(message["record"]["stream"], []).append(data)
    read: list[Json] = []
    with postgres.served() as host:
        for one in (configured["stream"] for configured in catalog["streams"]):
            found = rows.get(one["name"], [])
            read += [
                {"type": "RECORD", "record": {"stream": one["name"], "data": row, "emitted_at": 1_789_000_000_000}}
                for row in _stored(host, one["name"], one["json_schema"]["properties"], found)
            ]
    rest = [message for message in messages if message["type"] != "RECORD"]
    for message in rest:
        message.get("state", {}).pop("sourceStats", None)  # what another source has counted
    return _renamed(catalog, str.lower), [json.dumps(message) for message in (*read, *rest)]


def _stored(host: Path, table: str, columns: Json, rows: list[Json]) -> list[Json]:
    types = {name.lower(): _type_of(told) for name, told in columns.items()}
    shown = ", ".join(f'"{name}"::text' if kind == "jsonb" else f'"{name}"' for name, kind in types.items())
    script = f"""
        CREATE TABLE "{table}" ({", ".join(f'"{name}" {kind}' for name, kind in types.items())});
        INSERT INTO "{table}" SELECT * FROM json_populate_recordset(NULL::"{table}", $rows${json.dumps(rows)}$rows$);
        SELECT row_to_json(t) FROM (SELECT {shown} FROM "{table}") AS t;
    """
    found = postgres.programs()
    assert found is not None
    command = [str(found / "psql"), "-h", str(host), "-U", "vitally", "-d", "postgres", "-qtA", "-v", "ON_ERROR_STOP=1"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line]


def _type_of(told: Json) -> str:
    kinds = told.get("type", [])
    kind = next((one for one in (kinds if isinstance(kinds, list) else [kinds]) if one != "null"), "string")
    formats = {"date-time": "timestamptz", "date": "date"}
    return formats.get(told.get("format", ""), "text") if kind == "string" else _TYPES[kind]


def _renamed(catalog: Json, columns: Callable[[str], str]) -> Json:
    catalog = copy.deepcopy(catalog)
    for configured in catalog["streams"]:
        schema = configured["stream"]["json_schema"]
        schema["properties"] = {columns(name): {} for name in schema["properties"]}
    return catalog


def _flat(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (dict, list)) else value
