"""The workspace as a plain client reads it when nothing moves: what every sync is compared with."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import urllib3

from integration_tests.harness import Json, configured, resolved_manifest, run_source, source_config
from integration_tests.sandbox import Sandbox
from integration_tests.sandbox.resources import RESOURCES
from integration_tests.sandbox.wire.messages import ODDITIES

MANIFEST = {stream["name"]: stream for stream in resolved_manifest()["streams"]}
# Streams whose records are not the rows of a list; each has tests of its own, in test_workspace.py,
# test_derived_streams.py or below.
MADE_OTHERWISE = {
    *("messages", "custom_fields", "survey_responses", "survey_questions", "segments", "key_roles", "instance_ids"),
    *("account_health_scores", "account_health_score_components"),
}
ID_FIELDS = ("id", "externalId", "updatedAt")
# Which rows a plain client has to ask for, where a list takes such a filter.
PASSES: Mapping[str, list[str]] = {
    "status": ["activeOrChurned"],
    "archived": ["false", "true"],
    "target": ["accounts", "organization"],
}


def _list_of(stream: Json) -> tuple[str, list[dict[str, str]]]:
    """Return a stream's path by the manifest, and the filters of each pass by what the sandbox says of that list."""
    path = stream["$parameters"]["path"].strip("/")
    filters = RESOURCES[path].filters if path in RESOURCES else ()
    named = [[{name: value} for value in PASSES[name]] for name in filters if name in PASSES]
    return path, named[0] if named else [{}]


LISTS = {name: _list_of(stream) for name, stream in MANIFEST.items() if name not in MADE_OTHERWISE}
STREAMS = [*LISTS, "messages"]
INCREMENTAL = [name for name in STREAMS if "incremental_sync" in MANIFEST[name]]


_PLAIN = urllib3.PoolManager(retries=False, timeout=10)
_NUMERIC_ID = re.compile(rb"(?<=[:,[])(9\d{14})(?=[],}])")


def get(sandbox: Sandbox, path: str, **params: Any) -> Any:
    """Return the body of one GET, with ids as texts."""
    headers = urllib3.make_headers(basic_auth=f"{sandbox.rest_key}:")
    answer = _PLAIN.request("GET", f"{sandbox.url}/resources/{path}", fields=params, headers=headers)
    assert answer.status == 200, f"HTTP {answer.status} for {path}"
    content = _NUMERIC_ID.sub(rb'"\1"', answer.data) if sandbox.switches.numeric_ids else answer.data
    found = json.loads(content, parse_constant=lambda _: None)
    is_odd = sandbox.switches.odd_rows or any(odd in content for odd in ODDITIES.values())
    return as_it_must_come(found) if is_odd else found


def as_it_must_come(value: Any) -> Any:
    """Return JSON as every platform can take it.

    U+FFFD for halves of emojis, null for numbers that are none, nothing but objects where a list has any.
    """
    if isinstance(value, str):
        return "".join("\ufffd" if 0xD800 <= ord(letter) < 0xE000 else letter for letter in value)
    if isinstance(value, list):
        items = [as_it_must_come(item) for item in value]
        return [item for item in items if isinstance(item, dict)] or items
    if isinstance(value, dict):
        return {as_it_must_come(name): as_it_must_come(item) for name, item in value.items()}
    return None if isinstance(value, float) and math.isinf(value) else value


def everything(sandbox: Sandbox, stream: str, inlined: str = "full") -> dict[str, Json]:
    """Return a stream's rows by id, as they must come: without null columns, which the CDK's messages do not have."""
    rows = _messages(sandbox) if stream == "messages" else _rows(sandbox, stream)
    return {
        row["id"]: {
            name: value if inlined == "full" else _as_reference(name, value)
            for name, value in row.items()
            if value is not None and (name in ID_FIELDS or not stream.endswith("_ids"))
        }
        for row in rows
    }


def _as_reference(name: str, value: Any) -> Any:
    """Return a field as `inlined_objects: reference` has it: a row inlined whole is one with traits of its own."""
    if isinstance(value, list):
        return [_as_reference(name, item) for item in value]
    if isinstance(value, dict) and name != "traits" and "createdAt" in value and "traits" in value:
        return {key: value[key] for key in ("id", "externalId", "name", "email") if key in value}
    return value


def _rows(sandbox: Sandbox, stream: str) -> Iterator[Json]:
    for filters in LISTS[stream][1]:
        yield from one_pass(sandbox, stream, filters)


def one_pass(sandbox: Sandbox, stream: str, filters: dict[str, str]) -> Iterator[Json]:
    """Yield the rows of one of a stream's passes, a plain walk from page to page."""
    path = LISTS[stream][0]
    cursor: dict[str, str] = {}
    while True:
        page = get(sandbox, path, limit=sandbox.switches.heaviest_page or 100, **filters, **cursor)
        for row in page["results"]:
            yield {**row, **get(sandbox, f"{path}/{row['id']}")} if stream == "meeting_transcripts" else _linked(row)
        if not page["next"] or page.get("atEnd"):
            break
        cursor = {"from": page["next"]}


def _messages(sandbox: Sandbox) -> Iterator[Json]:
    for conversation in _rows(sandbox, "conversations"):
        whole = get(sandbox, f"conversations/{conversation['id']}")
        people = {row["id"]: row for name in ("users", "admins") for row in whole[name]}
        for message in whole["messages"]:
            yield {
                **message,
                **{name: _named(message.get(name), people) for name in ("from", "to", "cc", "bcc")},
                "conversationId": conversation["id"],
                "conversationUpdatedAt": conversation["updatedAt"],
                **{f"{name}Ids": [row["id"] for row in whole[f"{name}s"]] for name in ("account", "user", "admin")},
            }


def _named(value: Any, people: Json) -> Any:
    """Return participants with what says who they are outside of the workspace."""
    if isinstance(value, list):
        return [_named(one, people) for one in value]
    person = people.get(value["id"], {}) if value else {}
    return value and {**value, **{name: person[name] for name in ("externalId", "email") if person.get(name)}}


def _linked(row: Json) -> Json:
    """Return a row with the ids of the accounts and organizations that are inlined in it."""
    rows = {name: row.get(f"{name}s") for name in ("account", "organization")}
    return {**{f"{name}Ids": [one["id"] for one in found] for name, found in rows.items() if found is not None}, **row}


def merged(copy: dict[str, Json], records: list[Json], cursor: str = "updatedAt") -> dict[str, Json]:
    """Bring records into a copy as a destination that de-duplicates does: the newest version of each id stays."""
    for record in records:
        known = copy.get(record["id"])
        if known is None or (record.get(cursor) or "") >= (known.get(cursor) or ""):
            copy[record["id"]] = record
    return copy


@cache
def catalog(*streams: str, seed: int = 1) -> Any:
    """Return the configured catalog of some streams, discovered once for all workspaces of a seed."""
    return configured(discovered(seed), streams)


@cache
def discovered(seed: int = 1) -> Any:
    """Return the catalog of every workspace that is made with a seed, only to be read."""
    with Sandbox(empty=True, seed=seed) as sandbox:
        return run_source("discover", source_config(sandbox.url, sandbox.rest_key)).catalog
