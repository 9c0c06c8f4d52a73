"""How much and how long an answer may be: beyond that it is broken off, whoever sends it. For the standard library."""

from __future__ import annotations

import http.client
import io
import re
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")

MEGABYTE = 1024 * 1024
LARGEST_PAGE = 16 * MEGABYTE
"""Bytes of an answer after decompression."""

LARGEST_ROW = 64 * MEGABYTE
"""The same of an answer that holds one row."""

LARGEST_REFUSAL = MEGABYTE
"""Bytes that are read where the status says all that matters; the rest is left."""

LONGEST_ANSWER = 270.0
"""Seconds from sending a request to the end of its answer; with 15 to connect and 15 to send it is 300 as a whole."""

LONGEST_CHECK = 50.0
"""Seconds that a check may take, whatever the server does: with the start of a process it ends within 60."""

ALONE = 4 * MEGABYTE
"""Bytes from which on an answer is large."""

_PIECE = 64 * 1024
_PAGE = re.compile(r"[?&]limit=(?!1(?:&|$))")


class TooLargeError(Exception):
    """An answer was broken off where it was larger than one may be. The text says how large that is."""


class TooSlowError(TimeoutError):
    """An answer had not ended after `LONGEST_ANSWER` seconds, however steadily it arrived."""


class Readable(Protocol):
    """A body as urllib3 gives it."""

    def read1(self, amt: int, decode_content: bool) -> bytes: ...


class Answer(Protocol):
    """An answer whose body has not been read, as requests gives it."""

    status_code: int
    raw: Any

    def close(self) -> None: ...


def largest_at(address: str) -> int:
    """Return how many bytes an answer may have, by the address that was asked: a page, or one row."""
    return LARGEST_PAGE if _PAGE.search(address) else LARGEST_ROW


def content_of(answer: Answer, largest: int, is_large: Callable[[], object], *, is_read: bool = True) -> bytes:
    """Return the body of an answer; where its status says all that matters, no more than the beginning.

    `is_read` is False where nobody reads even a good answer.

    Raises:
        TooLargeError: it is larger than that.
        urllib3.exceptions.HTTPError: it broke off.
    """
    is_read = is_read and 200 <= answer.status_code < 300
    content, is_whole = read(answer.raw, largest if is_read else LARGEST_REFUSAL, is_large)
    if not is_whole:
        answer.close()
        if is_read:
            raise TooLargeError(f"an answer of more than {largest // MEGABYTE} MB")
    return content


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return what some work returns, or raise what it raises, but wait for it no longer than that.

    Raises:
        TooSlowError: it takes longer, and is left to end by itself.
    """
    results: list[Result] = []
    failures: list[BaseException] = []

    def attempt() -> None:
        try:
            results.append(work())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TooSlowError
    if failures:
        raise failures[0]
    return results[0]


def read(body: Readable, largest: int, is_large: Callable[[], object]) -> tuple[bytes, bool]:
    """Return the decompressed bytes of a body, and whether it ended within `largest` of them.

    Args:
        body: What is read.
        largest: Where it is broken off.
        is_large: Called at `ALONE` bytes; may wait, so that of many answers that are read at once only one is large.
    """
    content = io.BytesIO()  # which does not copy what it gives
    size = 0
    while piece := body.read1(_PIECE, decode_content=True):
        if size < ALONE <= size + len(piece):
            is_large()
        size += content.write(piece)
        if size > largest:
            content.truncate(_PIECE)
            return content.getvalue(), False
    return content.getvalue(), True


class TimedResponse(http.client.HTTPResponse):
    """An answer with a deadline as a whole, headers and body: time-outs of sockets are per read."""

    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp: Any = io.BufferedReader(_Timed(sock, self.fp))


class _Timed(io.RawIOBase):
    def __init__(self, sock: socket.socket, file: Any) -> None:
        self._sock = sock
        self._file = file
        self._until = time.monotonic() + LONGEST_ANSWER
        self._room = LARGEST_ROW + MEGABYTE  # for what stands around a body too: some of it is read as one line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TooSlowError
        usual = self._sock.gettimeout()
        if usual is not None and usual <= left:
            return self._receive(buffer)
        self._sock.settimeout(left)
        try:
            return self._receive(buffer)
        except TimeoutError:
            raise TooSlowError from None
        finally:
            self._sock.settimeout(usual)

    def _receive(self, buffer: Any) -> int | None:
        found: int | None = self._file.raw.readinto(buffer)
        self._room -= found or 0
        if self._room < 0:
            raise TooLargeError(f"an answer of more than {LARGEST_ROW // MEGABYTE} MB")
        return found

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
