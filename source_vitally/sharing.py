"""Answers that several streams of a sync want: asked for once, by whoever comes first, and kept on disk for the others.

A page of a changing list is true of the moment it was made, and its cursor leads on from there, whoever follows it. So
an answer is as good later as it was then, but for who has seen something newer: each reader says how old its may be.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from time import monotonic
from typing import IO

import requests

from source_vitally.memory import ROOM_BYTES, aside
from source_vitally.responses import is_absent, packed, size_of, unpacked

logger = logging.getLogger("airbyte")

ANSWERS = "__answers"
"""Where in the config the streams of a command find the answers that they share."""

DISK_BYTES = 1_000_000_000
"""The most that is kept on disk, and never more than half of what is free there; what does not fit, each asks for."""

BLOCK = 16_000
"""Bytes that an answer takes on disk at least: so many small ones are a bound on what is remembered of them as well."""

LARGEST = ROOM_BYTES
"""Bytes of the largest answer that is kept: to keep it, and to take it, is to hold it once more for a moment."""

LONGEST_WAIT = 300.0
"""Seconds for which an answer is waited for that another stream asks for; then each asks for itself."""

Topic = tuple[Hashable, ...]
"""What readers have in common: the path of a list, its filters, its order."""

Ask = Callable[[], requests.Response]
Answered = tuple[requests.Response, float]


class Spool:
    """Bytes in one file that has no name: it is gone with the process, however that ends."""

    def __init__(self, limit: int = DISK_BYTES) -> None:
        self._limit = limit
        self._file: IO[bytes] | None = None
        self._free: list[int] = []
        self._blocks = 0
        self._is_broken = False

    def put(self, content: bytes) -> list[int]:
        """Keep some bytes and return the blocks that they are in; none where there is no room."""
        if self._is_broken:
            return []
        try:
            return self._put(self._opened(), content)
        except OSError as problem:
            self._is_broken = True
            logger.warning(f"Pages are no longer kept on disk ({problem.strerror}): each stream asks for its own.")
            return []

    def get(self, blocks: list[int], size: int) -> bytes:
        """Return what has been put into some blocks; OSError where it cannot be read."""
        file, parts = self._opened(), []
        for block in blocks:
            file.seek(block * BLOCK)
            parts.append(file.read(BLOCK))
        return b"".join(parts)[:size]

    def free(self, blocks: list[int]) -> None:
        """Let others have some blocks."""
        self._free += blocks

    def _put(self, file: IO[bytes], content: bytes) -> list[int]:
        count = -(-len(content) // BLOCK)
        missing = max(0, count - len(self._free))
        if (self._blocks + missing) * BLOCK > self._limit:
            return []
        self._free += range(self._blocks, self._blocks + missing)
        self._blocks += missing
        blocks = [self._free.pop() for _ in range(count)]
        for number, block in enumerate(blocks):
            part = content[number * BLOCK : (number + 1) * BLOCK]
            file.seek(block * BLOCK)
            if file.write(part) < len(part):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return blocks

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
            self._limit = min(self._limit, shutil.disk_usage(tempfile.gettempdir()).free // 2)
        return self._file


@dataclass
class _Kept:
    """An answer on disk: where; when it was asked for and made, by a clock that only goes on; how many want it."""

    blocks: list[int]
    size: int
    asked: float
    made: float
    wanted: int


@dataclass
class _Turn:
    """An answer that somebody is asking for: since when, and which thread."""

    asked: float
    of: int = field(default_factory=threading.get_ident)
    is_over: threading.Event = field(default_factory=threading.Event)


class Answers:
    """What is kept for the streams of one sync. `expect` says who is going to read what, before anybody does."""

    def __init__(self, spool: Spool | None = None, longest_wait: float = LONGEST_WAIT) -> None:
        self._spool = spool or Spool()
        self._longest_wait = longest_wait
        self._lock = threading.Lock()
        self._readers: Counter[Topic] = Counter()
        self._kept: dict[Topic, dict[Hashable, _Kept]] = {}
        self._under_way: dict[tuple[Topic, Hashable], _Turn] = {}
        self._newest: dict[Topic, dict[Hashable, float]] = {}

    def expect(self, topic: Topic) -> None:
        """Take note of one more reader."""
        with self._lock:
            self._readers[topic] += 1

    def end(self, topic: Topic) -> None:
        """Take note of a reader that has ended, well or not; with the last one goes all that was kept for them."""
        with self._lock:
            self._readers[topic] -= 1
            if self._readers[topic] <= 0:
                del self._readers[topic]
                for kept in self._kept.pop(topic, {}).values():
                    self._spool.free(kept.blocks)

    def get(self, topic: Topic, key: Hashable, ask: Ask, since: float, *, with_absent: bool = False) -> Answered:
        """Return an answer that was asked for at `since` or later, and when it was made.

        It is a kept one, or one that another reader is asking for, or else `ask` is called. Where that raises, so does
        this, and whoever has waited for the answer asks as well. That there is no such thing is kept `with_absent`.
        """
        deadline = monotonic() + self._longest_wait
        while True:
            found = self._look(topic, key, since, deadline)
            if not isinstance(found, _Turn):
                content, made = found
                return unpacked(content), made
            if found.of == threading.get_ident():
                return self._ask(topic, key, ask, found, with_absent)
            with aside():
                found.is_over.wait(max(0.0, deadline - monotonic()))

    def _ask(self, topic: Topic, key: Hashable, ask: Ask, turn: _Turn, with_absent: bool) -> Answered:
        try:
            response = ask()
            made = monotonic()
            if with_absent or not is_absent(response):
                self._keep(topic, key, response, turn.asked, made)
            return response, made
        finally:
            with self._lock:
                if self._under_way.get((topic, key)) is turn:
                    del self._under_way[topic, key]
            turn.is_over.set()

    def take_note(self, topic: Topic, made: float) -> None:
        """Take note that somebody has seen a page."""
        *of_list, order = topic
        with self._lock:
            newest = self._newest.setdefault(tuple(of_list), {})
            newest[order] = max(made, newest.get(order, 0.0))

    def seen_otherwise(self, topic: Topic) -> float:
        """Return when the newest page was made that anybody has seen of the same list in another order."""
        *of_list, order = topic
        with self._lock:
            newest = self._newest.get(tuple(of_list), {})
            return max((made for by, made in newest.items() if by != order), default=0.0)

    def _look(self, topic: Topic, key: Hashable, since: float, deadline: float) -> tuple[bytes, float] | _Turn:
        """Return an answer that is kept and when it was made, or else the turn of who asks for it: maybe the caller."""
        with self._lock:
            kept = self._kept.get(topic, {}).get(key)
            if kept and kept.asked >= since and (content := self._read(kept, topic, key)):
                return content, kept.made
            turn = self._under_way.get((topic, key))
            if not turn or turn.asked < since or monotonic() >= deadline:
                turn = self._under_way[topic, key] = _Turn(monotonic())
            return turn

    def _read(self, kept: _Kept, topic: Topic, key: Hashable) -> bytes | None:
        kept.wanted -= 1
        if kept.wanted <= 0:
            self._spool.free(self._kept[topic].pop(key).blocks)
        try:
            return self._spool.get(kept.blocks, kept.size)
        except OSError:
            return None

    def _keep(self, topic: Topic, key: Hashable, response: requests.Response, asked: float, made: float) -> None:
        others = self._readers[topic] - 1
        content = packed(response) if others > 0 and size_of(response) <= LARGEST else None
        if content is None:
            return
        with self._lock:
            if before := self._kept.get(topic, {}).pop(key, None):
                self._spool.free(before.blocks)
            if self._readers[topic] > 1 and (blocks := self._spool.put(content)):
                self._kept.setdefault(topic, {})[key] = _Kept(blocks, len(content), asked, made, others)


@dataclass
class Reading:
    """One reader of a list: how old what it takes of others may be, and when the page was made that it reads now.

    A topic of `details` is that of what is asked for row by row.
    """

    answers: Answers
    topic: Topic
    details: Topic | None = None
    since: float = 0.0
    made: float = field(init=False, default=0.0)
    latest: float = field(init=False, default=0.0)
    """When the page was made that was made last."""

    def expect(self) -> None:
        """Take note that this is going to be read."""
        for topic in filter(None, (self.topic, self.details)):
            self.answers.expect(topic)

    def page(self, key: Hashable, ask: Ask) -> requests.Response:
        """Return a page of the list."""
        response, self.made = self.answers.get(self.topic, key, ask, self.since)
        self.answers.take_note(self.topic, self.made)
        self.latest = max(self.latest, self.made)
        return response

    def detail(self, key: Hashable, ask: Ask) -> requests.Response:
        """Return the details of a row, which are no older than the page that it is on."""
        assert self.details is not None
        return self.answers.get(self.details, key, ask, self.made, with_absent=True)[0]

    def begin_again(self) -> None:
        """Take nothing any more of what has been answered so far."""
        self.since = monotonic()

    def end(self) -> None:
        """Take note that this has been read, to its end or not."""
        for topic in filter(None, (self.topic, self.details)):
            self.answers.end(topic)


@dataclass
class LivePass:
    """The pass over the live rows of a list: whether it has ended, and when the newest of its pages was made."""

    has_ended: threading.Event = field(default_factory=threading.Event)
    newest: float = 0.0
