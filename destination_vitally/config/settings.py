"""The settings of the destination, in the order and on the cards of Airbyte's form."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from destination_vitally.config.base import Settings, in_form
from destination_vitally.config.mapping import NullPolicy, StreamMapping
from destination_vitally.config.storage import NoStorage, S3Storage
from vitally_api import cloud, settings
from vitally_api.keys import problem_of_key
from vitally_api.regions import ADDRESS, REGIONS, SUBDOMAIN, analytics_url, rest_url

WORKSPACE, ROWS, SAFETY, PACE = "workspace", "rows", "safety", "pace"
GROUPS = [
    {"id": WORKSPACE, "title": "Workspace"},
    {"id": ROWS, "title": "From tables to Vitally"},
    {"id": SAFETY, "title": "Safety"},
    {"id": PACE, "title": "Pace"},
]
"""The cards of Airbyte's form, from top to bottom."""


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
            if name != "subdomain" and (problem := cloud.problem_of_address(given[name], os.environ)):
                raise ValueError(f"{name} {problem}")
        return self

    @property
    def rest(self) -> str:
        """The address of the REST API; empty where it is not known."""
        return rest_url(self.model_dump())

    @property
    def analytics(self) -> str:
        """The address of the Analytics API; empty where it is not known."""
        return analytics_url(self.model_dump())


def _shared(setting: Mapping[str, Any]) -> Any:
    """Return a number that both connectors ask for."""
    return Field(
        json_schema_extra=in_form(PACE),
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
        json_schema_extra=in_form(WORKSPACE, shown=True, airbyte_secret=True),
    )
    analytics_token: str | None = Field(
        default=None,
        title="Analytics API key",
        description="The API key on the Vitally Analytics API integration card, exactly as displayed. Needed "
        "for events; makes writing accounts, users, organizations and custom objects a hundred times faster.",
        json_schema_extra=in_form(WORKSPACE, shown=True, airbyte_secret=True),
    )
    mappings: list[StreamMapping] = Field(
        default=[],
        title="Mappings",
        description="One entry per stream whose name or columns differ from Vitally's.",
        json_schema_extra=in_form(ROWS, shown=True),
    )
    null_values: NullPolicy = Field(
        default="omit",
        title="Empty values",
        description="What an empty value in a row does: omit leaves what Vitally has, clear removes it.",
        json_schema_extra=in_form(ROWS, shown=True),
    )
    dry_run: bool = Field(
        default=False,
        title="Dry run",
        description="Do everything but send: nothing is written to Vitally, the log says what would be created, "
        "updated, deleted, skipped and rejected, and no record counts as synced.",
        json_schema_extra=in_form(SAFETY, shown=True),
    )
    allow_deletes: bool = Field(
        default=False,
        title="Allow deletes",
        description="Without it a delete is rejected. Deleting an account or an organization permanently "
        "destroys it and everything that belongs only to it.",
        json_schema_extra=in_form(SAFETY, shown=True),
    )
    max_deletes_percent: int = Field(
        default=5,
        ge=0,
        le=100,
        title="Missing rows deleted at most (%)",
        description="For mappings that delete missing rows: if more of the rows that Vitally has were missing, nothing "
        "is deleted and the sync fails once everything is written.",
        json_schema_extra=in_form(SAFETY, shown=True),
    )
    unknown_parents: Literal["reject", "create"] = Field(
        default="reject",
        title="Unknown accounts and organizations",
        description="What becomes of a row that names an account or organization which is neither in Vitally nor in "
        "this sync: reject reports the row, create makes the account or organization with nothing but its id. Needs "
        "the REST API key; without it Vitally decides, and may drop such rows in silence.",
        json_schema_extra=in_form(ROWS, shown=True),
    )
    skip_unchanged: bool = Field(
        default=False,
        title="Send only what changes",
        description="Rows that would change nothing in Vitally are not sent. What Vitally has is read before, a "
        "hundred rows a request where there are many. Needs the REST API key.",
        json_schema_extra=in_form(ROWS, shown=True),
    )
    on_rejected: Literal["skip", "fail"] = Field(
        default="skip",
        title="When a row is rejected",
        description="skip reports the row and goes on, fail stops the sync.",
        json_schema_extra=in_form(SAFETY, shown=True),
    )
    reject_limit_percent: int = Field(
        default=100,
        ge=0,
        le=100,
        title="Rejected rows at most (%)",
        description="The sync fails if more of a stream's rows are rejected. It fails in any case if all of them are.",
        json_schema_extra=in_form(SAFETY, shown=True),
    )
    verify: Literal["none", "sample", "all"] = Field(
        default="sample",
        title="Look whether rows have landed",
        description="Vitally confirms no row that is sent with the Analytics API key, and shows it later. sample reads "
        "up to 100 rows of each stream back; all reads every row back before it counts as written. Both need the REST "
        "API key.",
        json_schema_extra=in_form(SAFETY, shown=True),
    )
    on_unverified: Literal["warn", "fail"] = Field(
        default="warn",
        title="When a row has not landed",
        description="warn says so in the log, fail makes the sync fail at its end.",
        json_schema_extra=in_form(SAFETY, shown=True),
    )
    object_storage_config: Annotated[NoStorage | S3Storage, Field(discriminator="storage_type")] = Field(
        default=NoStorage(storage_type="None"),
        title="Rejected records",
        description="Where rows that Vitally refuses are kept, each with the reason, to be corrected and sent again.",
        json_schema_extra=in_form(SAFETY),
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
            token = getattr(self, name)
            if token and (problem := problem_of_key(token)):
                raise ValueError(f"{name} {problem}")
        if self.secret_token and not self.data_center.rest:
            raise ValueError("data_center: rest_url is needed to use secret_token")
        if self.analytics_token and not self.data_center.analytics:
            raise ValueError("data_center: analytics_url is needed to use analytics_token")
        if self.verify == "all" and not self.secret_token:
            raise ValueError("verify: all needs secret_token (the REST API key): nothing else can read rows back")
        if self.skip_unchanged and not self.secret_token:
            raise ValueError("skip_unchanged needs secret_token (the REST API key): nothing else can read rows")
        return self
