"""Lines of input, read by a thread of their own so that time passes for the writer while nothing arrives."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator

CHUNKS_AHEAD = 2
BLOCK_BYTES = 1 << 18
POLL_SECONDS = 0.5


class Lines:
    """An iterable of lines that can be waited for with patience."""

    def __init__(self, lines: Iterable[list[bytes]]) -> None:
        """`lines` gives chunks of lines; it is used in another thread."""
        self._queue: queue.Queue[list[bytes] | BaseException | None] = queue.Queue(CHUNKS_AHEAD)
        threading.Thread(target=self._read, args=(lines,), name="input", daemon=True).start()

    def _read(self, lines: Iterable[list[bytes]]) -> None:
        try:
            for chunk in lines:
                self._queue.put(chunk)
            self._queue.put(None)
        except BaseException as failure:
            self._queue.put(failure)

    def __iter__(self) -> Iterator[list[bytes]]:
        """Chunks of lines, an empty one when nothing arrived for a moment; raises what reading failed with."""
        while True:
            try:
                chunk = self._queue.get(timeout=POLL_SECONDS)
            except queue.Empty:
                yield []
                continue
            if chunk is None:
                return
            if isinstance(chunk, BaseException):
                raise chunk
            yield chunk


def chunks_of(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield lines one by one, as chunks of one: each is handed over when it is there."""
    for line in lines:
        yield [line]


def chunks_from(read: Callable[[int], bytes]) -> Iterator[list[bytes]]:
    """Yield the lines of a file as they become available.

    Args:
        read: gives at most that many bytes, as soon as there are any; nothing at the end.
    """
    rest: list[bytes] = []
    while block := read(BLOCK_BYTES):
        *complete, last = block.split(b"\n")
        if complete:
            complete[0] = b"".join([*rest, complete[0]])
            rest = []
            yield complete
        rest.append(last)
    if any(rest):
        yield [b"".join(rest)]
