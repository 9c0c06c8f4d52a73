"""The configuration of the destination: what a person fills in, checked and with its defaults applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from destination_vitally.errors import ConfigError
from destination_vitally.objects.model import Operation
from vitally_api import settings
from vitally_api.regions import (
    ADDRESS,
    ADDRESS_DESCRIPTOR,
    REGIONS,
    SUBDOMAIN,
    SUBDOMAIN_DESCRIPTOR,
    analytics_url,
    rest_url,
)

PATTERNS = {SUBDOMAIN: SUBDOMAIN_DESCRIPTOR, ADDRESS: ADDRESS_DESCRIPTOR}
"""What the patterns stand for, in words for errors."""

TAGS = {"storage_type": "'None', 'S3'"}
"""The choices of the setting that has several shapes."""


class Settings(BaseModel):
    """Base of all parts: a setting that does not exist is an error, so that a typo cannot go unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataCenter(Settings):
    """Where a workspace is; which settings belong to which region says `vitally_api.regions`."""

    region: str
    subdomain: str | None = Field(default=None, pattern=SUBDOMAIN)
    rest_url: str | None = Field(default=None, pattern=ADDRESS)
    analytics_url: str | None = Field(default=None, pattern=ADDRESS)

    @model_validator(mode="after")
    def _what_the_region_has(self) -> DataCenter:
        region = REGIONS.get(self.region)
        if region is None:
            raise ValueError(f"region must be one of {', '.join(map(repr, REGIONS))}")
        fields = region.fields(analytics=True)
        given = self.model_dump(exclude_none=True, exclude={"region"})
        for name, is_required in fields.items():
            if is_required and name not in given:
                raise ValueError(f"{name} is missing")
        for name in given:
            if name not in fields:
                raise ValueError(f"{name} is not asked for where region is {self.region}")
        return self

    @property
    def rest(self) -> str:
        """The address of the REST API; empty where it is not known."""
        return rest_url(self.model_dump())

    @property
    def analytics(self) -> str:
        """The address of the Analytics API; empty where it is not known."""
        return analytics_url(self.model_dump())


class NoStorage(Settings):
    """Rejected records are reported in the log only."""

    model_config = ConfigDict(title="None")

    storage_type: Literal["None"]


class S3Storage(Settings):
    """A bucket of Amazon S3, or of a store that speaks its protocol; named as the Airbyte platform looks for it."""

    model_config = ConfigDict(title="S3")

    storage_type: Literal["S3"]
    s3_bucket_name: str = Field(
        title="Bucket", description="Name of the bucket.", min_length=3, examples=["acme-rejected-records"]
    )
    s3_bucket_region: str = Field(
        title="Region", description="The AWS region the bucket is in.", min_length=1, examples=["eu-central-1"]
    )
    bucket_path: str = Field(
        title="Path",
        description="Folder within the bucket. Below it, every sync makes a folder of its own.",
        min_length=1,
        examples=["airbyte/vitally"],
    )
    access_key_id: str | None = Field(
        default=None,
        title="Access key ID",
        description="Of a user who may put objects below the path. Empty: what the machine itself is allowed to do.",
        json_schema_extra={"airbyte_secret": True},
    )
    secret_access_key: str | None = Field(
        default=None,
        title="Secret access key",
        description="The secret that belongs to the access key ID.",
        json_schema_extra={"airbyte_secret": True},
    )
    s3_endpoint: str | None = Field(
        default=None,
        title="Endpoint",
        description="Only for stores other than Amazon's, such as MinIO: the address of its S3 protocol.",
        pattern=ADDRESS,
        json_schema_extra={"pattern_descriptor": ADDRESS_DESCRIPTOR},
        examples=["https://minio.example.com"],
    )

    @model_validator(mode="after")
    def _both_or_neither(self) -> S3Storage:
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise ValueError("access_key_id and secret_access_key belong together: enter both or neither")
        return self


class StreamMapping(Settings):
    """Which object the rows of a stream become, and which column goes where."""

    model_config = ConfigDict(title="Mapping")

    stream: str = Field(title="Stream", description="Name of the stream, as the connection shows it.")
    namespace: str | None = Field(
        default=None, title="Namespace", description="Only needed when two streams share their name."
    )
    object: str = Field(
        title="Vitally object",
        description="What a row becomes: `account`, `user`, `event`, `note`, ...",
        examples=["account", "event", "custom_object/featureRequest"],
    )
    operation: Operation | None = Field(
        default=None,
        title="Operation",
        description="What to do with a row. Empty: upsert (create or update) where it exists, else create.",
    )
    fields: dict[str, str] = Field(
        default={},
        title="Fields",
        description='Field in Vitally: column of the stream. For example {"externalId": "customer_id"}.',
    )
    constants: dict[str, Any] = Field(
        default={},
        title="Fixed values",
        description='Field in Vitally: the value every row gets. For example {"event": "order placed"}.',
    )
    traits: dict[str, str] = Field(
        default={},
        title="Traits",
        description='Trait (or property of an event) in Vitally: column. For example {"plan": "plan_name"}.',
    )
    other_columns: Literal["traits", "ignore"] = Field(
        default="traits",
        title="Other columns",
        description="Columns named nowhere above and called like no field: send them as traits (as "
        "properties of an event), or leave them out.",
    )


