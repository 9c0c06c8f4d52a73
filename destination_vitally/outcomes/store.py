"""Rejected records in a bucket: gzipped lines, each a record with the reason why it was refused."""

from __future__ import annotations

import gzip
import threading
import uuid
from datetime import datetime, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any

import orjson

from destination_vitally.clock import Clock
from destination_vitally.config import S3Storage
from destination_vitally.errors import ConfigError
from destination_vitally.lines import dumps, member, parse, with_member
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.masking import without_secrets
from destination_vitally.outcomes.forms import JSON_LINES, Form
from destination_vitally.outcomes.ledger import PendingRecord
from destination_vitally.outcomes.rejected import RejectedRecords

if TYPE_CHECKING:
    from destination_vitally.outcomes.bucket import Bucket

FULL_BYTES = 8_000_000
"""From here on what was taken is stored without waiting for a state, so that memory stays flat."""


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
        self._bucket = bucket
        self._clock = clock
        self._lock = threading.Lock()
        self._lines: dict[StreamPlan, list[bytes]] = {}
        self._bytes = 0

    def keep(self, record: PendingRecord) -> None:
        super().keep(record)
        rejected_at = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        reason = without_secrets(record.reason or "")
        came = _as_it_came(record.line)
        if record.plan.number:  # to be written again for this entry alone
            entry = dumps({"entry": record.plan.number, "object": record.plan.entry.name})
            came = with_member(came, (ENTRY,), entry)
        line = self._form.line(came, reason, record.status, rejected_at)
        with self._lock:
            self._lines.setdefault(record.plan, []).append(line)
            self._bytes += len(line)

    def keep_deleted(self, plan: StreamPlan, intent: dict[str, Any]) -> None:
        """Store a line of a row that is about to be deleted, in a file of its own; raises as `Bucket.put`."""
        self._bucket.put(self._key(plan, "deleted-", "jsonl"), gzip.compress(dumps({"intent": intent}) + b"\n"))

    @property
    def is_full(self) -> bool:
        return self._bytes >= FULL_BYTES

    def flush(self) -> None:
        """Store what was taken so far, an object per stream; raises as `Bucket.put`, and then still has it all."""
        for plan in list(self._lines):
            with self._lock:
                lines = list(self._lines[plan])
            if not lines:
                continue
            self._bucket.put(
                self._key(plan, "", self._form.suffix), gzip.compress(b"".join([self._form.header, *lines]))
            )
            with self._lock:
                del self._lines[plan][: len(lines)]
                self._bytes = sum(len(line) for kept in self._lines.values() for line in kept)

    def _key(self, plan: StreamPlan, prefix: str, suffix: str) -> str:
        folders = [str(plan.sync_id), plan.namespace, plan.name]
        file = f"{prefix}{self._now():%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:12]}.{suffix}.gz"
        return "/".join([*(folder.replace("/", "_") for folder in folders if folder), file])

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), timezone.utc)


def _as_it_came(line: bytes) -> bytes:
    """The record of a line, byte for byte unless only a lenient parser reads it."""
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return dumps(parse(line)["record"])
    return member(line, "record") or b"null"
