"""A config set up in Airbyte stays set up: both specs are held against the rules of its form."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from destination_vitally import DestinationVitally
from destination_vitally import config as configuration
from destination_vitally.errors import ConfigError
from integration_tests.form import rules
from integration_tests.form.configs import configs
from integration_tests.form.rules import Card, FormError
from integration_tests.harness import resolved_manifest
from unit_tests.pages import Page

LOGGER = logging.getLogger("airbyte")
SPECS: dict[str, Mapping[str, Any]] = {
    "source": resolved_manifest()["spec"]["connection_specification"],
    "destination": DestinationVitally().spec(LOGGER).connectionSpecification,
}
each = pytest.mark.parametrize("name", SPECS)
KEY = {"data_center": {"region": "eu"}, "secret_token": "example"}


@each
@settings(max_examples=50)
@given(data=st.data())
def test_every_config_survives_open_change_nothing_save(name: str, data: st.DataObject) -> None:
    config = data.draw(configs(SPECS[name]))
    jsonschema.validate(config, SPECS[name])
    assert rules.saved(SPECS[name], config) == config


@settings(max_examples=50)
@given(config=configs(SPECS["destination"], tidy=False))
def test_what_the_form_takes_away_means_nothing(config: dict[str, Any]) -> None:
    config.update(KEY)
    try:
        before = configuration.read(config)
    except ConfigError:
        return
    assert configuration.read(rules.saved(SPECS["destination"], config)) == before


@each
def test_each_setting_can_be_reached(name: str) -> None:
    assert rules.settings(SPECS[name]) == rules.reachable(SPECS[name])


def test_the_form_of_the_destination_reads_from_top_to_bottom() -> None:
    assert rules.cards(SPECS["destination"]) == [
        Card("Workspace", ["data_center", "secret_token", "analytics_token"]),
        Card("From tables to Vitally", ["mappings", "null_values", "unknown_parents", "skip_unchanged"]),
        Card(
            "Safety",
            [
                *("dry_run", "allow_deletes", "max_deletes_percent", "on_rejected", "reject_limit_percent"),
                *("verify", "on_unverified", "object_storage_config", "journal"),
            ],
        ),
        Card("Pace", [], ["num_workers", "requests_per_minute"]),
    ]


def test_a_mapping_reads_from_top_to_bottom() -> None:
    mappings = next(b for b in rules.block(SPECS["destination"]).inner if b.name == "mappings")
    assert rules.reading_order(mappings.inner) == (
        ["stream", "object", "operation", "fields", "traits", "constants", "other_columns"],
        [
            "constant_traits",
            "null_values",
            "rows_are",
            "missing_rows",
            "missing_rows_grace_hours",
            "time_zone",
            "namespace",
        ],
    )
    for entries in mappings.inner:
        if entries.kind == "list of objects":
            shown, _ = rules.reading_order(entries.inner)
            assert shown == [b.name for b in entries.inner if b.is_required]


def test_the_form_of_the_source_shows_what_is_required_first() -> None:
    [card] = rules.cards(SPECS["source"])
    assert card.open[:2] == ["data_center", "secret_token"]
    shown = [name for name, field in SPECS["source"]["properties"].items() if not field.get("airbyte_hidden")]
    assert card.open + card.closed == shown


def parts(schema: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, Mapping):
        yield schema
    for inner in schema.values() if isinstance(schema, Mapping) else schema if isinstance(schema, list) else ():
        yield from parts(inner)


@each
def test_words_of_the_form_are_plain_text(name: str) -> None:
    for part in parts(SPECS[name]):
        for word in ("title", "description", "pattern_descriptor"):
            text = part.get(word)
            if isinstance(text, str):
                assert not re.search(r"[`*<>]|\]\(", text), f"the form shows the marks of: {text}"


@each
def test_secrets_are_hidden_and_patterns_have_words(name: str) -> None:
    for part in parts(SPECS[name]):
        for key, schema in part.get("properties", {}).items() if isinstance(part.get("properties"), Mapping) else ():
            if isinstance(schema, Mapping) and re.search("token|secret|access_key", key):
                assert schema["airbyte_secret"], key
        if isinstance(part.get("pattern"), str):
            assert part["pattern_descriptor"]


@each
def test_what_is_optional_can_be_emptied_and_unchosen(name: str) -> None:
    for part in parts(SPECS[name]):
        for key, schema in part.get("properties", {}).items() if isinstance(part.get("properties"), Mapping) else ():
            if key in part.get("required", ()) or "const" in schema:
                continue
            assert re.search(schema.get("pattern", ""), ""), f"{key} blocks Save once it was touched"
            assert (
                "enum" not in schema
                or {"automatic"} & set(schema["enum"])
                or "default" in schema
                or key == "missing_rows"
            )


@each
def test_the_server_holds_a_setting_to_no_more_than_the_form(name: str) -> None:
    for part in parts(SPECS[name]):
        assert not isinstance(part.get("format"), str), "the server asserts formats, the form does not"
        if part.get("type") == "integer":
            assert part["multipleOf"] == 1, "the form takes fractions of what is an integer"


@each
def test_another_address_is_not_saved_without_one(name: str) -> None:
    custom = {**KEY, "data_center": {"region": "custom"}}
    with pytest.raises(FormError, match=r"data_center.rest_url: this field is required"):
        rules.saved(SPECS[name], custom)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(custom, SPECS[name])


@each
def test_a_new_entry_of_a_list_is_empty(name: str) -> None:
    for part in parts(SPECS[name]):
        items = part.get("items")
        if part.get("type") == "array" and isinstance(items, Mapping):
            assert not [key for key, schema in items.get("properties", {}).items() if "default" in schema]


@pytest.mark.parametrize("example", Page("destination-vitally*.md").examples("Mappings"), ids=lambda e: e["stream"])
def test_the_examples_of_the_page_can_be_typed_in_and_stay(example: dict[str, Any]) -> None:
    spec = SPECS["destination"]
    config = {**KEY, "mappings": [example]}
    assert rules.saved(spec, config) == config
    typed: set[tuple[str, ...]] = {("mappings", name) for name in example}
    typed |= {
        ("mappings", name, key)
        for name, entries in example.items()
        if isinstance(entries, list)
        for e in entries
        for key in e
    }
    assert typed <= rules.reachable(spec)


# The rules themselves: what they say of a form that the destination once had.

OLD = {"type": "object", "properties": {"fields": {"type": "object", "additionalProperties": {"type": "string"}}}}


def test_a_map_with_free_keys_is_emptied_and_cannot_be_reached() -> None:
    assert rules.saved(OLD, {"fields": {"externalId": "customer_id"}}) == {"fields": {}}
    assert rules.settings(OLD) - rules.reachable(OLD) == {("fields",)}


def test_unknown_keys_are_stripped_wherever_they_are() -> None:
    config = {**KEY, "more": 1, "mappings": [{"stream": "s", "object": "event", "more": 1}], "num_workers": 3}
    config["data_center"] = {"region": "eu", "subdomain": "acme"}
    assert rules.saved(SPECS["destination"], config) == {
        **KEY,
        "mappings": [{"stream": "s", "object": "event"}],
        "num_workers": 3,
    }


def test_choices_need_a_constant() -> None:
    with pytest.raises(FormError):
        rules.block({"type": "object", "oneOf": [{"properties": {"a": {"type": "string"}}}]})
    with pytest.raises(FormError):
        rules.block({"type": "array", "items": {"type": "object", "oneOf": [{}]}})
