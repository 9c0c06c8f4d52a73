"""The connector's configuration: where the REST API is, and what is wrong with a config, in words to act on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

from source_vitally.scan import parse_time
from source_vitally.takeover import taken_over


def complete(config: Mapping[str, Any], specification: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config with the specification's defaults and, as `rest_url`, the address of the REST API."""
    fields = specification["properties"]
    defaults = {name: field["default"] for name, field in fields.items() if "default" in field}
    data_center = config.get("data_center")
    return {**defaults, **config, "rest_url": rest_url(data_center if isinstance(data_center, Mapping) else {})}


def rest_url(data_center: Mapping[str, Any]) -> str:
    """Return a region's REST address, without `/resources`; by Vitally's docs the EU has one host for all."""
    region = data_center.get("region")
    if region == "us":
        return f"https://{data_center.get('subdomain')}.rest.vitally.io"
    if region == "eu":
        return "https://rest.vitally-eu.io"
    return str(data_center.get("rest_url", "")).rstrip("/").removesuffix("/resources")


def other_region(data_center: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return name and REST address of the region that this config did not choose, or None for another address.

    The US host without a subdomain is the legacy one; it still answered a public client in July 2026.
    """
    regions = {"us": ("EU", "https://rest.vitally-eu.io"), "eu": ("US", "https://rest.vitally.io")}
    return regions.get(str(data_center.get("region")))


def problems(config: Mapping[str, Any], specification: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a config, a sentence per field; no sentence quotes a value, as it may be a secret."""
    config, found = taken_over(config)
    found += [
        f"'{_path(error)}' {_expectation(error)}"
        for root in Draft7Validator(dict(specification)).iter_errors(dict(config))
        for error in _leaves(root)
    ]
    start_date = config.get("start_date")
    if not found and start_date and parse_time(start_date) is None:
        found.append("'start_date' must be a date that exists, as YYYY-MM-DDTHH:mm:ssZ")
    return found


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


def _path(error: ValidationError) -> str:
    parts = [str(part) for part in error.absolute_path]
    if error.validator == "required":
        parts.append(error.message.split("'")[1])  # the only place where jsonschema names the field
    if error.validator == "oneOf":
        parts.append("region")
    return ".".join(parts)


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
