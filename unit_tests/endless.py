"""Servers whose answers never end, in bytes or in time."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SPACES = b" " * 65536
BOMB = gzip.compress(b"[" * 30_000_000, 1)
BOMB_WITHIN_BOMB = gzip.compress(zlib.compress(b"[" * 30_000_000, 0))

Script = Callable[[bytes], Iterator[bytes]]


class Server:
    """Answers each connection by what a script yields, until that ends or nobody listens."""

    def __init__(self, script: Callable[[bytes], Iterator[bytes]]) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._script = script
        self.stopped = threading.Event()
        self.sent = 0
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._answer, args=(self._socket.accept()[0],), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            for piece in self._script(connection.recv(65536)):
                connection.sendall(piece)
                self.sent += len(piece)

    def close(self) -> None:
        self.stopped.set()
        self._socket.close()


@contextmanager
def serving() -> Iterator[Callable[[Script], Server]]:
    """Yield what makes servers, and close them afterwards."""
    made: list[Server] = []

    def serve(script: Script) -> Server:
        made.append(Server(script))
        return made[-1]

    yield serve
    for server in made:
        server.close()


def chunked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield CHUNKED
    for piece in pieces:
        yield b"%x\r\n%s\r\n" % (len(piece), piece)


def plain(_: bytes) -> Iterator[bytes]:
    return itertools.chain([OK + b"\r\n["], itertools.repeat(SPACES))


def long(_: bytes) -> Iterator[bytes]:
    return itertools.chain([OK + b"Content-Length: 99999999999\r\n\r\n["], itertools.repeat(SPACES))


def in_chunks(_: bytes) -> Iterator[bytes]:
    return chunked(itertools.repeat(SPACES))


def bomb(_: bytes) -> Iterator[bytes]:
    yield OK + b"Content-Encoding: gzip\r\n\r\n" + BOMB


def bomb_within_bomb(_: bytes) -> Iterator[bytes]:
    yield OK + b"Content-Encoding: deflate, gzip\r\n\r\n" + BOMB_WITHIN_BOMB


def in_one_line_of_a_chunk(_: bytes) -> Iterator[bytes]:
    """The size of a chunk that never ends: it is read as one line."""
    return itertools.chain([CHUNKED], itertools.repeat(b"1" * 65536))


def after_the_last_chunk(_: bytes) -> Iterator[bytes]:
    """Trailers without end, which nobody wants to know."""
    return itertools.chain([CHUNKED + b"2\r\n{}\r\n0\r\n"], itertools.repeat(b"X-More: y\r\n" * 5000))


def before_the_answer(_: bytes) -> Iterator[bytes]:
    """An answer that is announced again and again."""
    return itertools.repeat(b"HTTP/1.1 100 Continue\r\nX-Again: %s\r\n\r\n" % (b"y" * 60_000))


def nothing_but_compression(_: bytes) -> Iterator[bytes]:
    """Compressed texts without a letter, one after the other: many bytes arrive, and there is nothing to count."""
    return itertools.chain([OK + b"Content-Encoding: gzip\r\n\r\n"], itertools.repeat(gzip.compress(b"") * 500))


def name_of_what_is_compressed(_: bytes) -> Iterator[bytes]:
    """The name of a file, which stands before what is compressed and ends with a zero."""
    begins = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03"
    return itertools.chain([OK + b"Content-Encoding: gzip\r\n\r\n" + begins], itertools.repeat(b"a" * 65536))


ENDLESS = [plain, long, in_chunks, bomb, bomb_within_bomb]
ODDLY_ENDLESS = [
    *(in_one_line_of_a_chunk, after_the_last_chunk, before_the_answer),
    *(nothing_but_compression, name_of_what_is_compressed),
]


def slow(server: list[Server], first: bytes, piece: bytes) -> Iterator[bytes]:
    yield first
    while not server[0].stopped.wait(0.05):
        yield piece


SLOW = {
    "a body": (OK + b"Content-Length: 999\r\n\r\n", b" "),
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "nothing but headers": (OK + b"Content-Length: 9\r\n\r\n", b""),
    "headers": (OK + b"X-Slow: ", b"x"),
    "a status": (b"HTTP/1.1 2", b""),
}
