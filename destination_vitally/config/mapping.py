"""What a person says about the rows of one stream: which object they become, and which column goes where."""

from __future__ import annotations

from datetime import timezone, tzinfo
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from destination_vitally.config.base import Settings, in_form
from destination_vitally.objects.model import Operation

NullPolicy = Literal["omit", "clear"]
"""What an empty value does: nothing, or it removes what Vitally has."""

MissingRows = Literal["keep", "delete", "delete_with_everything_below"]
"""What becomes of rows in Vitally that a whole table lacks; the last word is for what destroys more than itself."""

RowsAre = Literal["vitally's", "yours"]
"""Whose the ids and the columns of rows are: as the source reads them from a workspace, or those of your table."""

Cast = Literal["text", "number", "boolean", "date", "datetime", "list", "unix_seconds", "unix_milliseconds"]
"""The types that a value can be brought to, under the names of `vitally_api.traits`; the last two are datetimes."""

_COLUMN = "Column of the stream. The parts of a path into an object are joined by dots, such as address.city."
_POLICY = "What an empty value of this column does; left open, it is as the rest of the stream."
_SEPARATOR = "The text between the entries of a list that is written in one text: a comma for a,b,c."
_CAST = "The type of the value in Vitally; left open, that of the custom field, else that of the column."
_FIELD_CAST = (
    "How to read the column, where its values could be several things: Unix times of any age, or an id such as null "
    "that is a text like any other."
)


def _column() -> Any:
    return Field(title="Column", description=_COLUMN, min_length=1, examples=["customer_id", "address.city"])


def _policy(description: str) -> Any:
    return Field(default=None, title="Empty values", description=description)


class FieldEntry(Settings):
    """A column that goes to a field of the object."""

    model_config = ConfigDict(title="Field")

    field: str = Field(
        title="Field",
        description="Field of the Vitally object, such as externalId, name or accountId.",
        min_length=1,
        examples=["externalId"],
    )
    column: str = _column()
    cast: Cast | None = Field(default=None, title="Type", description=_FIELD_CAST)
    separator: str | None = Field(default=None, title="Separator", description=_SEPARATOR)
    null_values: NullPolicy | None = _policy(_POLICY)


class TraitEntry(Settings):
    """A column that becomes a trait, or a property of an event."""

    model_config = ConfigDict(title="Trait")

    trait: str = Field(
        title="Trait",
        description="Trait in Vitally, or property of an event. Custom fields have a path: vitally.custom.stage.",
        min_length=1,
        examples=["plan", "vitally.custom.stage"],
    )
    column: str = _column()
    cast: Cast | None = Field(default=None, title="Type", description=_CAST)
    separator: str | None = Field(default=None, title="Separator", description=_SEPARATOR)
    null_values: NullPolicy | None = _policy(_POLICY)


