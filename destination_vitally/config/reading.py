"""Reads a configuration, and says what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from destination_vitally.config.base import setting, texts_of
from destination_vitally.config.settings import Config
from destination_vitally.errors import ConfigError
from vitally_api import settings

TAGS = {"storage_type": "'None', 'S3'", "format_type": "'JSONL', 'CSV'"}
"""The choices of the settings that have several shapes."""

WORDS = {
    "Value error, ": "",
    "Input should be": "must be",
    "Field required": "is missing",
    "String should have at least 1 character": "must not be empty",
}
"""What pydantic says, and what is said instead."""

SHAPES = ("None", "S3", "JSONL", "CSV")
"""Their names, which pydantic puts into the place of an error."""


def read(config: Mapping[str, Any]) -> Config:
    """Return the settings of a configuration, checked and with its defaults applied.

    Raises:
        ConfigError: names each setting that is wrong and what is wrong with it, never its value.
    """
    try:
        return Config.model_validate({k: v for k, v in config.items() if not k.startswith("__")})
    except ValidationError as error:
        problems = [_problem(e, config) for e in error.errors(include_url=False, include_input=False)]
        # The pydantic error quotes the values, secrets included: it must not be chained.
        raise ConfigError("The configuration is not complete or not valid: " + "; ".join(problems)) from None


def _problem(error: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    where = _where(error["loc"], config)
    text = str(error["msg"])
    for theirs, ours in WORDS.items():
        text = text.replace(theirs, ours)
    if error["type"] == "extra_forbidden":
        text = settings.problem_of_unknown(str(error["loc"][-1]), _part_at(error["loc"]).model_fields)
    elif error["type"] == "string_pattern_mismatch":
        text = f"must be {texts_of(error['loc'][-1], _part_at(error['loc']).__name__)['pattern_descriptor']}"
    elif error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        discriminator = error["ctx"]["discriminator"].strip("'")
        text = f"{discriminator} must be one of {error['ctx'].get('expected_tags') or TAGS[discriminator]}"
    return f"{where}: {text}" if where else text


def _where(location: Sequence[Any], config: Any) -> str:
    """Return a place in the words of the form: titles, and entries counted from one, named by their stream."""
    words: list[str] = []
    for depth, step in enumerate(location, start=1):
        if step in SHAPES:
            continue
        config = config[step] if isinstance(config, (Mapping, list)) and step in _steps(config) else None
        stream = config.get("stream") if isinstance(config, Mapping) else None
        if isinstance(step, int):
            words.append(f"entry {step + 1}" + (f" (stream '{stream}')" if isinstance(stream, str) else ""))
        else:
            words.append(setting(step, _part_at(location[:depth]).__name__))
    return ", ".join(words)


def _steps(value: Mapping[str, Any] | list[Any]) -> Iterable[Any]:
    return value if isinstance(value, Mapping) else range(len(value))


def _part_at(location: Sequence[Any]) -> type[BaseModel]:
    """Return the part of the settings that an unknown setting is in."""
    part: type[BaseModel] = Config
    for name in location[:-1]:
        if name in part.model_fields:
            # Of several shapes of a part, the one with settings of its own is the last.
            part = _parts_in(part.model_fields[name].annotation)[-1]
    return part


def _parts_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [part for argument in get_args(annotation) for part in _parts_in(argument)]
