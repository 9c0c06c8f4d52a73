"""The source's configuration: what is wrong with one, in words to act on, and what the manifest needs beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

from source_vitally.config_migration import migrated
from source_vitally.times import parse_time
from vitally_api.cloud import problem_of_address
from vitally_api.keys import problem_of_key
from vitally_api.regions import REGIONS, rest_url
from vitally_api.settings import FIELDS, problem_of_unknown

REST_URL = "__rest_url"
"""Where `complete` puts the address of the REST API."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_INTERNAL = "_"
"""How the names begin under which the CDK and platforms put something of their own into a config."""


def complete(config: Mapping[str, Any], specification: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config with the specification's defaults and the address of the REST API.

    One of 0.4 that cannot be migrated gets no defaults: it is refused as it was given.
    """
    config = without_nulls(config)
    fields = {} if migrated(config)[1] else specification["properties"]
    defaults = {name: field["default"] for name, field in fields.items() if "default" in field}
    whole = {**defaults, **config, REST_URL: rest_url(config.get("data_center"))}
    return {**whole, "survey_ids": list(dict.fromkeys(filter(None, map(survey_id, whole.get("survey_ids", [])))))}


def without_nulls(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config without settings that are null, which is how tools write one that is not given."""
    found = {name: value for name, value in config.items() if value is not None}
    data_center = found.get("data_center")
    return found | ({"data_center": without_nulls(data_center)} if isinstance(data_center, Mapping) else {})


def survey_id(text: str) -> str:
    """Return the id of a survey from what a person has pasted: the id itself, or the address of one of its pages."""
    if found := _UUID.findall(text):
        return str(found[-1])
    path = re.split("[?#]", text.strip())[0].rstrip("/")
    below = path.split("/surveys/")[-1]
    return below.split("/")[0] if below != path else path.split("/")[-1]


def require_valid(config: Mapping[str, Any], specification: Mapping[str, Any]) -> None:
    """Do nothing where a config can be used.

    Raises:
        AirbyteTracedException: A config error that lists what is wrong with it.
    """
    found = problems(config, specification)
    if found:
        raise AirbyteTracedException(
            message="The configuration is not complete or not valid: " + "; ".join(found) + ".",
            internal_message="Config validation failed",
            failure_type=FailureType.config_error,
        )


def problems(config: Mapping[str, Any], specification: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a config, a sentence per field; no sentence quotes a value, as it may be a secret."""
    config, found = migrated(without_nulls(config))
    found += [
        f"{_named(_path(error), specification)} {_expectation(error)}"
        for root in Draft7Validator(dict(specification)).iter_errors(dict(config))
        for error in _leaves(root)
    ]
    key = config.get("secret_token")
    if isinstance(key, str) and key and (problem := problem_of_key(key)):
        found.append(f"REST API key (secret_token) {problem}")
    if problem := problem_of_address(rest_url(config.get("data_center")), os.environ):
        found.append(f"{_named(('data_center', 'rest_url'), specification)} {problem}")
    start_date = config.get("start_date")
    if not found and start_date and parse_time(start_date) is None:
        found.append("Start date (start_date) must be a date that exists, as YYYY-MM-DDTHH:mm:ssZ")
    shown = [name for name, field in specification["properties"].items() if not field.get("airbyte_hidden")]
    return found + list(_unknown("", config, shown)) + list(_unknown_in_data_center(config))


def _unknown_in_data_center(config: Mapping[str, Any]) -> Iterator[str]:
    data_center = config.get("data_center")
    if isinstance(data_center, Mapping):
        # A form may keep what was filled in for another region, and the destination's form asks for more than this one.
        known = {name for region in REGIONS.values() for name in region.fields(analytics=True)}
        yield from _unknown("data_center.", data_center, {"region", *known})


def _unknown(place: str, given: Mapping[str, Any], known: Iterable[str]) -> Iterator[str]:
    known = sorted(known)
    for name in given:
        if name not in known and not name.startswith(_INTERNAL):
            yield f"{place}{name}: {problem_of_unknown(name, known)}"


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Yield what is wrong inside the chosen branch of a `oneOf`, or the `oneOf` itself where no branch is chosen."""
    if error.validator != "oneOf":
        yield error
        return
    for index, region in enumerate(_regions(error)):
        if isinstance(error.instance, Mapping) and error.instance.get("region") == region:
            yield from (inner for inner in error.context or () if inner.schema_path[0] == index)
            return
    yield error


def _regions(error: ValidationError) -> list[str]:
    branches: Any = error.validator_value
    return [branch["properties"]["region"]["const"] for branch in branches]


def _path(error: ValidationError) -> list[str | int]:
    parts = list(error.absolute_path)
    if error.validator == "required":
        parts.append(error.message.split("'")[1])  # the only place where jsonschema names the field
    if error.validator == "oneOf":
        parts.append("region")
    return parts


def _named(path: Iterable[str | int], specification: Mapping[str, Any]) -> str:
    """Return a place in a config in the words of the form: titles, each with its key, and entries counted from one."""
    known = {**FIELDS, **specification["properties"]}
    words = []
    for step in path:
        title = known.get(step, {}).get("title", step) if isinstance(step, str) else f"entry {step + 1}"
        is_setting = isinstance(step, str) and title.lower() != step
        words.append(f"{title} ({step})" if is_setting else title)
    return ", ".join(words)


def _expectation(error: ValidationError) -> str:
    value: Any = error.validator_value
    schema: Any = error.schema
    texts: Mapping[Any, Callable[[], str]] = {
        "required": lambda: "is missing",
        "oneOf": lambda: "must be one of " + ", ".join(_regions(error)),
        "enum": lambda: "must be one of " + ", ".join(map(str, value)),
        "pattern": lambda: f"must be {schema['pattern_descriptor']}",
        "minLength": lambda: "must not be empty",
        "minimum": lambda: f"must be at least {value}",
        "maximum": lambda: f"must be at most {value}",
        "type": lambda: f"must be of type {value}",
    }
    return texts.get(error.validator, lambda: "is not valid")()