def _as_text(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


FixedValue = Annotated[str, BeforeValidator(_as_text)]
"""A text, as the form has it, of whatever type a file gives it."""


class ConstantEntry(Settings):
    """A field that has the same value in each row."""

    model_config = ConfigDict(title="Fixed value")

    field: str = Field(
        title="Field", description="Field of the Vitally object.", min_length=1, examples=["event", "templateId"]
    )
    value: FixedValue = Field(title="Value", description="The value that every row gets.", min_length=1)


class ConstantTraitEntry(Settings):
    """A trait that has the same value in each row."""

    model_config = ConfigDict(title="Fixed trait")

    trait: str = Field(title="Trait", description="Trait in Vitally, or property of an event.", min_length=1)
    value: FixedValue = Field(title="Value", description="The value that every row gets.", min_length=1)
    cast: Cast | None = Field(default=None, title="Type", description=_CAST)


class StreamMapping(Settings):
    """Which object the rows of a stream become, and which column goes where."""

    model_config = ConfigDict(title="Mapping")

    stream: str = Field(
        title="Stream", description="Name of the stream, as the connection shows it.", min_length=1, examples=["orders"]
    )
    object: str = Field(
        title="Vitally object",
        description="What a row becomes: account, organization, user, event, note, task, custom_object/featureRequest "
        "or another one of the documentation.",
        min_length=1,
        examples=["account", "event", "custom_object/featureRequest"],
    )
    operation: Operation | None = Field(
        default=None,
        title="Operation",
        description="What to do with a row. Left open: upsert (create or update) where it exists, else create.",
        json_schema_extra=in_form(shown=True),
    )
    fields: list[FieldEntry] = Field(
        default=[],
        title="Fields",
        description="Which column goes to which field. Columns named like a field need no entry.",
        json_schema_extra=in_form(shown=True),
    )
    traits: list[TraitEntry] = Field(
        default=[],
        title="Traits",
        description="Which column becomes which trait, or property of an event.",
        json_schema_extra=in_form(shown=True),
    )
    constants: list[ConstantEntry] = Field(
        default=[],
        title="Fixed values",
        description="Fields that have the same value in each row, such as the name of an event.",
        json_schema_extra=in_form(shown=True),
    )
    constant_traits: list[ConstantTraitEntry] = Field(
        default=[], title="Fixed traits", description="Traits that have the same value in each row."
    )
    other_columns: Literal["traits", "ignore"] | None = Field(
        default=None,
        title="Other columns",
        description="Columns named nowhere above and called like no field: traits sends them as traits (as "
        "properties of an event), which is also what happens if nothing is chosen; ignore leaves them out.",
        json_schema_extra=in_form(shown=True),
    )
    null_values: NullPolicy | None = _policy(
        "What an empty value of this stream does; left open, it is as the setting for all streams says."
    )
    rows_are: RowsAre | None = Field(
        default=None,
        title="Rows are",
        description="Whose the ids and columns are: vitally's, as the Vitally source reads them from this or another "
        "workspace; or yours. Left open: vitally's if the stream has the name and the columns of one of the source.",
    )
    external_id: Literal["from_vitally_id"] | None = Field(
        default=None,
        title="External id of rows that have none",
        description="Of rows that were read from another workspace: from_vitally_id gives those without an externalId "
        "one that is made of Vitally's id there, so that the next sync finds the copy. Left open, they are rejected.",
    )
    missing_rows: MissingRows = Field(
        default="keep",
        title="Missing rows",
        description="What becomes of rows in Vitally that have an externalId and are not in the stream, after a full "
        "refresh that has read the whole of it: keep leaves them, delete deletes them. Accounts and organizations are "
        "deleted only by delete_with_everything_below, since what belongs only to them is destroyed along with them. "
        "Needs allow_deletes and the REST API key.",
    )
    missing_rows_grace_hours: int = Field(
        default=24,
        ge=0,
        le=8760,
        title="Missing rows, grace period",
        description="Missing rows that were made in Vitally in so many hours before the sync are kept: the table may "
        "have been built before.",
    )
    time_zone: str | None = Field(
        default=None,
        title="Time zone",
        description="Of times that say none, where the table is in local time; left open, they are UTC.",
        examples=["Europe/Berlin"],
    )
    namespace: str | None = Field(
        default=None, title="Namespace", description="Only needed when two streams share their name."
    )

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

    @model_validator(mode="after")
    def _names_columns(self) -> StreamMapping:
        lines = self.fields or self.traits or self.constants or self.constant_traits
        if not lines and self.other_columns is None and not self.external_id and self.rows_are != "vitally's":
            raise ValueError(
                f"the mapping of stream '{self.stream}' maps no column. Fill in fields and traits; or choose "
                "traits in other_columns, if the columns have the names that Vitally should show"
            )
        return self


def zone_of(name: str | None) -> tzinfo:
    """Return a time zone by its name; UTC for none. Raises what `ZoneInfo` does for an unknown one."""
    return ZoneInfo(name) if name else timezone.utc
