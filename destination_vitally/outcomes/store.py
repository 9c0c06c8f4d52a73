"""Rejected records in a bucket: gzipped lines, each a record with the reason why it was refused."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import orjson

from destination_vitally.clock import Clock
from destination_vitally.config import S3Storage
from destination_vitally.errors import ConfigError
from destination_vitally.lines import dumps, member, parse, with_member
from destination_vitally.mapping.values import moment_of
from destination_vitally.masking import without_secrets
from destination_vitally.outcomes.files import Files, folder_of
from destination_vitally.outcomes.forms import JSON_LINES, Form
from destination_vitally.outcomes.ledger import PendingRecord
from destination_vitally.outcomes.rejected import RejectedRecords

if TYPE_CHECKING:
    from destination_vitally.outcomes.bucket import Bucket

ENTRY = "mapping"
"""The member of a rejected record that names its entry of `mappings`, where its stream has several."""


def open_bucket(storage: S3Storage) -> Bucket:
    """Return the bucket of a configuration; sends nothing yet.

    Raises:
        ConfigError: the client of S3 is not installed.
    """
    # The client of Amazon's takes half a second to import, and most syncs have no bucket.
    try:
        module = import_module("destination_vitally.outcomes.bucket")
    except ModuleNotFoundError as error:
        if error.name not in ("boto3", "botocore"):
            raise
        raise ConfigError(
            "Rejected records (object_storage_config) needs the client of S3, which is not installed: "
            "pip install 'airbyte-vitally[s3]'. "
            "airbyte-destination-vitally and the destination's image have it."
        ) from None
    bucket: Bucket = module.Bucket(storage)
    return bucket


class RejectedStore(RejectedRecords):
    """Keeps rejected records in a bucket, below `<sync_id>/<namespace>/<stream>/`, besides reporting them."""

    def __init__(self, bucket: Bucket, clock: Clock, form: Form = JSON_LINES) -> None:
        super().__init__()
        self._form = form
        self._clock = clock
        self._files = Files(bucket, clock, form.suffix, lambda lines: b"".join([form.header, *lines]))

    def keep(self, record: PendingRecord) -> None:
        super().keep(record)
        rejected_at = moment_of(self._clock.now() * 1000)
        reason = without_secrets(record.reason or "")
        came = _as_it_came(record.line)
        plan = record.plan
        if plan.number:  # to be written again for this entry alone
            entry = dumps({"entry": plan.number, "object": plan.entry.name})
            came = with_member(came, (ENTRY,), entry)
        line = self._form.line(came, reason, record.status, rejected_at)
        self._files.add(folder_of(plan.sync_id, plan.namespace, plan.name), line)

    @property
    def is_full(self) -> bool:
        return self._files.is_full

    def flush(self) -> None:
        """Store what was taken so far, an object per stream; raises as `Bucket.put`, and then still has it all."""
        self._files.flush()


def _as_it_came(line: bytes) -> bytes:
    """The record of a line, byte for byte unless only a lenient parser reads it."""
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return dumps(parse(line)["record"])
    return member(line, "record") or b"null"
