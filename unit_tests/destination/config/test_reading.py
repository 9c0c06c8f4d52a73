"""Settings: what is accepted, what is refused and how that reads, and the form they are shown in."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from airbyte_cdk.utils.airbyte_secrets_utils import get_secrets
from pydantic import BaseModel

from destination_vitally import config
from destination_vitally.commands.spec import connection_specification
from destination_vitally.errors import ConfigError
from vitally_api.regions import REGIONS

US = {"region": "us", "subdomain": "acme"}
GOOD: list[dict[str, Any]] = [
    {"data_center": US, "secret_token": "sk_live_example"},
    {"data_center": {"region": "eu"}, "analytics_token": "example"},
    {"data_center": {"region": "eu", "analytics_url": "https://api.example"}, "analytics_token": "example"},
    {
        "data_center": {
            "region": "custom",
            "rest_url": "http://127.0.0.1:1",
            "analytics_url": "http://127.0.0.1:2/x",
        },
        "secret_token": "sk_live_example",
        "analytics_token": "example",
        "mappings": [
            {
                "stream": "dim_customers",
                "namespace": "public",
                "object": "account",
                "operation": "upsert",
                "fields": [
                    {"field": "externalId", "column": "customer_id"},
                    {"field": "tags", "column": "labels", "separator": ",", "null_values": "clear"},
                ],
                "constants": [{"field": "name", "value": "Acme"}],
                "traits": [{"trait": "plan", "column": "plan_name", "cast": "text"}],
                "constant_traits": [{"trait": "seats", "value": "3", "cast": "number"}],
                "null_values": "omit",
                "other_columns": "traits",
            }
        ],
        "null_values": "clear",
        "on_rejected": "fail",
        "allow_deletes": True,
        "dry_run": True,
        "verify": "all",
        "on_unverified": "fail",
        "object_storage_config": {
            "storage_type": "S3",
            "s3_bucket_name": "acme-rejected",
            "s3_bucket_region": "eu-central-1",
            "bucket_path": "vitally",
            "access_key_id": "EXAMPLEKEYID",
            "secret_access_key": "example/secret",
            "s3_endpoint": "http://127.0.0.1:9000",
        },
        "num_workers": 20,
        "requests_per_minute": 100_000,
    },
]
BUCKET = {"storage_type": "S3", "s3_bucket_name": "acme", "s3_bucket_region": "eu-central-1", "bucket_path": "x"}


@pytest.mark.parametrize("settings", GOOD)
def test_good_settings_are_read_and_fit_the_form(settings: dict[str, Any]) -> None:
    config.read(settings)
    jsonschema.validate(settings, connection_specification())


def test_defaults() -> None:
    read = config.read(GOOD[0])
    assert (read.null_values, read.on_rejected, read.allow_deletes) == ("omit", "skip", False)
    assert (read.num_workers, read.requests_per_minute, read.mappings) == (8, 1000, [])


@pytest.mark.parametrize(
    ("data_center", "rest", "analytics"),
    [
        (US, "https://acme.rest.vitally.io", "https://acme.api.vitally.io"),
        ({"region": "eu"}, "https://rest.vitally-eu.io", "https://api.vitally-eu.io"),
        (
            {"region": "eu", "analytics_url": "https://a.example"},
            "https://rest.vitally-eu.io",
            "https://a.example",
        ),
        ({"region": "custom", "rest_url": "http://r.example"}, "http://r.example", ""),
    ],
)
def test_addresses(data_center: dict[str, Any], rest: str, analytics: str) -> None:
    read = config.read({"data_center": data_center, "secret_token": "sk_live_example"})
    assert (read.data_center.rest, read.data_center.analytics) == (rest, analytics)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"secret_token": None}, "enter REST API key (secret_token), Analytics API key (analytics_token) or both"),
        ({"secret_token": ""}, "enter REST API key (secret_token), Analytics API key (analytics_token) or both"),
        (
            {"secret_token": " ' "},
            "REST API key (secret_token) is empty but for white space or quotes: paste the key again",
        ),
        (
            {"secret_token": "hidden-value…"},
            "REST API key (secret_token) holds letters that no key has (outside ASCII): copy it again from Vitally",
        ),
        ({"secret_token": ["hidden-value"]}, "REST API key (secret_token): must be a valid string"),
        ({"data_center": None}, "Data center (data_center): "),
        ({"data_center": {"region": "hidden-value"}}, "region must be one of 'us', 'eu', 'custom'"),
        ({"data_center": {"region": "us"}}, "Data center (data_center): Subdomain is missing"),
        (
            {"data_center": {"region": "eu", "rest_url": "http://x"}},
            "Address of the REST API (rest_url) is not asked for where region is eu",
        ),
        (
            {"data_center": {"region": "custom", "rest_url": "https://hidden-value:hidden-value@vitally.example"}},
            "Data center (data_center), Address of the REST API (rest_url): must be an address such as "
            "https://rest.vitally.io, without a user name, a password",
        ),
        (
            {"data_center": {"region": "us", "subdomain": "https://hidden-value.vitally.io"}},
            "Data center (data_center), Subdomain: must be a single name such as acme, without https://",
        ),
        (
            {"data_center": {"region": "custom", "rest_url": "hidden-value"}},
            "Data center (data_center), Address of the REST API (rest_url): must be an address such as https://",
        ),
        (
            {"data_center": {"region": "custom"}},
            "Data center (data_center): Address of the REST API (rest_url) is missing",
        ),
        (
            {"data_center": {"region": "custom", "rest_url": "http://x"}, "analytics_token": "hidden-value"},
            "Address of the Analytics API (analytics_url) is needed to use the Analytics API key (analytics_token)",
        ),
        ({"num_workers": 0}, "Parallel requests (num_workers): must be greater than or equal to 1"),
        ({"maping": "hidden-value"}, "maping: there is no such setting; did you mean mappings?"),
        ({"mappings": [{"stream": "s"}]}, "Mappings, entry 1 (stream 's'), Vitally object (object): is missing"),
        (
            {"mappings": [{"stream": "s", "object": "o", "field": {}}]},
            "Mappings, entry 1 (stream 's'), field: there is no such setting; did you mean fields?",
        ),
        ({"object_storage_config": {"storage_type": "hidden-value"}}, "storage_type must be one of 'None', 'S3'"),
        (
            {"object_storage_config": {"storage_type": "S3"}},
            "Rejected records (object_storage_config), Bucket (s3_bucket_name): is missing",
        ),
        (
            {
                "object_storage_config": {
                    "storage_type": "S3",
                    "s3_bucket_name": "acme",
                    "s3_bucket_region": "eu-central-1",
                    "bucket_path": "x",
                    "access_key_id": "hidden-value",
                }
            },
            "Access key ID (access_key_id) belongs with Secret access key (secret_access_key): enter both or none",
        ),
        (
            {"object_storage_config": {**BUCKET, "role_arn": "hidden-value"}},
            "Rejected records (object_storage_config), Role ARN (role_arn): must be "
            "arn:aws:iam::123456789012:role/name",
        ),
        (
            {"object_storage_config": {**BUCKET, "format": {"format_type": "hidden-value"}}},
            "Rejected records (object_storage_config), Format: format_type must be one of 'JSONL', 'CSV'",
        ),
        (
            {"object_storage_config": {**BUCKET, "format": {}}},
            "Rejected records (object_storage_config), Format: format_type must be one of 'JSONL', 'CSV'",
        ),
        ({"mappings": [{"stream": "s", "object": " "}]}, "Vitally object (object): must not be empty"),
        (
            {"mappings": [{"stream": "s", "object": "o", "fields": [{"field": "a", "colum": "hidden-value"}]}]},
            "Mappings, entry 1 (stream 's'), Fields, entry 1, colum: there is no such setting; did you mean column?",
        ),
        (
            {
                "mappings": [
                    {"stream": "s", "object": "o", "traits": [{"trait": "a", "column": "b", "cast": "hidden-value"}]}
                ]
            },
            "Mappings, entry 1 (stream 's'), Traits, entry 1, Type (cast): must be 'text', 'number', "
            "'boolean', 'date', 'datetime', "
            "'list', 'unix_seconds' or 'unix_milliseconds'",
        ),
        ({"null_values": "hidden-value"}, "Empty values (null_values): must be 'omit' or 'clear'"),
    ],
)
def test_bad_settings_are_named_without_their_values(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.read({**GOOD[0], **changes})
    assert problem in str(caught.value)
    assert "hidden-value" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("said", "meant"), [("space", " "), ("tab", "\t"), (r"\t", "\t"), (",", ","), ("; ", ";"), (" ", None), ("", None)]
)
def test_a_separator_of_blanks_is_said_in_words(said: str, meant: str | None) -> None:
    line = {"field": "tags", "column": "labels", "separator": said}
    read = config.read({**GOOD[0], "mappings": [{"stream": "s", "object": "note", "fields": [line]}]})
    assert read.mappings[0].fields[0].separator == meant


def test_automatic_is_as_if_nothing_were_chosen() -> None:
    choices = {name: "automatic" for name in ("operation", "other_columns", "null_values")}
    line = {"field": "name", "column": "automatic", "cast": "automatic", "null_values": "automatic"}
    entry = {"stream": "automatic", "object": "note", "fields": [line], **choices}
    read = config.read({**GOOD[0], "mappings": [entry]}).mappings[0]
    assert (read.stream, read.operation, read.other_columns, read.null_values) == ("automatic", None, None, None)
    assert (read.fields[0].column, read.fields[0].cast, read.fields[0].null_values) == ("automatic", None, None)


# The form


def parts(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [part for entry in schema for part in parts(entry)]
    if isinstance(schema, dict):
        return [schema, *(part for entry in schema.values() for part in parts(entry))]
    return []


def test_the_form_is_plain_draft_07() -> None:
    schema = connection_specification()
    jsonschema.Draft7Validator.check_schema(schema)
    for part in parts(schema):
        assert not {"$ref", "$defs", "anyOf", "allOf", "discriminator", "prefixItems"} & set(part)
        assert part.get("type") != "null"
        assert not isinstance(part.get("type"), list)


def test_every_field_of_the_form_says_what_it_is() -> None:
    for part in parts(connection_specification()):
        properties = part.get("properties", {})
        if not all(isinstance(entry, dict) for entry in properties.values()):
            continue
        assert [entry["order"] for entry in properties.values()] == list(range(len(properties)))
        for name, entry in properties.items():
            assert entry["title"], name
            assert entry["type"], name
            assert "const" in entry or entry["description"], name


def test_choices_differ_in_a_constant() -> None:
    choices = connection_specification()["properties"]["data_center"]["oneOf"]
    assert [choice["properties"]["region"]["const"] for choice in choices] == list(REGIONS)
    assert all("region" in choice["required"] and choice["title"] for choice in choices)


def test_secrets_are_marked() -> None:
    assert get_secrets(connection_specification(), GOOD[3]) == [
        "sk_live_example",
        "example",
        "EXAMPLEKEYID",
        "example/secret",
    ]


def test_the_form_and_the_settings_agree_on_names_and_defaults() -> None:
    properties = connection_specification()["properties"]
    assert list(properties) == list(config.Config.model_fields)
    for name, field in config.Config.model_fields.items():
        if field.default is not None and not field.is_required():
            default = field.default
            assert properties[name]["default"] == (default.model_dump() if isinstance(default, BaseModel) else default)
