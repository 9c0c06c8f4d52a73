"""Adding a stream as CONTRIBUTING describes it: each step that is forgotten is named."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from integration_tests.sandbox import Sandbox
from integration_tests.sandbox.resources import RESOURCES
from integration_tests.source.reference import LISTS, MADE_OTHERWISE, MANIFEST, one_pass
from source_vitally.schema import streams_of_table
from unit_tests.pages import ROOT, Page, names

STEPS = {
    "fields": "step 1: its fields are not in source_vitally/schemas.yaml",
    "stream": "step 2: it has no entry under `streams` in source_vitally/manifest.yaml",
    "documented": "step 3: it has no row in the table *Supported Streams* of docs/source-vitally.md",
    "served": "step 4: the sandbox does not serve its list, or has no rows of it (integration_tests/sandbox/resources)",
}
# Streams that discover makes, one per custom object: the name of their fields, and of their row in the docs.
OF_CUSTOM_OBJECTS = {"custom_object_instances", "custom_object_<name>"}


def documented() -> set[str]:
    return {names(row[0])[0] for row in Page("source-vitally.md").table("Supported Streams")}


def forgotten(stream: str, done: Mapping[str, set[str]]) -> list[str]:
    """Return the steps that were not done for a stream, in the order of CONTRIBUTING."""
    return [f"A new stream, {stream}, {sentence}." for step, sentence in STEPS.items() if stream not in done[step]]


def has_rows(sandbox: Sandbox, stream: str) -> bool:
    return any(True for filters in LISTS[stream][1] for _ in one_pass(sandbox, stream, filters))


@pytest.fixture(scope="module")
def done() -> dict[str, set[str]]:
    with Sandbox(seed=1) as sandbox:
        served = {name for name, (path, _) in LISTS.items() if path in RESOURCES and has_rows(sandbox, name)}
    return {
        "fields": set(streams_of_table()),
        "stream": set(MANIFEST),
        "documented": documented(),
        "served": served | MADE_OTHERWISE,
    }


@pytest.mark.parametrize("stream", sorted({*MANIFEST, *streams_of_table(), *documented()} - OF_CUSTOM_OBJECTS))
def test_no_step_was_forgotten(stream: str, done: dict[str, set[str]]) -> None:
    assert forgotten(stream, done) == []


@pytest.mark.parametrize("step", STEPS)
def test_a_forgotten_step_is_named(step: str, done: dict[str, set[str]]) -> None:
    all_but_one = {name: found | ({"made_up"} if name != step else set()) for name, found in done.items()}
    assert forgotten("made_up", all_but_one) == [f"A new stream, made_up, {STEPS[step]}."]


def test_contributing_has_these_steps() -> None:
    section = (ROOT / "CONTRIBUTING.md").read_text().split("\n## A new stream\n")[1].split("\n## ")[0]
    steps = [line for line in section.splitlines() if line[:1].isdigit()]
    assert [line.split(".")[0] for line in steps] == [sentence[len("step ")] for sentence in STEPS.values()]
    for line, place in zip(steps, ("schemas.yaml", "manifest.yaml", "source-vitally.md", "sandbox"), strict=True):
        assert place in line
