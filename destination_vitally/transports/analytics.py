"""The Analytics transport: messages travel in batches, and a refused batch is taken apart.

Vitally's Analytics docs: up to 100 messages per batch; the answer says nothing about single messages; those
of a type the workspace blocks are ignored, and a batch of nothing else is refused.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from destination_vitally.errors import ConfigError
from destination_vitally.outcomes.ledger import Ledger
from destination_vitally.transports.http import Api, Reply
from destination_vitally.transports.messages import QueuedMessage

MESSAGES = 100
BYTES = 500_000
OPEN_BATCHES = 8
"""How many batches may be filled at once while messages of one key queue up behind each other."""

REFUSALS_TELLING = 100
"""After so many refusals and not one acceptance, a type of message is taken to be unwelcome as such."""


@dataclass(slots=True)
class Batch:
    """Messages that go out in one request."""

    messages: list[QueuedMessage] = field(default_factory=list)
    size: int = 2
    """Bytes of the body."""

    def has_room(self, more: int) -> bool:
        return len(self.messages) < MESSAGES and self.size + more + 1 <= BYTES


class Batcher:
    """Gathers the messages of one type into batches; no batch holds two messages of the same key.

    What order messages of one batch are applied in is not documented, so a second message of a key is merged
    into the first where that is the same thing, and else goes into a later batch.
    """

    def __init__(self, dispatch: Callable[[Batch], None]) -> None:
        """`dispatch` gets the batches in the order in which they must be applied."""
        self._dispatch = dispatch
        self._open: list[Batch] = []
        self._first = 0
        self._latest: dict[Hashable, tuple[int, QueuedMessage]] = {}

    def holds(self, key: Hashable) -> bool:
        """Whether a message of that key has not been dispatched yet."""
        return key in self._latest

    def add(self, message: QueuedMessage) -> None:
        """Take a message in; full batches are dispatched."""
        earliest = self._first
        if message.key is not None:
            number, latest = self._latest.get(message.key, (self._first - 1, None))
            if latest is not None and self._merged(number, latest, message):
                return
            same_record = latest is not None and latest.records == message.records
            earliest = max(self._first, number if same_record else number + 1)
        while True:
            if earliest - self._first == len(self._open):
                self._open.append(Batch())
            batch = self._open[earliest - self._first]
            if batch.has_room(len(message.encoded)):
                break
            self._release(earliest - self._first + 1)
            earliest = self._first
        batch.messages.append(message)
        batch.size += len(message.encoded) + 1
        if message.key is not None:
            self._latest[message.key] = (earliest, message)
        if len(batch.messages) == MESSAGES:
            self._release(earliest - self._first + 1)
        elif len(self._open) > OPEN_BATCHES:
            self._release(1)

    def flush(self) -> None:
        """Dispatch everything, full or not."""
        self._release(len(self._open))

    def _merged(self, number: int, latest: QueuedMessage, message: QueuedMessage) -> bool:
        # The messages of one record share a batch: none of them may run ahead of the others.
        if latest.merge_key != message.merge_key or any(record.parts > 1 for record in latest.records):
            return False
        batch = self._open[number - self._first]
        before = len(latest.encoded)
        if batch.size + len(message.encoded) > BYTES:
            return False
        latest.merge(message)
        batch.size += len(latest.encoded) - before
        return True

    def _release(self, count: int) -> None:
        released, self._open = self._open[:count], self._open[count:]
        self._first += len(released)
        for batch in released:
            for message in batch.messages:
                if message.key is not None and self._latest.get(message.key, (0, None))[1] is message:
                    del self._latest[message.key]
            self._dispatch(batch)


class Analytics:
    """Sends batches and enters what became of their records."""

    def __init__(self, api: Api, ledger: Ledger) -> None:
        self._api = api
        self._ledger = ledger
        self._lock = threading.Lock()
        self._accepted: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()

    def send(self, messages: list[QueuedMessage]) -> None:
        """Send messages of one type; what is refused is halved until the bad ones stand alone.

        Raises:
            ConfigError: the workspace takes no messages of this type; or as `Api.send`.
            OutageError, StoppedError: as `Api.send`.
        """
        reply = self._post([message.encoded for message in messages])
        if reply.ok:
            self._accept(messages)
            return
        self._raise_when_blocked(messages[0], reply)
        if len(messages) > 1:
            middle = len(messages) // 2
            self.send(messages[:middle])
            self.send(messages[middle:])
        elif len(messages[0].unmerged) > 1:
            self._send_one_by_one(messages[0])
        else:
            self._reject(messages[0], reply)

    def _post(self, messages: list[bytes]) -> Reply:
        reply = self._api.send("POST", "/batch", b"[" + b",".join(messages) + b"]")
        if reply.status == 404:
            raise ConfigError("There is no Analytics API at this address (HTTP 404). Check data_center.")
        return reply

    def _send_one_by_one(self, merged: QueuedMessage) -> None:
        """A merged message was refused: its records may still be good one by one."""
        for single in merged.apart():
            reply = self._post([single.encoded])
            if reply.ok:
                self._accept([single])
            else:
                self._reject(single, reply)

    def _accept(self, messages: list[QueuedMessage]) -> None:
        with self._lock:
            self._accepted[messages[0].body["type"]] += len(messages)
        self._ledger.settle_all((record for message in messages for record in message.records[:-1]), "superseded")
        self._ledger.settle_all((message.records[-1] for message in messages), "accepted")

    def _reject(self, message: QueuedMessage, reply: Reply) -> None:
        record = message.records[0]
        self._ledger.settle(record, "rejected", f"{record.label}: Vitally refused it: {reply.reason}", reply.status)
        kind = message.body["type"]
        with self._lock:
            self._refused[kind] += 1
            unwelcome = self._refused[kind] >= REFUSALS_TELLING and not self._accepted[kind]
        if unwelcome:
            raise ConfigError(
                f"Vitally refused every one of {self._refused[kind]} '{kind}' messages, the last with: "
                f"{reply.reason}. Correct what it complains about, or ask Vitally whether the workspace "
                "blocks this type."
            )

    def _raise_when_blocked(self, message: QueuedMessage, reply: Reply) -> None:
        kind = message.body["type"]
        if "block" in reply.reason.lower():
            raise ConfigError(
                f"Vitally blocks '{kind}' messages in this workspace ({reply.reason}). Ask Vitally Support "
                "to unblock them, or take the streams that need them out of the connection."
            )
