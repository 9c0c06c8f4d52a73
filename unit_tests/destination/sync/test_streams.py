"""Lines of input, and the stream that each is of."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.errors import InputError
from destination_vitally.sync.streams import NAMED, Streams, named, parsed
from unit_tests.destination.builders import configured, planned, settings
from unit_tests.destination.syncs import status


def streams_of(*names: tuple[str | None, str]) -> Streams:
    """The streams of a catalog, each with its namespace."""
    catalog = [configured("accounts") for _ in names]
    for stream, (namespace, name) in zip(catalog, names, strict=True):
        stream["stream"] |= {"name": name, "namespace": namespace}
    mappings = [
        {"stream": name, "object": "account", "other_columns": "traits"} for name in {name for _, name in names}
    ]
    return Streams(planned(settings(mappings=mappings), *catalog))


def titles(plans: Any) -> list[str] | None:
    return None if plans is None else [plan.title for plan in plans]


@pytest.mark.parametrize(
    ("catalog", "namespace", "name", "title"),
    [
        ([(None, "a")], None, "a", "a"),
        ([(None, "a")], "", "a", "a"),
        # Some platforms leave the namespace out on one side.
        ([("eu", "a")], None, "a", "eu.a"),
        ([(None, "a")], "eu", "a", "a"),
        ([("eu", "a")], "us", "a", None),
        ([("eu", "a"), ("us", "a")], "us", "a", "us.a"),
        ([("eu", "a"), ("us", "a")], None, "a", None),
        ([(None, "a")], None, "b", None),
        ([(None, "a")], None, None, None),
        ([(None, "a")], ["odd"], "a", None),
        ([(None, "a")], None, {"odd": 1}, None),
    ],
)
def test_a_stream_is_found_by_its_name_and_namespace(
    catalog: list[tuple[str | None, str]], namespace: Any, name: Any, title: str | None
) -> None:
    found = streams_of(*catalog).find(namespace, name)
    assert titles(found) == ([title] if title else [])


@pytest.mark.parametrize(
    ("state", "covered"),
    [
        ({"type": "GLOBAL", "global": {}}, ["a", "b"]),
        ({"data": {}}, ["a", "b"]),
        ({"stream": {"stream_descriptor": {"name": "b"}}}, ["b"]),
        ({"stream": {"stream_descriptor": {"name": "other"}}}, []),
        (None, None),
        ([], None),
        ("x", None),
        ({"stream": "b"}, None),
        ({"stream": {"x": 1}}, None),
        ({"stream": {"stream_descriptor": {}}}, None),
    ],
)
def test_a_state_covers_its_stream_or_all(state: Any, covered: list[str] | None) -> None:
    """Given a state of a stream that is not in the catalog, then it covers none, and is given back all the same."""
    assert titles(streams_of((None, "a"), (None, "b")).covered(state)) == covered


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (status("a", "COMPLETE"), "a"),
        (status("a", "INCOMPLETE"), None),
        (status("other", "COMPLETE"), None),
        ({}, None),
        ({"trace": []}, None),
        ({"trace": {"stream_status": "COMPLETE"}}, None),
        ({"trace": {"stream_status": {"status": "COMPLETE", "stream_descriptor": "a"}}}, None),
    ],
)
def test_a_trace_names_the_stream_of_which_it_says_something(message: dict[str, Any], found: str | None) -> None:
    assert titles(streams_of((None, "a")).with_status(message, "COMPLETE")) == ([found] if found else [])


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"stream": "s"}, "stream 's'"),
        ({"stream": "s", "namespace": "eu"}, "stream 's' of namespace 'eu'"),
        ({}, "stream without a name"),
        ({"stream": 1, "namespace": []}, "stream without a name"),
        ({"stream": "x" * 1000}, f"stream '{'x' * NAMED}'"),
    ],
)
def test_an_error_names_a_stream_in_few_words(record: dict[str, Any], text: str) -> None:
    assert named(record) == text


@pytest.mark.parametrize("line", [b"", b"secret", b"[]", b"{}", b'{"type": 1}', b'{"type": "RECORD"', b"\xff"])
def test_a_line_that_is_no_message_is_not_quoted(line: bytes) -> None:
    with pytest.raises(InputError) as caught:
        parsed(line, 7)
    assert str(caught.value.message) == "Line 7 of the input is not an Airbyte message."
    assert parsed(b'{"type": "LOG"}', 7) == {"type": "LOG"}
