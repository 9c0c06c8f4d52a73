"""The table of objects holds together."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from destination_vitally.objects.model import BatchRoute, Lookup, Object, Requirement, RestRoute, Verb
from destination_vitally.objects.table import BY_NAME, OBJECTS, rank, read

every_object = pytest.mark.parametrize("entry", OBJECTS, ids=lambda entry: entry.name)


def required(requirements: tuple[Requirement, ...]) -> set[str]:
    return {name for r in requirements for name in ((r,) if isinstance(r, str) else r)}


@pytest.mark.parametrize(
    ("word", "value", "problem"),
    [
        ("kindd", "text", "Unexpected keyword"),
        ("kind", "txt", "should be 'text', 'number'"),
        ("name", None, "valid string"),
    ],
)
def test_a_word_that_the_model_does_not_know_is_an_error(word: str, value: Any, problem: str) -> None:
    facts = {"description": "A thing", "operations": {}, "fields": {"size": {word: value}}}
    with pytest.raises(ValidationError, match=problem):
        read({"messages": {}, "objects": {"thing": facts}})


def test_names_and_streams_are_unique() -> None:
    names = [name for entry in OBJECTS for name in {entry.name, *entry.streams}]
    assert len(names) == len(set(names))


@every_object
def test_what_an_entry_names_exists(entry: Object) -> None:
    fields = {field.name for field in entry.fields}
    assert len(fields) == len(entry.fields)
    for routes in entry.operations.values():
        for route in routes:
            assert required(route.requires) <= fields
            if isinstance(route, RestRoute):
                assert required(route.to_create) <= fields
                assert entry.path or entry.name == "custom_object/*"
    assert (
        set(entry.exactly_one) | set(entry.resend_on_update) | {n for key in entry.keys for n in key.fields} <= fields
    )
    assert set(re.findall(r"{(\w+)}", entry.path)) <= fields
    assert not fields & entry.read_only - {"id"}
    for field in entry.fields:
        assert field.refers is None or field.refers in BY_NAME


@every_object
def test_what_tells_rows_is_an_id(entry: Object) -> None:
    """Of an id an empty text is no value, so that no row is told by nothing."""
    keys = [entry.field(name) for key in entry.keys for name in key.fields]
    assert all(field is not None and field.is_id for field in keys)
    assert keys or not {"update", "delete"} & entry.operations.keys(), "what is changed is told by a key"


@every_object
def test_an_object_and_its_fields_are_described_each_in_its_own_words(entry: Object) -> None:
    where = "in destination_vitally/objects/objects.yaml: discover shows it to the person who maps columns"
    described = {f"{entry.name}.{field.name}": field.description for field in entry.fields}
    for name, text in {entry.name: entry.description, **described}.items():
        assert text, f"{name} has no description {where}"
        assert text[0].isupper(), f"the description of {name} begins with a capital letter"
        assert text[-1] not in ".,;:", f"the description of {name} is a phrase without a full stop"
        assert len(text) <= 100, f"the description of {name} is too long to be read in a form"
        assert text.casefold() != name.rsplit(".", 1)[-1].casefold(), f"the description of {name} only repeats its name"
    assert len(set(described.values())) == len(described), f"two fields of {entry.name} have the same description"
    others = [other.description for other in OBJECTS if other is not entry]
    assert entry.description not in others, f"another object is described as {entry.name} is"


@every_object
def test_a_message_says_every_field_it_requires(entry: Object) -> None:
    for routes in entry.operations.values():
        for route in routes:
            if isinstance(route, BatchRoute):
                on_the_wire = {field.name for field in entry.fields if field.analytics}
                assert required(route.requires) - {"messageId"} <= on_the_wire


@every_object
def test_what_has_to_be_looked_up_can_be(entry: Object) -> None:
    for routes in entry.operations.values():
        for route in routes:
            if isinstance(route, RestRoute) and route.verb is Verb.FIND_OR_POST:
                assert entry.can_look_up()
    if entry.can_look_up(Lookup.IN_PARENT):
        assert any(field.refers in ("account", "organization") for field in entry.fields)


def test_parents_have_the_lower_rank() -> None:
    order = ["organization", "account", "user", "membership"]
    assert [rank(BY_NAME[name]) for name in order] == [0, 1, 2, 3]
    for entry in OBJECTS:
        for field in entry.references():
            assert field.refers is not None
            assert rank(BY_NAME[field.refers]) < rank(entry)
