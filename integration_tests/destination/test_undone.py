"""A sync and its undo leave the workspace as it was, apart from what the undo lists; what others changed stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from destination_vitally import destination
from integration_tests.destination.journaled import KeptBucket
from integration_tests.destination.test_journal import WAYS, journaling, mapped
from integration_tests.destination.undone import rows_of, undone, unlisted
from integration_tests.destination.ways import Way, record_of
from integration_tests.destination.world import World
from integration_tests.harness import record, stream, write
from integration_tests.sandbox import Sandbox


@pytest.fixture
def bucket(sandbox: Sandbox) -> Iterator[KeptBucket]:
    """A bucket that each sync of the test writes to."""
    kept = KeptBucket(sandbox)
    with patch.object(destination, "open_bucket", lambda storage: kept):
        yield kept


@pytest.mark.parametrize(
    ("way", "samples"),
    [one for one in WAYS if not one[0].nothing],
    ids=[str(way) for way, _ in WAYS if not way.nothing],
)
def test_every_way_to_write_a_row_is_undone(
    way: Way, samples: Any, sandbox: Sandbox, bucket: KeptBucket, tmp_path: Path
) -> None:
    world = World(sandbox, way.entry, way.is_there, samples)
    given, _ = record_of(way, world)
    sandbox.clock.advance(3600)
    if way.key and not way.key.documented:
        sandbox.switches.also_by_external_id = frozenset({world.resource})
    before = rows_of(sandbox)
    settings = journaling(sandbox, mappings=mapped(world.name, way.operation), max_deletes_percent=100)
    assert write(settings, [stream("rows")], [record("rows", given)]).counts("rows")["accepted"] == 1
    sandbox.clock.advance(3600)

    run = undone(settings, bucket, tmp_path)

    assert run.error is None, run.log
    assert unlisted(before, rows_of(sandbox), run) == [], run.log
    after = rows_of(sandbox)
    undone(settings, bucket, tmp_path)
    assert rows_of(sandbox) == after, "undoing twice changes nothing"
