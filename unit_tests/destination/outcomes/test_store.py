"""Rejected records on their way into a bucket: what is in an object, what it is called, and when it is stored."""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from destination_vitally.config import S3Storage
from destination_vitally.errors import ConfigError, OutageError
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.masking import make_known
from destination_vitally.outcomes import files
from destination_vitally.outcomes import store as module
from destination_vitally.outcomes.forms import CSV, JSON_LINES, Form
from destination_vitally.outcomes.ledger import PendingRecord, Segment
from destination_vitally.outcomes.store import RejectedStore, open_bucket
from unit_tests.clock import QuickClock
from unit_tests.destination.builders import configured, plans, settings

STORAGE = S3Storage(
    storage_type="S3", s3_bucket_name="acme-rejected", s3_bucket_region="eu-central-1", bucket_path="vitally"
)
LINE = b'{"type":"RECORD","record":{"stream":"s", "data":{"a": 1.50}}}'


class Bucket:
    """Keeps objects, and the log of what was done, in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.fails = False
        self.meanwhile: Callable[[], object] = lambda: None
        """What happens while an object is stored."""

    def put(self, key: str, body: bytes) -> None:
        if self.fails:
            raise OutageError("The store fails.")
        assert key not in self.objects
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        self.objects[key] = gzip.decompress(body)

    def bodies(self) -> list[bytes]:
        return list(self.objects.values())


class Sync:
    """A sync that rejects records."""

    def __init__(self, form: Form | None = None) -> None:
        self.bucket = Bucket()
        clock = QuickClock(start=1_790_000_000.1239)
        given: Any = (self.bucket, clock, *([form] if form else []))
        self.store = RejectedStore(*given)
        self.plans: dict[str, StreamPlan] = {}

    def plan(self, name: str, namespace: str | None = None, sync_id: int | None = 4711) -> StreamPlan:
        catalog = configured("accounts", sync_id=sync_id)
        catalog["stream"] |= {"name": name, "namespace": namespace}
        mappings = [{"stream": name, "object": "account", "other_columns": "traits"}]
        return next(iter(plans(settings(mappings=mappings), catalog).values()))

    def reject(self, stream: str = "accounts", line: bytes = LINE, reason: str = "why", **where: Any) -> PendingRecord:
        if stream not in self.plans:
            self.plans[stream] = self.plan(stream, **where)
        record = PendingRecord(self.plans[stream], Segment(), line, 1, reason=reason, status=400)
        self.store.keep(record)
        return record


@pytest.mark.parametrize(
    ("form", "suffix", "contents"),
    [
        (
            JSON_LINES,
            "jsonl",
            b'{"record":{"stream":"s", "data":{"a": 1.50}},"reason":"why","status":400,'
            b'"rejected_at":"2026-09-21T14:13:20.123Z"}\n',
        ),
        (
            CSV,
            "csv",
            b"record,reason,status,rejected_at\n"
            b'"{""stream"":""s"", ""data"":{""a"": 1.50}}",why,400,2026-09-21T14:13:20.123Z\n',
        ),
    ],
)
def test_an_object_holds_records_as_they_came_and_why(
    form: Form, suffix: str, contents: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    sync = Sync(form)
    sync.reject()
    sync.store.flush()
    [(key, body)] = sync.bucket.objects.items()
    assert re.fullmatch(rf"4711/accounts/20260921T141320Z-[0-9a-f]{{12}}\.{suffix}\.gz", key)
    assert body == contents
    assert caplog.messages[-1] == "Rejected, stream accounts, line 1: why", "it is logged as well"


def test_no_reason_shows_a_secret() -> None:
    make_known({"secret_token": "sk_live_example_not_real"})
    sync = Sync()
    sync.reject(reason="several rows: sk_live_example_not_real, b")
    sync.store.flush()
    assert b'"reason":"several rows: ****, b"' in sync.bucket.bodies()[0]


def test_the_usual_form_is_a_line_of_json() -> None:
    sync = Sync()
    sync.reject()
    sync.store.flush()
    assert [key.endswith(".jsonl.gz") for key in sync.bucket.objects] == [True]


@pytest.mark.parametrize(
    ("line", "record"),
    [
        (b'{"record": {"data":{"a":1e400}} ,"x":2}', b'{"data":{"a":null}}'),
        (b'{"record":{"data":{"a":NaN}}}', b'{"data":{"a":null}}'),
        (b'{"record":{"data":{"a":"\xc3\xa7"}}}', b'{"data":{"a":"\xc3\xa7"}}'),
        (b'{"record":{"data":{"a":12345678901234567890123}}}', b'{"data":{"a":12345678901234567890123}}'),
    ],
)
def test_what_only_a_lenient_parser_reads_is_made_readable(line: bytes, record: bytes) -> None:
    sync = Sync()
    sync.reject(line=line)
    sync.store.flush()
    [body] = sync.bucket.bodies()
    assert body.startswith(b'{"record":%b,"reason":' % record)


@pytest.mark.parametrize(
    ("where", "folder"),
    [
        ({"namespace": "public"}, "4711/public/a%2Fb"),
        ({"namespace": "a/b c"}, "4711/a%2Fb%20c/a%2Fb"),
        ({"namespace": ".."}, "4711/%2E%2E/a%2Fb"),
        ({"namespace": None, "sync_id": None}, "0/a%2Fb"),
    ],
)
def test_each_stream_has_a_folder_in_that_of_the_sync(where: dict[str, Any], folder: str) -> None:
    sync = Sync()
    sync.reject("a/b", **where)
    sync.store.flush()
    assert [key.rsplit("/", 1)[0] for key in sync.bucket.objects] == [folder]


def test_each_stream_has_an_object_and_what_is_stored_is_not_stored_again() -> None:
    sync = Sync()
    for stream in ("a", "b", "a"):
        sync.reject(stream)
    sync.store.flush()
    assert [body.count(b"\n") for body in sync.bucket.bodies()] == [2, 1]
    sync.store.flush()
    assert len(sync.bucket.objects) == 2
    sync.reject("b")
    sync.store.flush()
    assert [body.count(b"\n") for body in sync.bucket.bodies()] == [2, 1, 1]


def test_what_comes_while_an_object_is_stored_is_in_the_next() -> None:
    sync = Sync()
    sync.reject(reason="first")
    sync.bucket.meanwhile = lambda: sync.reject(reason="second")
    sync.store.flush()
    sync.store.flush()
    first, second = sync.bucket.bodies()
    assert b'"first"' in first
    assert b'"second"' not in first
    assert b'"second"' in second
    assert b'"first"' not in second


def test_what_could_not_be_stored_is_stored_later() -> None:
    sync = Sync()
    sync.reject("a")
    sync.reject("b")
    sync.bucket.fails = True
    with pytest.raises(OutageError):
        sync.store.flush()
    sync.bucket.fails = False
    sync.store.flush()
    assert [body.count(b"\n") for body in sync.bucket.bodies()] == [1, 1]


def test_so_many_bytes_are_not_held_until_a_state_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    sync = Sync()
    sync.reject()
    sync.store.flush()
    [line] = sync.bucket.bodies()
    monkeypatch.setattr(files, "FULL_BYTES", 3 * len(line))
    for _ in range(2):
        for stream, is_full in [("a", False), ("b", False), ("a", True), ("b", True)]:
            sync.reject(stream)
            assert sync.store.is_full is is_full
        sync.bucket.meanwhile = lambda: sync.reject("a")
        sync.store.flush()
        assert not sync.store.is_full, "one line is left"
        sync.store.flush()


# The client of S3


def without(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Let a module be one that is not installed."""

    def fail(name: str) -> ModuleType:
        raise ModuleNotFoundError(f"No module named '{missing}'", name=missing)

    monkeypatch.setattr(module, "import_module", fail)


@pytest.mark.parametrize("missing", ["boto3", "botocore"])
def test_a_client_that_is_not_installed_is_a_config_error(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    without(monkeypatch, missing)
    with pytest.raises(ConfigError) as caught:
        open_bucket(STORAGE)
    assert caught.value.message == (
        "Rejected records (object_storage_config) needs the client of S3, which is not installed: "
        "pip install 'airbyte-vitally[s3]'. "
        "airbyte-destination-vitally and the destination's image have it."
    )


def test_another_module_that_is_missing_is_our_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "destination_vitally.outcomes.bucket")
    with pytest.raises(ModuleNotFoundError, match="bucket"):
        open_bucket(STORAGE)


def test_a_bucket_is_that_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ModuleType("bucket")
    fake.Bucket = lambda storage: ("bucket of", storage)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "destination_vitally.outcomes.bucket", fake)
    assert open_bucket(STORAGE) == ("bucket of", STORAGE)  # type: ignore[comparison-overlap]
