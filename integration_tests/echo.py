"""A server that repeats whatever secret it is sent or knows of, in every spelling, in every kind of answer."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import quote

Answer = tuple[int, dict[str, str], bytes]
Kind = Callable[[str], Answer]


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def spelled(secret: str) -> set[str]:
    """A secret as it is used, by hand rather than by the code that is judged."""
    user, coded, bare = f"{secret}:", b64(f"{secret}:"), b64(secret)
    plain = {secret, user, coded, coded.rstrip("="), bare, bare.rstrip("="), coded.replace("+", "-").replace("/", "_")}
    letters = "".join(f"%{ord(letter):02X}" for letter in secret)
    escaped = {*map(quote, plain), *(quote(text, safe="") for text in plain), secret.replace("/", "\\/"), letters}
    return {*plain, *escaped}


def within(secret: str) -> str:
    """A longer text that was encoded as a whole, as a proxy logs a request."""
    return b64(f"user{secret}!")


def unreadable(secret: str) -> set[str]:
    """What nobody may read."""
    return {*spelled(secret), within(secret)[6:-4]}


def error(status: int, **headers: str) -> Kind:
    return lambda text: (status, headers, json.dumps({"error": text}).encode())


KINDS: dict[str, Kind] = {
    "refused key": error(401),
    "blocked": lambda text: (403, {}, f"<html>{text}</html>".encode()),
    "refused row": error(400),
    "refused row in pieces": lambda text: (422, {}, json.dumps({"errors": text.split(), "message": text}).encode()),
    "refused row as text": lambda text: (400, {}, text.encode()),
    "missing": error(404),
    "conflict": error(409),
    "busy": error(429, **{"Retry-After": "1"}),
    "down": error(500),
    "page": lambda text: (502, {}, f"<html>{text}</html>".encode()),
    "failure": lambda text: (200, {}, json.dumps({"success": False, "error": text}).encode()),
    "no rows": lambda text: (200, {}, json.dumps({"results": text}).encode()),
    "no JSON": lambda text: (200, {}, text.encode()),
    "redirect": lambda text: (302, {"Location": f"https://{quote(text, safe='').lower()}.example.com/{text}"}, b""),
    "a row": lambda text: (200, {}, json.dumps({"results": [labelled(text)], "next": None}).encode()),
}


def labelled(text: str) -> dict[str, Any]:
    return {"id": text, "externalId": text, "name": text, "label": text, "path": "traits.x", "type": text}


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent, by one kind of answer after the other; keeps what is put into a bucket."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else what comes in pieces waits for the first to be acknowledged
    kinds: ClassVar[list[Kind]] = []
    known: ClassVar[list[str]] = []
    stored: ClassVar[list[bytes]] = []
    bucket: ClassVar[bytes] = b""

    def answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/acme-rejected"):
            self.stored.append(sent)
            status, headers, body = 403 if self.bucket else 200, dict[str, str](), self.bucket
        else:
            kind = self.kinds.pop(0)
            self.kinds.append(kind)
            status, headers, body = kind(self.echo())
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value.replace("\n", " "))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

    def echo(self) -> str:
        given = [self.headers.get(name) or "" for name in ("Authorization", "Proxy-Authorization")]
        secrets = {text.removeprefix("Basic ") for text in given}
        secrets |= {base64.b64decode(text + "==").decode(errors="ignore").partition(":")[0] for text in secrets}
        password = base64.b64decode(given[1].removeprefix("Basic ")).decode().partition(":")[2]
        secrets |= {*self.known, password}
        shown = {text for secret in secrets if secret for text in (*spelled(secret), within(secret))}
        return "; ".join(sorted(shown))

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def echoing(*known: str) -> Iterator[str]:
    """Yield the address of a server that knows some secrets, besides those that it is sent."""
    Echo.kinds, Echo.stored, Echo.bucket, Echo.known = [], [], b"", [*known]
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as served:
        threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{served.server_address[1]}"
        served.shutdown()
