"""Messages to the Analytics API travel in batches, and a refused batch is taken apart.

Vitally's Analytics docs: up to 100 messages per batch; the answer says nothing about single messages; those
of a type the workspace blocks are ignored, and a batch of nothing else is refused.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from destination_vitally.api.http import PATIENCE, Api, Patience
from destination_vitally.api.reply import Reply
from destination_vitally.errors import ConfigError
from destination_vitally.outcomes.ledger import After, Ledger
from destination_vitally.rows.facts import Taken
from destination_vitally.rows.memory import Memory
from destination_vitally.send.messages import QueuedMessage

BATCH = "/batch"
MESSAGES = 100
BYTES = 500_000
OPEN_BATCHES = 8
"""How many batches may be filled at once while messages of one key queue up behind each other."""

REFUSALS_TELLING = 100
"""After so many refusals and not one acceptance, a type of message is taken to be unwelcome as such."""

BLOCKS_TELLING = 2
"""So many messages of a batch must be called blocked, each alone, before their type is taken to be."""

_BLOCKED = re.compile(r"\bblock(s|ed)?\b", re.IGNORECASE)


Watch = Callable[[list[QueuedMessage], Reply], list[QueuedMessage]]


@dataclass(slots=True)
class Batch:
    """Messages that go out in one request."""

    messages: list[QueuedMessage] = field(default_factory=list)
    size: int = 1
    """Bytes of the body: each message with what stands before it, and the bracket at the end."""

    def has_room(self, more: int) -> bool:
        """Whether a message of so many bytes can travel with the others, or alone where there is none."""
        return self.size + 1 + more <= BYTES

    def append(self, message: QueuedMessage) -> None:
        """Take in a message that there is room for."""
        self.size += 1 + len(message.encoded)
        self.messages.append(message)


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
        self._lanes: Counter[Hashable] = Counter()

    def holds(self, lanes: Iterable[Hashable]) -> bool:
        """Whether a message of one of the lanes has not been dispatched yet."""
        return any(lane in self._lanes for lane in lanes)

    def add(self, message: QueuedMessage, more: int = 0) -> None:
        """Take a message in, of whose record so many `more` follow into the same batch; full ones are dispatched."""
        earliest = self._first
        if waiting := self._latest.get(message.key):
            number, latest = waiting
            if self._merged(number, latest, message):
                return
            earliest = number if latest.records == message.records else number + 1
        while True:
            if earliest - self._first == len(self._open):
                self._open.append(Batch())
            batch = self._open[earliest - self._first]
            has_room = not batch.messages or len(batch.messages) + more < MESSAGES
            if has_room and batch.has_room(len(message.encoded)):
                break
            self._release(earliest - self._first + 1)
            earliest = self._first
        batch.append(message)
        self._lanes.update(message.lanes)
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
        several = latest.records[0].parts > 1 or message.records[0].parts > 1
        if several or latest.merge_key != message.merge_key:
            return False
        batch = self._open[number - self._first]
        if not batch.has_room(len(message.encoded)):
            return False
        before = len(latest.encoded)
        latest.merge(message)
        batch.size += len(latest.encoded) - before
        return True

    def _release(self, count: int) -> None:
        released, self._open = self._open[:count], self._open[count:]
        self._first += len(released)
        for batch in released:
            for message in batch.messages:
                waiting = self._latest.get(message.key)
                if waiting and waiting[1] is message:
                    del self._latest[message.key]
                for lane in message.lanes:
                    self._lanes[lane] -= 1
                    if not self._lanes[lane]:
                        del self._lanes[lane]
            self._dispatch(batch)


class Batchers:
    """The batches of all types; messages of one lane that are of several types keep their order."""

    def __init__(self, dispatch: Callable[[Batch], None]) -> None:
        self._dispatch = dispatch
        self._of: dict[str, Batcher] = {}

    def add(self, messages: list[QueuedMessage]) -> None:
        """Take in the messages of one record."""
        kind = str(messages[0].body["type"])
        self.flush_lanes(messages[0].lanes, but=kind)
        for number, message in enumerate(messages, 1):
            self._of.setdefault(kind, Batcher(self._dispatch)).add(message, len(messages) - number)

    def flush_lanes(self, lanes: Iterable[Hashable], but: str = "") -> None:
        """Dispatch what holds a message of one of the lanes, but for one type: what follows goes another way."""
        for kind, batcher in self._of.items():
            if kind != but and batcher.holds(lanes):
                batcher.flush()

    def flush(self) -> None:
        """Dispatch everything."""
        for batcher in self._of.values():
            batcher.flush()


class Analytics:
    """Sends batches and enters what became of their records."""

    def __init__(self, api: Api, ledger: Ledger, memory: Memory, watch: Watch) -> None:
        """`watch` looks for messages that were just accepted, and returns those whose records have an outcome now."""
        self._api = api
        self._memory = memory
        self._watch = watch
        self._ledger = ledger
        self._lock = threading.Lock()
        self._accepted: set[str] = set()
        self._refused: Counter[str] = Counter()
        self._blocked: Counter[str] = Counter()
        self._latest = b""

    def send(self, messages: list[QueuedMessage]) -> None:
        """Send messages of one type; what is refused is halved until the bad ones stand alone.

        What fails until the patience ends, while others are taken, is refused as well.

        Raises:
            ConfigError: the workspace takes no messages of this type; or as `Api.send`.
            OutageError, StoppedError: as `Api.send`.
        """
        self._send(messages, PATIENCE, is_all=len(messages) == 1)

    def _send(self, messages: list[QueuedMessage], patience: float, *, is_all: bool) -> None:
        """Send messages and settle them. `is_all` says whether a single message was never part of more."""
        reply = self._post([message.encoded for message in messages], patience)
        if reply.ok:
            self._accept(messages, reply)
        elif len(messages) > 1:
            middle = len(messages) // 2
            for half in (messages[:middle], messages[middle:]):
                # Where patience has ended, the halves need none before they are halved; a message alone does.
                hasty = bool(reply.problem) and len(half) > 1
                self._send(half, 0.0 if hasty else PATIENCE, is_all=False)
        elif len(messages[0].unmerged) > 1:
            for single in messages[0].apart():  # its records may still be good one by one
                self._send([single], PATIENCE, is_all=False)
        else:
            self._reject(messages[0], reply, is_all=is_all)

    def _post(self, messages: list[bytes], patience: float) -> Reply:
        request = Patience(patience, lambda: self._takes_others(messages))
        reply = self._api.send("POST", BATCH, _joined(messages), patience=request)
        if reply.status == 404 and not reply.problem:
            raise ConfigError("There is no Analytics API at this address (HTTP 404). Check Data center (data_center).")
        return reply

    def _takes_others(self, failing: list[bytes]) -> bool:
        """Whether Vitally takes other messages while these fail: the one it took last, or else some of these alone.

        Sending a message twice changes nothing, since its id tells.
        """
        own = [failing[0], failing[len(failing) // 2], failing[-1]] if len(failing) > 1 else []
        for message in [self._latest] if self._latest else own:
            if self._api.takes("POST", BATCH, _joined([message])):
                self._latest = message
                return True
        return False

    def _accept(self, messages: list[QueuedMessage], reply: Reply) -> None:
        # Before the records have an outcome: what depends on them must know that they are on their way.
        self._memory.note(Taken([message.change for message in messages], reply.time))
        with self._lock:
            self._accepted.add(messages[0].body["type"])
            self._latest = messages[-1].encoded
        for record in (record for message in messages for record in message.records):
            record.after = After(taken=reply.time)
        self._ledger.settle_all((record for message in messages for record in message.superseded), "superseded")
        settled = self._watch(messages, reply)
        self._ledger.settle_all((message.standing for message in settled), "accepted")

    def _reject(self, message: QueuedMessage, reply: Reply, *, is_all: bool) -> None:
        record = message.records[0]
        kind = message.body["type"]
        self._raise_when_blocked(kind, reply, is_all=is_all)
        self._ledger.settle(record, "rejected", f"{record.label}: Vitally refused it: {reply.reason}", reply.status)
        with self._lock:
            self._refused[kind] += 1
            unwelcome = self._refused[kind] >= REFUSALS_TELLING and kind not in self._accepted
        if unwelcome:
            raise ConfigError(
                f"Vitally refused every one of {self._refused[kind]} '{kind}' messages (the last: "
                f"{reply.reason}). Correct what it complains about, or ask Vitally whether the workspace "
                "blocks this type."
            )

    def _raise_when_blocked(self, kind: str, reply: Reply, *, is_all: bool) -> None:
        """A type is blocked when Vitally says so of messages alone and has taken none; one of many may just be bad."""
        if not _BLOCKED.search(reply.reason):
            return
        with self._lock:
            self._blocked[kind] += 1
            blocked = kind not in self._accepted and (is_all or self._blocked[kind] >= BLOCKS_TELLING)
        if blocked:
            raise ConfigError(
                f"Vitally blocks '{kind}' messages in this workspace ({reply.reason}). Ask Vitally Support "
                "to unblock them, or take the streams that need them out of the connection."
            )


def _joined(messages: list[bytes]) -> bytes:
    return b"[" + b",".join(messages) + b"]"
