"""Rows that would change nothing are not sent, and everything else is: for every object, way and field of the table."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.objects.model import RestRoute
from destination_vitally.objects.table import OBJECTS
from integration_tests.destination.objects import test_conversations, test_custom_objects, test_meetings
from integration_tests.destination.ways import Way, record_of, ways_of
from integration_tests.destination.world import World
from integration_tests.harness import Run, destination_config, record, stream, write
from integration_tests.sandbox import Sandbox

NEVER_COMPARED = {
    "meeting_transcript": "it stands in no list",
    "custom_object_definition": "its custom fields are not shown with it",
}
"""Objects whose rows are always sent, and why."""

NOT_SHOWN = {"conversation": {"messages"}}
"""Fields that no answer of Vitally shows, so that rows with them are always sent."""

SAMPLES = {**test_conversations.SAMPLES, **test_custom_objects.SAMPLES, **test_meetings.SAMPLES}
WAYS = [
    way
    for entry in OBJECTS
    for way in ways_of(entry)
    if way.operation in ("upsert", "update") and not way.nothing and entry.name not in NEVER_COMPARED
]


def send(sandbox: Sandbox, way: Way, world: World, given: dict[str, Any], **settings: Any) -> Run:
    chosen = destination_config(sandbox, **settings)
    if isinstance(way.route, RestRoute):
        del chosen["analytics_token"]
    chosen["mappings"] = [
        {"stream": "rows", "object": world.name, "operation": way.operation, "other_columns": "traits"}
    ]
    result = write(chosen, [stream("rows")], [record("rows", given)])
    assert result.error is None, result.log
    return result


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_what_was_written_in_any_way_is_not_sent_again(way: Way, sandbox: Sandbox) -> None:
    world = World(sandbox, way.entry, way.is_there, SAMPLES)
    given, _ = record_of(way, world)
    given = {name: value for name, value in given.items() if name not in NOT_SHOWN.get(way.entry.name, ())}
    if way.key and not way.key.documented:
        sandbox.switches.also_by_external_id = frozenset({world.resource})
    assert send(sandbox, way, world, given).counts("rows")["accepted"] == 1
    sandbox.journal.clear()
    result = send(sandbox, way, world, given, skip_unchanged=True)
    assert result.counts("rows")["unchanged"] == 1, result.log
    assert [request.path for request in sandbox.journal if request.method != "GET"] == []
