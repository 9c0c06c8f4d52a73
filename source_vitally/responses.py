"""Reading an answer of Vitally: its body, its error text, its clock and how long it asks to wait."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
import requests
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets

from source_vitally.scan import ServerClock

_LONGEST_SERVER_WAIT = 300.0
_EPOCH_FROM = 1_000_000
_BODY = "_vitally_body"


def body_of(response: requests.Response) -> Any:
    """Return the JSON body of an answer, parsed once, or None when it is not JSON."""
    if not hasattr(response, _BODY):
        try:
            body = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            body = None
        setattr(response, _BODY, body)
    return getattr(response, _BODY)


def error_text(response: requests.Response) -> str:
    """Return what the server says went wrong: `error`, else `message`, else the raw text, cut to 300 characters."""
    body = body_of(response)
    if isinstance(body, Mapping):
        for key in ("error", "message"):
            if body.get(key):
                return filter_secrets(str(body[key])[:300])
    return filter_secrets(response.text[:300])


def is_missing(response: requests.Response) -> bool:
    """Whether the answer means "no such thing": a 404, or, as a public client sees it, an `error` without an `id`."""
    if response.status_code == requests.codes.not_found:
        return True
    body = body_of(response)
    return response.ok and isinstance(body, Mapping) and "error" in body and "id" not in body and "results" not in body


def server_time(response: requests.Response) -> datetime | None:
    """Return the `Date` header as an aware UTC datetime (whole seconds), or None."""
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(timezone.utc)
    except (KeyError, TypeError, ValueError):
        return None


def clock_of(response: requests.Response) -> ServerClock | None:
    """Return the server's clock around this request: `Date`, and `Date` less the time the answer took, or None."""
    answered = server_time(response)
    return ServerClock(answered - response.elapsed, answered) if answered else None


def first_number(headers: Mapping[str, str], names: Iterable[str]) -> float | None:
    """Return the first number in the first of the headers that has one (`"1000, 1000;window=60"` is 1000)."""
    for name in names:
        match = re.match(r"\s*(\d+(?:\.\d+)?)", headers.get(name) or "")
        if match:
            return float(match[1])
    return None


def wait_asked_for(response: requests.Response) -> float | None:
    """Return the seconds an answer asks to wait, by whichever of the known headers it has, or None.

    `Retry-After` is seconds or an HTTP date; `RateLimit-Reset` and `X-RateLimit-Reset` are seconds when small, else
    an epoch. Times are measured from the answer's own `Date`, not from this machine's clock.
    """
    now = server_time(response)
    retry_after = response.headers.get("Retry-After", "")
    seconds = first_number(response.headers, ["Retry-After"])
    if seconds is None and retry_after and now:
        try:
            seconds = (parsedate_to_datetime(retry_after) - now).total_seconds()
        except (TypeError, ValueError):
            seconds = None
    if seconds is None:
        seconds = first_number(response.headers, ["RateLimit-Reset", "X-RateLimit-Reset"])
        if seconds is not None and seconds >= _EPOCH_FROM:
            seconds = seconds - now.timestamp() if now else None
    return min(max(seconds, 0.0), _LONGEST_SERVER_WAIT) if seconds is not None else None
