"""A file of a journal: header first, lines, a trailer that counts and signs them."""

from __future__ import annotations

import gzip
import hashlib
import hmac
from typing import Any

import orjson
import pytest

from destination_vitally.journal.journal import ATTEMPT, Journal, attempt
from destination_vitally.journal.lines import Line
from unit_tests.clock import QuickClock
from unit_tests.destination.builders import settings

STORAGE = {
    "storage_type": "S3",
    "s3_bucket_name": "acme-rejected",
    "s3_bucket_region": "eu-central-1",
    "bucket_path": "vitally",
}
INTENT: dict[str, Any] = {
    **{"line": 1, "entry": 0, "stream": "accounts", "namespace": None, "object": "account", "operation": "upsert"},
    **{"route": "batch", "key": {"externalId": "a"}, "id": None, "existed": None, "read_at": None},
    **{"values": [], "links": [], "row": None},
}


class Bucket:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put(self, key: str, body: bytes) -> None:
        self.files[key] = gzip.decompress(body)


def journal(bucket: Bucket, **chosen: Any) -> Journal:
    given: Any = bucket
    config = settings(object_storage_config=STORAGE, **{"journal": "changes", **chosen})
    return Journal(given, QuickClock(start=1_790_000_000.5), config, 4711)


def test_a_file_is_framed_and_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ATTEMPT, "2")
    bucket = Bucket()
    kept = journal(bucket)
    assert [kept.intend(INTENT), kept.number(), kept.intend(INTENT)] == [1, 2, 3]
    kept.flush()
    kept.flush()
    [(key, body)] = bucket.files.items()
    assert key.startswith("journal/4711/20260921T141320Z-2/20260921T141320Z-")
    assert key.endswith(".jsonl.gz")
    lines = body.splitlines(keepends=True)
    header, first, second, trailer = (Line.model_validate_json(line) for line in lines)
    assert header.header
    assert header.header.run
    assert header.header.model_dump(exclude={"run"}) == {
        **{"v": 1, "workspace": "https://rest.vitally-eu.io", "sync_id": 4711, "attempt": 2},
        **{"started_at": "2026-09-21T14:13:20.500Z", "journal": "changes", "dry_run": False},
    }
    assert first.intent
    assert second.intent
    assert trailer.trailer
    assert trailer.trailer.lines == 3
    key_of_rest = settings().secret_token
    assert key_of_rest
    signed = hmac.new(key_of_rest.encode(), b"".join(lines[:3]), hashlib.sha256).hexdigest()
    assert trailer.trailer.hmac == signed
    assert key_of_rest.encode() not in body


def test_without_the_rest_key_nothing_is_signed() -> None:
    bucket = Bucket()
    kept = journal(bucket, journal="outcomes", secret_token=None)
    kept.intend(INTENT)
    kept.flush()
    [body] = bucket.files.values()
    assert orjson.loads(body.splitlines()[-1]) == {"trailer": {"lines": 2, "hmac": None}}


@pytest.mark.parametrize(("given", "number"), [(None, 0), ("", 0), ("0", 0), ("3", 3), ("x", 0), ("-1", 0)])
def test_the_attempt_is_what_the_platform_says(given: str | None, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ATTEMPT, raising=False)
    if given is not None:
        monkeypatch.setenv(ATTEMPT, given)
    assert attempt() == number
