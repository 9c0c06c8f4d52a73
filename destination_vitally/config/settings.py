"""The settings of the destination, in the order and on the cards of Airbyte's form."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from destination_vitally.config.base import Percent, Settings, setting
from destination_vitally.config.mapping import NullPolicy, StreamMapping
from destination_vitally.config.storage import NoStorage, S3Storage
from vitally_api import cloud, settings
from vitally_api.keys import problem_of_key
from vitally_api.regions import ADDRESS, REGIONS, SUBDOMAIN, analytics_url, rest_url


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
                raise ValueError(f"{setting(name, 'DataCenter')} is missing")
        for name in given:
            if name not in fields:
                raise ValueError(f"{setting(name, 'DataCenter')} is not asked for where region is {self.region}")
            if name != "subdomain" and (problem := cloud.problem_of_address(given[name], os.environ)):
                raise ValueError(f"{setting(name, 'DataCenter')} {problem}")
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
    bounds = {"ge": setting["minimum"], "le": setting["maximum"]}
    return Field(default=setting["default"], title=setting["title"], description=setting["description"], **bounds)


class Config(Settings):
    """Settings of the Vitally destination."""

    data_center: DataCenter
    secret_token: str | None = Field(
        default=None,
        title=settings.SECRET_TOKEN["title"],
        description=settings.SECRET_TOKEN["description"]
        + " Needed for notes, tasks, projects, NPS responses, conversations, meetings, updates and deletes.",
    )
    analytics_token: str | None = None
    mappings: list[StreamMapping] = Field(default=[])
    null_values: NullPolicy = "omit"
    dry_run: bool = False
    allow_deletes: bool = False
    max_deletes_percent: Percent = 5
    unknown_parents: Literal["reject", "create"] = "reject"
    skip_unchanged: bool = False
    on_rejected: Literal["skip", "fail"] = "skip"
    reject_limit_percent: Percent = 100
    verify: Literal["none", "sample", "all"] = "sample"
    on_unverified: Literal["warn", "fail"] = "warn"
    object_storage_config: Annotated[NoStorage | S3Storage, Field(discriminator="storage_type")] = NoStorage(
        storage_type="None"
    )
    journal: Literal["none", "outcomes", "changes"] = "none"
    num_workers: int = _shared(settings.NUM_WORKERS)
    requests_per_minute: int = _shared(settings.REQUESTS_PER_MINUTE)

    @property
    def tokens(self) -> frozenset[str]:
        """The names of the keys that are configured."""
        return frozenset(name for name in ("secret_token", "analytics_token") if getattr(self, name))

    @model_validator(mode="after")
    def _tokens_and_addresses(self) -> Config:
        if not self.secret_token and not self.analytics_token:
            raise ValueError("enter REST API key (secret_token), Analytics API key (analytics_token) or both")
        for name in ("secret_token", "analytics_token"):
            token = getattr(self, name)
            if token and (problem := problem_of_key(token)):
                raise ValueError(f"{setting(name)} {problem}")
        if self.analytics_token and not self.data_center.analytics:
            raise ValueError(
                "Address of the Analytics API (analytics_url) is needed to use the Analytics API key (analytics_token)"
            )
        if self.verify == "all" and not self.secret_token:
            raise ValueError("all in Look whether rows have landed (verify) needs the REST API key (secret_token)")
        if self.skip_unchanged and not self.secret_token:
            raise ValueError("Send only what changes (skip_unchanged) needs the REST API key (secret_token)")
        if self.journal == "changes" and not self.secret_token:
            raise ValueError("changes in Keep a journal (journal) needs the REST API key (secret_token)")
        if self.journal != "none" and isinstance(self.object_storage_config, NoStorage):
            raise ValueError(
                "Keep a journal (journal) needs a bucket: enter one in Rejected records (object_storage_config)"
            )
        return self
