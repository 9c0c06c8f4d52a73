"""A sync driven line by line, into a workspace as a script has it."""

from __future__ import annotations

from typing import Any

import orjson

from destination_vitally.api.http import Apis
from destination_vitally.outcomes.ledger import PendingRecord
from destination_vitally.outcomes.rejected import RejectedRecords
from destination_vitally.sync.writer import Writer
from unit_tests.destination.builders import configured, planned, settings
from unit_tests.destination.scripted import Parts, Script

BATCH = {"POST /batch": {"success": True}}
GONE = {"_ab_cdc_deleted_at": "2026-01-01T00:00:00.000Z"}


def record(stream: str, data: dict[str, Any], emitted_at: int = 1_789_000_000_000) -> dict[str, Any]:
    """A RECORD."""
    return {"type": "RECORD", "record": {"stream": stream, "data": data, "emitted_at": emitted_at}}


def state(stream: str, identifier: int) -> dict[str, Any]:
    """A STATE as the platform sends it: with an id the CDK knows nothing of."""
    described = {"stream_descriptor": {"name": stream}, "stream_state": {"cursor": identifier}}
    return {"type": "STATE", "state": {"type": "STREAM", "stream": described, "id": identifier}}


class Rejected(RejectedRecords):
    """Takes what is rejected, and says when it was made durable."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: list[str] = []
        self.statuses: list[int | None] = []
        self.flushed: list[int] = []
        self.full = False

    @property
    def is_full(self) -> bool:
        return self.full

    def keep(self, record: PendingRecord) -> None:
        self.reasons.append(str(record.reason))
        self.statuses.append(record.status)

    def flush(self) -> None:
        self.flushed.append(len(self.reasons))


class Sync:
    """One sync into a workspace as a script has it."""

    def __init__(self, script: Script, *streams: Any, **chosen: Any) -> None:
        self.parts = Parts({**BATCH, **script})
        self.rejected = Rejected()
        config = settings(**{"verify": "none", "num_workers": 1, **chosen})
        told = [configured(one) if isinstance(one, str) else one for one in streams]
        rest, analytics = self.parts.apis.rest, self.parts.apis.analytics
        apis = Apis(rest if config.secret_token else None, analytics if config.analytics_token else None)
        self.writer = Writer(planned(config, *told), config, apis, self.rejected, self.parts.clock)
        self._lines = 0

    def take(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            self._lines += 1
            self.writer.take(orjson.dumps(message), self._lines)

    def pass_time(self, seconds: float) -> None:
        self.parts.clock.wait(seconds)
        self.writer.tick()

    def given(self) -> list[int]:
        """The numbers of the states that are given back now."""
        return [orjson.loads(line)["state"]["id"] for line in self.writer.states()]

    @property
    def sent(self) -> list[Any]:
        """What was written: of batches the keys, type by type; else the request."""
        return [
            [_key(message) for message in one[1]]
            if one[0] == "POST /batch"
            else one[0]
            if isinstance(one, tuple)
            else one
            for one in self.parts.vitally.written
        ]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [message for one in self.parts.vitally.written if one[0] == "POST /batch" for message in one[1]]

    def done(self, *messages: dict[str, Any], looks: bool = False) -> Sync:
        """Take the last messages, and end; look before that whether all has landed, if that is to be looked at."""
        try:
            self.take(*messages)
            self.writer.finish()
            if looks:
                self.writer.verify()
        finally:
            self.writer.close()
        return self

    @property
    def said(self) -> list[str]:
        return [text for _, text in self.writer.summary()]


def _key(message: dict[str, Any]) -> str:
    names = {"account": "accountId", "organization": "organizationId", "user": "userId"}
    return f"{message['type']} {message.get(names.get(message['type'], ''), message.get('event'))}"


def account(key: str = "a", **more: Any) -> dict[str, Any]:
    return record("accounts", {"externalId": key, "name": "N", **more})


def event(key: str = "a", **more: Any) -> dict[str, Any]:
    return record("events", {"id": 1, "event": "e", "accountId": key, **more})


def status(name: str, told: str) -> dict[str, Any]:
    described = {"stream_descriptor": {"name": name}, "status": told}
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "stream_status": described}}


def counts(sync: Sync, stream: int = 0) -> dict[str, int]:
    """The outcomes of a stream that records have."""
    parts = sync.said[stream].split(" = ")[1].split(", ")
    return {name: int(count) for count, name in (part.split(" ", 1) for part in parts) if count != "0"}