def _shared(setting: Mapping[str, Any]) -> Any:
    """Return a number that both connectors ask for."""
    return Field(
        default=setting["default"],
        ge=setting["minimum"],
        le=setting["maximum"],
        title=setting["title"],
        description=setting["description"],
    )


class Config(Settings):
    """Settings of the Vitally destination."""

    model_config = ConfigDict(title="Vitally Destination Spec")

    data_center: DataCenter
    secret_token: str | None = Field(
        default=None,
        title=settings.SECRET_TOKEN["title"],
        description=settings.SECRET_TOKEN["description"]
        + " Needed for notes, tasks, projects, NPS responses, conversations, meetings, updates and deletes.",
        json_schema_extra={"airbyte_secret": True},
    )
    analytics_token: str | None = Field(
        default=None,
        title="Analytics API key",
        description="The API key on the Vitally Analytics API integration card, exactly as displayed. Needed "
        "for events; makes writing accounts, users, organizations and custom objects a hundred times faster.",
        json_schema_extra={"airbyte_secret": True},
    )
    mappings: list[StreamMapping] = Field(
        default=[],
        title="Mappings",
        description="One entry per stream whose name or columns differ from Vitally's.",
    )
    null_values: Literal["omit", "clear"] = Field(
        default="omit",
        title="Empty values",
        description="What an empty value in a row does: `omit` leaves what Vitally has, `clear` removes it.",
    )
    on_rejected: Literal["skip", "fail"] = Field(
        default="skip",
        title="When a row is rejected",
        description="`skip` reports the row and goes on, `fail` stops the sync.",
    )
    allow_deletes: bool = Field(
        default=False,
        title="Allow deletes",
        description="Without it a delete is rejected. Deleting an account or an organization permanently "
        "destroys it and everything that belongs only to it.",
    )
    dry_run: bool = Field(
        default=False,
        title="Dry run",
        description="Do everything but send: nothing is written to Vitally, the log says what would be created, "
        "updated, deleted, skipped and rejected, and no record counts as synced.",
    )
    object_storage_config: Annotated[NoStorage | S3Storage, Field(discriminator="storage_type")] = Field(
        default=NoStorage(storage_type="None"),
        title="Rejected records",
        description="Where rows that Vitally refuses are kept, each with the reason, to be corrected and sent again.",
    )
    num_workers: int = _shared(settings.NUM_WORKERS)
    requests_per_minute: int = _shared(settings.REQUESTS_PER_MINUTE)

    @property
    def tokens(self) -> frozenset[str]:
        """The names of the keys that are configured."""
        return frozenset(name for name in ("secret_token", "analytics_token") if getattr(self, name))

    @model_validator(mode="after")
    def _tokens_and_addresses(self) -> Config:
        if not self.secret_token and not self.analytics_token:
            raise ValueError("enter secret_token (the REST API key), analytics_token (the Analytics API key) or both")
        for name in ("secret_token", "analytics_token"):
            token = (getattr(self, name) or "").strip()
            if not (token.isascii() and token.isprintable()):
                raise ValueError(f"{name} holds characters that no key has; copy it from Vitally again")
        if self.secret_token and not self.data_center.rest:
            raise ValueError("data_center: rest_url is needed to use secret_token")
        if self.analytics_token and not self.data_center.analytics:
            raise ValueError("data_center: analytics_url is needed to use analytics_token")
        return self


def read(config: Mapping[str, Any]) -> Config:
    """Check a configuration and apply its defaults.

    Raises:
        ConfigError: names each setting that is wrong and what is wrong with it, never its value.
    """
    try:
        return Config.model_validate({k: v for k, v in config.items() if not k.startswith("__")})
    except ValidationError as error:
        problems = [_problem(e) for e in error.errors(include_url=False, include_input=False)]
        # The pydantic error quotes the values, secrets included: it must not be chained.
        raise ConfigError("The configuration is not complete: " + "; ".join(problems)) from None


_PARTS: Mapping[str, type[BaseModel]] = {
    "data_center": DataCenter,
    "mappings": StreamMapping,
    "object_storage_config": S3Storage,
}
"""The settings that have settings of their own."""


def _problem(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"] if part not in ("None", "S3"))
    text = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        part = _PARTS[error["loc"][0]] if len(error["loc"]) > 1 else Config
        text = settings.problem_of_unknown(str(error["loc"][-1]), part.model_fields)
    elif error["type"] == "string_pattern_mismatch":
        text = f"must be {PATTERNS[error['ctx']['pattern']]}"
    elif error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        discriminator = error["ctx"]["discriminator"].strip("'")
        text = f"{discriminator} must be one of {error['ctx'].get('expected_tags') or TAGS[discriminator]}"
    return f"{where}: {text}" if where else text
