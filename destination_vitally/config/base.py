"""What all parts of the configuration have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Settings(BaseModel):
    """Base of all parts: a setting that does not exist is an error, so that a typo cannot go unnoticed.

    Spaces around a text, and a text of nothing else, mean nothing: Airbyte's form takes them away when it saves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _blank_is_absent(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        optional = {name for name, field in cls.model_fields.items() if not field.is_required()}
        return {k: v for k, v in given.items() if not (k in optional and isinstance(v, str) and not v.strip())}


def in_form(group: str = "", *, shown: bool = False, **more: Any) -> dict[str, Any]:
    """Return what Airbyte's form has to know of a setting besides its schema.

    Args:
        group: The card it is on; only the settings of the top level are on cards.
        shown: Whether it is in sight though it may stay empty; else it is among the closed "Optional fields".
        more: Other keywords of the form.
    """
    return {**({"group": group} if group else {}), **({"always_show": True} if shown else {}), **more}
