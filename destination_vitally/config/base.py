"""What all parts of the configuration have in common."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from vitally_api import settings

Text = Annotated[str, Field(min_length=1)]
Percent = Annotated[int, Field(ge=0, le=100)]

UNCHOSEN = "automatic"
"""What a choice without a default offers besides: as if nothing were chosen, which a form cannot go back to."""


@cache
def form() -> dict[str, Any]:
    """Return what Airbyte's form says of the settings: `form.yaml`."""
    found: dict[str, Any] = yaml.load(
        pkgutil.get_data(__package__, "form.yaml") or b"",
        getattr(yaml, "CSafeLoader", yaml.SafeLoader),  # noqa: S506, both are safe
    )
    return found


_SHARED: Mapping[str, Mapping[str, Any]] = {
    "data_center": settings.data_center(analytics=True),
    "secret_token": settings.SECRET_TOKEN,
    "num_workers": settings.NUM_WORKERS,
    "requests_per_minute": settings.REQUESTS_PER_MINUTE,
}


def texts_of(name: str, part: str = "Config") -> Mapping[str, Any]:
    """Return what the form says of a setting of a part of the configuration; nothing for one that does not exist."""
    if part == "DataCenter":
        return settings.FIELDS.get(name, {})
    return {**_SHARED.get(name, {}), **form().get(part, {}).get("settings", {}).get(name, {})}


def setting(name: str, part: str = "Config") -> str:
    """Return what messages call a setting: its title in the form, and its key in brackets where that is another."""
    title = texts_of(name, part).get("title", name)
    return title if title.lower() == name else f"{title} ({name})"


def _described(schema: dict[str, Any], part: type[BaseModel]) -> None:
    """Put what the form says of a part of the settings into its JSON schema."""
    said = form().get(part.__name__, {"title": part.__name__})
    schema["title"] = said["title"]
    for name, texts in said.get("settings", {}).items():
        schema["properties"][name].update(texts)


class Settings(BaseModel):
    """Base of all parts: a setting that does not exist is an error, so that a typo cannot go unnoticed.

    Spaces around a text, and a text of nothing else, mean nothing: Airbyte's form takes them away when it saves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, json_schema_extra=_described)

    @model_validator(mode="before")
    @classmethod
    def _blank_is_absent(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {k: v for k, v in given.items() if not (k in cls.model_fields and cls._is_unsaid(k, v))}

    @classmethod
    def _is_unsaid(cls, name: str, value: Any) -> bool:
        field = cls.model_fields[name]
        if field.is_required() or not isinstance(value, str):
            return False
        return not value.strip() or (value == UNCHOSEN and str not in get_args(field.annotation))
