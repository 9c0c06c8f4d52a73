"""Reading an answer of the HTTP client: its body, parsed once, its reason, and the server's clock around it."""

from __future__ import annotations

from typing import Any

import requests
from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets

from source_vitally.scan import ServerClock
from vitally_api import answers

_BODY = "_vitally_body"


def body_of(response: requests.Response) -> Any:
    """Return the JSON body of an answer, parsed once, or None when it is not JSON."""
    if not hasattr(response, _BODY):
        try:
            body = answers.parse(response.content)
        except ValueError:
            body = None
        setattr(response, _BODY, body)
    return getattr(response, _BODY)


def reason_of(response: requests.Response) -> str:
    """Return what the server says went wrong, without any key that it may quote."""
    return filter_secrets(answers.reason(body_of(response), response.text))


def is_missing(response: requests.Response) -> bool:
    """Return whether the answer means "no such thing"."""
    # A 404 is one whatever its body, which need not be read then.
    return answers.is_miss(response.status_code, body_of(response) if response.ok else None)


def clock_of(response: requests.Response) -> ServerClock | None:
    """Return the server's clock around this request: `Date`, and `Date` less the time the answer took, or None."""
    answered = answers.server_time(response.headers)
    return ServerClock(answered - response.elapsed, answered) if answered else None
