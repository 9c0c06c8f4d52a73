"""Where rejected records are kept."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from destination_vitally.config.base import Settings, in_form
from vitally_api import cloud
from vitally_api.regions import ADDRESS, ADDRESS_DESCRIPTOR

ROLE = r"^arn:[\w-]+:iam::\d{12}:role/.+$"
ROLE_DESCRIPTOR = "arn:aws:iam::123456789012:role/name"


class NoStorage(Settings):
    """Rejected records are reported in the log only."""

    model_config = ConfigDict(title="None")

    storage_type: Literal["None"]


class JsonLines(Settings):
    """A line of JSON for each rejected record."""

    model_config = ConfigDict(title="JSON lines")

    format_type: Literal["JSONL"]


class Csv(Settings):
    """A row for each rejected record: reason, status and time, and the record as JSON."""

    model_config = ConfigDict(title="CSV")

    format_type: Literal["CSV"]


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
        json_schema_extra=in_form(shown=True, airbyte_secret=True),
    )
    secret_access_key: str | None = Field(
        default=None,
        title="Secret access key",
        description="The secret that belongs to the access key ID.",
        json_schema_extra=in_form(shown=True, airbyte_secret=True),
    )
    role_arn: str | None = Field(
        default=None,
        title="Role ARN",
        description="A role to assume with these keys, or with what the machine itself is allowed to do.",
        pattern=ROLE,
        json_schema_extra=in_form(pattern_descriptor=ROLE_DESCRIPTOR),
        examples=["arn:aws:iam::123456789012:role/rejected-records"],
    )
    s3_endpoint: str | None = Field(
        default=None,
        title="Endpoint",
        description="Only for stores other than Amazon's, such as MinIO: the address of its S3 protocol.",
        pattern=ADDRESS,
        json_schema_extra=in_form(pattern_descriptor=ADDRESS_DESCRIPTOR),
        examples=["https://minio.example.com"],
    )
    format: Annotated[JsonLines | Csv, Field(discriminator="format_type")] = Field(
        default=JsonLines(format_type="JSONL"),
        title="Format",
        description="A line of JSON, or a row of a table, for each rejected record. Either is compressed by gzip.",
    )

    @model_validator(mode="after")
    def _what_it_may_use(self) -> S3Storage:
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise ValueError("access_key_id and secret_access_key belong together: enter both or neither")
        if cloud.is_cloud(os.environ) and not (self.access_key_id or self.role_arn):
            raise ValueError("on Airbyte Cloud, enter access_key_id and secret_access_key, or role_arn")
        if problem := cloud.problem_of_address(self.s3_endpoint or "", os.environ):
            raise ValueError(f"s3_endpoint {problem}")
        return self
