"""Reading an answer of the HTTP client: its body, parsed once, its reason, its size, the server's clock around it."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import requests

from source_vitally.scan import ScanError, ServerClock
from vitally_api import answers, network
from vitally_api.masking import without_secrets

Answer = requests.Response | Exception

_BODY, _SIZE, _ABSENT, _EMPTY = "_vitally_body", "_vitally_size", "_vitally_absent", "_vitally_empty"
_NOTHING = (b"", b"null", b"[]", b"{}")
_READABLE = 2_000


def body_of(response: requests.Response) -> Any:
    """Return the JSON body of an answer, parsed once, or None when it is not JSON."""
    if not hasattr(response, _BODY):
        setattr(response, _SIZE, len(response.content))
        setattr(response, _EMPTY, response.ok and response.content.strip(b"\xef\xbb\xbf \t\r\n") in _NOTHING)
        body = _parsed(response)
        if body is not None and response.ok:
            response._content = b""  # pages are megabytes, and what is parsed is not read again
        setattr(response, _BODY, body)
    return getattr(response, _BODY)


def _parsed(response: requests.Response) -> Any:
    try:
        return answers.parse(response.content)
    except ValueError:
        pass
    try:  # JSON is UTF-8; where it is not, the header may say what it is
        said = response.encoding if "charset" in response.headers.get("Content-Type", "") else None
        return answers.parse(response.content.decode(said or "utf-8").encode())
    except (ValueError, LookupError):
        return None


def next_cursor(body: Any) -> str | None:
    """Return the page cursor that a page names, None where it is the last one.

    Raises:
        ScanError: It says that there is more, and not where.
    """
    if not isinstance(body, Mapping) or body.get("atEnd") is True:
        return None
    cursor = body.get("next")
    if cursor and cursor is not True:
        return str(cursor)
    if body.get("atEnd") is False:
        raise ScanError("Vitally says that there is more of the list ('atEnd' is false), and not where ('next')")
    return None


def has_cursor_or_none(body: Any) -> bool:
    """Return whether what a page names as its cursor can be one, or stands for none."""
    cursor = body.get("next") if isinstance(body, Mapping) else None
    return cursor is not True and isinstance(cursor, str | int | float | None)


def count_of(response: requests.Response) -> int:
    """Return how many rows an answer has."""
    body = body_of(response)
    lists = [value for value in body.values() if isinstance(value, list)] if isinstance(body, Mapping) else [body]
    return len(lists[0]) if lists and isinstance(lists[0], list) and "id" not in body else 1


def size_of(response: requests.Response) -> int:
    """Return the bytes of an answer's body."""
    body_of(response)
    return int(getattr(response, _SIZE))


def is_empty(response: requests.Response) -> bool:
    """Return whether a good answer has no content: nothing at all, `null`, or an empty list or object."""
    body_of(response)
    return bool(getattr(response, _EMPTY))


def reason_of(response: requests.Response) -> str:
    """Return what the server says went wrong, in one line, without any key that it may quote."""
    start = response.content[:_READABLE].decode(errors="replace")
    return answers.reason(body_of(response), start, without_secrets)


def in_short(answer: Answer, otherwise: str | None = None) -> str:
    """Return what came instead of a good answer, in a few words, for logs; `otherwise` says it of a broken body."""
    if not isinstance(answer, requests.Response):
        return network.broken_answer(answer) or f"no answer ({type(answer).__name__})"
    if answer.ok:
        return (otherwise or "a broken answer").split(". ")[0]
    said = answers.reason(body_of(answer), "", without_secrets)  # a page of HTML is no reason
    return f"HTTP {answer.status_code}{f' ({said})' if said else ''}"


def mark_absent(response: requests.Response) -> None:
    """Take note that an answer says that the workspace has no such thing, or does not show it to this key."""
    setattr(response, _ABSENT, True)


def is_absent(response: requests.Response) -> bool:
    """Return whether an answer has been found to say that there is no such thing."""
    return hasattr(response, _ABSENT)


def clock_of(response: requests.Response) -> ServerClock | None:
    """Return the server's clock around this request: `Date`, and `Date` less the time the answer took, or None.

    Both are cut to the second: so may be the stamp of an edit that came right after the request.
    """
    answered = answers.server_time(response.headers)
    return ServerClock((answered - response.elapsed).replace(microsecond=0), answered) if answered else None


def packed(response: requests.Response) -> bytes | None:
    """Return what is wanted of an answer as bytes, for this process; None where it cannot be had as such."""
    body, size = body_of(response), size_of(response)
    told = response.status_code, dict(response.headers), response.elapsed.total_seconds()
    try:
        return marshal.dumps((*told, size, is_empty(response), is_absent(response), body))
    except ValueError:  # nested too deeply
        return None


def unpacked(content: bytes) -> requests.Response:
    """Return an answer that was packed."""
    status, headers, elapsed, size, empty, absent, body = marshal.loads(content)  # noqa: S302 - of this process
    response = requests.Response()
    response.status_code, response.elapsed, response._content = status, timedelta(seconds=elapsed), b""
    response.headers.update(headers)
    for name, value in ((_BODY, body), (_SIZE, size), (_EMPTY, empty)):
        setattr(response, name, value)
    if absent:
        mark_absent(response)
    return response
