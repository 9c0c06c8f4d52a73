"""Where rejected records are kept."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import Field, model_validator

from destination_vitally.config.base import Settings, Text
from vitally_api import cloud
from vitally_api.regions import ADDRESS

ROLE = r"^arn:[\w-]+:iam::\d{12}:role/.+$"


class NoStorage(Settings):
    """Rejected records are reported in the log only."""

    storage_type: Literal["None"]


class JsonLines(Settings):
    """A line of JSON for each rejected record."""

    format_type: Literal["JSONL"]


class Csv(Settings):
    """A row for each rejected record: reason, status and time, and the record as JSON."""

    format_type: Literal["CSV"]


class S3Storage(Settings):
    """A bucket of Amazon S3, or of a store that speaks its protocol; named as the Airbyte platform looks for it."""

    storage_type: Literal["S3"]
    s3_bucket_name: str = Field(min_length=3)
    s3_bucket_region: Text
    bucket_path: Text
    access_key_id: str | None = None
    secret_access_key: str | None = None
    role_arn: str | None = Field(default=None, pattern=ROLE)
    s3_endpoint: str | None = Field(default=None, pattern=ADDRESS)
    format: Annotated[JsonLines | Csv, Field(discriminator="format_type")] = JsonLines(format_type="JSONL")

    @model_validator(mode="after")
    def _what_it_may_use(self) -> S3Storage:
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise ValueError(
                "Access key ID (access_key_id) belongs with Secret access key (secret_access_key): enter both or none"
            )
        if cloud.is_cloud(os.environ) and not (self.access_key_id or self.role_arn):
            raise ValueError(
                "on Airbyte Cloud, enter an Access key ID (access_key_id) with its secret, or a Role ARN (role_arn)"
            )
        if problem := cloud.problem_of_address(self.s3_endpoint or "", os.environ):
            raise ValueError(f"Endpoint (s3_endpoint) {problem}")
        return self
