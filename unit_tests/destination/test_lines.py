"""Lines of JSON: what is read, what is written, and that a member put in leaves every other byte as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destination_vitally.lines import DEEPEST, TOO_DEEP, dumps, member, parse, with_member

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
STATS = {"recordCount": 1.0}


@given(
    state=st.dictionaries(st.sampled_from(["a", "state", "destinationStats", '"}{']), VALUES),
    more=VALUES,
    separators=st.sampled_from([(",", ":"), (" , ", " : "), (",\t", ":\r\n")]),
    plain=st.booleans(),
)
def test_a_member_is_put_in_and_nothing_else_changes(
    state: dict[str, Any], more: Any, separators: tuple[str, str], plain: bool
) -> None:
    message = {"before": more, "state": state, "after": more}
    line = json.dumps(message, separators=separators, ensure_ascii=plain).encode("utf-8", "surrogatepass")
    found = with_member(line, ("state", "destinationStats"), dumps(STATS))
    assert json.loads(found) == {**message, "state": {**state, "destinationStats": STATS}}
    if "destinationStats" not in state:
        added = dumps({"destinationStats": STATS})[1:-1]
        assert found.replace(b"," + added if state else added, b"", 1) == line


def test_of_a_member_that_is_there_twice_the_last_counts() -> None:
    line = b'{"state":{"x":1},"state":{"y":2}}'
    assert with_member(line, ("state", "z"), b"3") == b'{"state":{"x":1},"state":{"y":2,"z":3}}'
    assert member(line, "state") == b'{"y":2}'


@pytest.mark.parametrize("line", [b"{}", b'{"state":1}', b'{"state":[{}]}', b"[]", b"", b'{"x":{"state":{}}}'])
def test_without_the_object_nothing_is_put_in(line: bytes) -> None:
    with pytest.raises(ValueError, match="state"):
        with_member(line, ("state", "destinationStats"), b"1")


@pytest.mark.parametrize("levels", [1, DEEPEST - 4, DEEPEST - 2, 254, 300, 1024, 5000, 300_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_what_is_nested_too_deeply_costs_its_column_and_no_more(levels: int, opening: str, closing: str) -> None:
    value = opening * levels + "1" + closing * levels
    line = f'{{"record":{{"data":{{"text":"{"[" * 400}","deep":{value},"good":[1]}}}}}}'.encode()
    data = parse(line)["record"]["data"]
    assert data["good"] == [1]
    assert (data["deep"] is TOO_DEEP) == (levels > DEEPEST - 3)
    assert dumps(data)


@pytest.mark.parametrize("line", [b"[" * 3000, b"[" * 300 + b"]" * 299, b"]" * 300 + b"[" * 300, b"{" * 300])
def test_what_does_not_close_is_no_json(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(line)


@given(VALUES)
def test_what_is_written_is_read_as_it_was(value: Any) -> None:
    assert parse(dumps(value)) == value


def test_integers_of_any_length_are_kept_to_the_digit() -> None:
    assert dumps({"n": [2**70, -(2**70)]}) == b'{"n":[%d,%d]}' % (2**70, -(2**70))
    assert dumps({"b": 2**70, "a": 1}, sort_keys=True) == b'{"a":1,"b":%d}' % 2**70
    assert parse(b'{"n":-9223372036854775809,"m":18446744073709551616}') == {"n": -(2**63) - 1, "m": 2**64}


@pytest.mark.parametrize("value", [{"x": 1j}, {"x": [{"y": {1, 2}}]}, {"n": 2**70, "x": object()}])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        dumps(value)
