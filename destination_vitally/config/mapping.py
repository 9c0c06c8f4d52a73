"""What a person says about the rows of one stream: which object they become, and which column goes where."""

from __future__ import annotations

from datetime import timezone, tzinfo
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from destination_vitally.config.base import Settings, Text
from destination_vitally.objects.model import Operation

NullPolicy = Literal["omit", "clear"]
"""What an empty value does: nothing, or it removes what Vitally has."""

MissingRows = Literal["keep", "delete", "delete_with_everything_below"]
"""What becomes of rows in Vitally that a whole table lacks; the last word is for what destroys more than itself."""

RowsAre = Literal["vitally's", "yours"]
"""Whose the ids and the columns of rows are: as the source reads them from a workspace, or those of your table."""

Cast = Literal["text", "number", "boolean", "date", "datetime", "list", "unix_seconds", "unix_milliseconds"]
"""The types that a value can be brought to, under the names of `vitally_api.traits`; the last two are datetimes."""


_BLANKS = {"space": " ", "tab": "\t", r"\t": "\t"}
Separator = Annotated[str, AfterValidator(lambda said: _BLANKS.get(said, said))]
"""What is between the entries of a list; blanks are said in words, since the form takes them away when it saves."""


class FieldEntry(Settings):
    """A column that goes to a field of the object."""

    field: Text
    column: Text
    cast: Cast | None = None
    separator: Separator | None = None
    null_values: NullPolicy | None = None


class TraitEntry(Settings):
    """A column that becomes a trait, or a property of an event."""

    trait: Text
    column: Text
    cast: Cast | None = None
    separator: Separator | None = None
    null_values: NullPolicy | None = None


def _as_text(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


FixedValue = Annotated[Text, BeforeValidator(_as_text)]
"""A text, as the form has it, of whatever type a file gives it."""


class ConstantEntry(Settings):
    """A field that has the same value in each row."""

    field: Text
    value: FixedValue


class ConstantTraitEntry(Settings):
    """A trait that has the same value in each row."""

    trait: Text
    value: FixedValue
    cast: Cast | None = None


class StreamMapping(Settings):
    """Which object the rows of a stream become, and which column goes where."""

    stream: Text
    object: Text
    operation: Operation | None = None
    fields: list[FieldEntry] = Field(default=[])
    traits: list[TraitEntry] = Field(default=[])
    constants: list[ConstantEntry] = Field(default=[])
    constant_traits: list[ConstantTraitEntry] = Field(default=[])
    other_columns: Literal["traits", "ignore"] | None = None
    null_values: NullPolicy | None = None
    rows_are: RowsAre | None = None
    external_id: Literal["from_vitally_id"] | None = None
    missing_rows: MissingRows = "keep"
    missing_rows_grace_hours: int = Field(default=24, ge=0, le=8760)
    time_zone: str | None = None
    namespace: str | None = None

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, given: str | None) -> str | None:
        try:
            zone_of(given)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("there is no time zone of this name; it is one such as Europe/Berlin") from None
        return given

    @property
    def zone(self) -> tzinfo:
        """The time zone of times that say none."""
        return zone_of(self.time_zone)


def zone_of(name: str | None) -> tzinfo:
    """Return a time zone by its name; UTC for none. Raises what `ZoneInfo` does for an unknown one."""
    return ZoneInfo(name) if name else timezone.utc
