"""The chaos runs as tests: a few dozen seeds here, `make chaos SEEDS=300` for hundreds, one again by its number.

The environment says which: CHAOS_SEEDS how many, CHAOS_FIRST from where on.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from integration_tests.chaos import destination_run, mirror_run, source_run, unchanged_run, undo_run

ASKED = os.environ.get("CHAOS_SEEDS")
FIRST = int(os.environ.get("CHAOS_FIRST", "0"))
# A sync of the source costs a second, most of it the CDK's start.
SOURCE_SEEDS = range(FIRST, FIRST + int(ASKED or 5))
DESTINATION_SEEDS = range(FIRST, FIRST + int(ASKED or 24))
MIRROR_SEEDS = range(FIRST, FIRST + int(ASKED or 8))
UNCHANGED_SEEDS = range(FIRST, FIRST + int(ASKED or 16))
UNDO_SEEDS = range(FIRST, FIRST + int(ASKED or 16))


def make(run: Callable[[int], None], seed: int) -> None:
    """Make one chaos run; a failure says how to make it again."""
    try:
        run(seed)
    except AssertionError as failure:
        raise AssertionError(f"{failure}\nAgain: make chaos FIRST={seed} SEEDS=1") from failure


@pytest.mark.parametrize("seed", SOURCE_SEEDS)
def test_source(seed: int) -> None:
    make(source_run.run, seed)


@pytest.mark.parametrize("seed", DESTINATION_SEEDS)
def test_destination(seed: int) -> None:
    make(destination_run.run, seed)


@pytest.mark.parametrize("seed", MIRROR_SEEDS)
def test_mirror(seed: int) -> None:
    make(mirror_run.run, seed)


@pytest.mark.parametrize("seed", UNCHANGED_SEEDS)
def test_unchanged(seed: int) -> None:
    make(unchanged_run.run, seed)


@pytest.mark.parametrize("seed", UNDO_SEEDS)
def test_undo(seed: int) -> None:
    make(undo_run.run, seed)
