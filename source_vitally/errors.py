"""What an answer of Vitally means: a page, a reason to try again, or an error that tells a person what to do.

The texts for single status codes stand in the manifest; here is what needs code: bodies that are not what they should
be, resources that a workspace does not have, hosts that cannot be reached, and how long to wait.
"""

import random
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.requesters.error_handlers import DefaultErrorHandler
from airbyte_cdk.sources.streams.http.error_handlers import BackoffStrategy
from airbyte_cdk.sources.streams.http.error_handlers.response_models import (
    SUCCESS_RESOLUTION,
    ErrorResolution,
    ResponseAction,
)

from source_vitally.config import REST_URL
from source_vitally.responses import body_of, has_cursor_or_none, is_empty, mark_absent
from vitally_api import answers, bounds, cloud, network
from vitally_api.masking import without_secrets

LIST, ANYTHING = "list", "anything"
_OF_ONE_ROW = ("id", ANYTHING)
"""Envelopes of answers about one row, which may have nothing to say: no transcript, no score."""
_LONGEST_WAIT = 60.0
_NO_SUCH_HOST = ("NameResolutionError", "Name or service not known", "getaddrinfo")
_BAD_REQUEST, _FORBIDDEN, _NOT_FOUND = 400, 403, 404
_IGNORE = ErrorResolution(ResponseAction.IGNORE, None, None)


@dataclass
class GrowingBackoff(BackoffStrategy):
    """Waits of 1, 2, 4 … 60 seconds with jitter, or longer where the server asks for it.

    Until when a limit resets says something of a 429 only; `Retry-After` of every answer.
    The growth matters even with a header: one refilled unit may not be enough for the next request. Ten retries wait
    about five minutes in all, so an outage of two minutes is outlasted.
    """

    def backoff_time(
        self, response_or_exception: requests.Response | requests.RequestException | None, attempt_count: int
    ) -> float | None:
        """Return the seconds to wait before the next attempt; `attempt_count` begins at 1."""
        growing = min(_LONGEST_WAIT, 2.0 ** (attempt_count - 1)) * random.uniform(0.75, 1.25)  # noqa: S311
        if not isinstance(response_or_exception, requests.Response):
            return growing
        headers: Mapping[str, str] = response_or_exception.headers
        is_limited = response_or_exception.status_code == requests.codes.too_many_requests
        if not is_limited:
            headers = {name: headers[name] for name in ("Retry-After", "Date") if name in headers}
        asked = answers.wait_asked_for(headers, now=None) or 0.0
        return max(growing, min(asked, answers.LONGEST_WAIT))


@dataclass
class VitallyErrorHandler(DefaultErrorHandler):
    """The manifest's response filters, and before them what a filter cannot say.

    `envelope` is the key a good body must have (`results` of a list, `id` of an object), or `list`, or `anything`.
    With `optional` a workspace may not have the resource: then a 404, or a 403 that Vitally gives reasons for, says
    that it is absent; with `absent_if_rejected` a 400 says so too.
    """

    parameters: InitVar[Mapping[str, Any]]
    envelope: str = "results"
    optional: bool = False
    absent_if_rejected: bool = False

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        self.backoff_strategies = [GrowingBackoff()]
        super().__post_init__(parameters)

    def interpret_response(self, response_or_exception: requests.Response | Exception | None) -> ErrorResolution:
        """Return what the client does next."""
        if not isinstance(response_or_exception, requests.Response):
            return _unreachable(response_or_exception, self._address)
        response = response_or_exception
        if response.ok:
            return self._interpret_body(response)
        if self._says_absent(response):
            mark_absent(response)
            return _IGNORE
        if response.status_code == _FORBIDDEN and not isinstance(body_of(response), Mapping):
            return self._blocked()
        resolution = super().interpret_response(response)
        said = answers.reason(body_of(response), "", without_secrets)  # a page of HTML is no reason
        text = f"{resolution.error_message or ''}{f' Vitally says: {said}' if said else ''}"
        return replace(resolution, error_message=without_secrets(text))

    def _says_absent(self, response: requests.Response) -> bool:
        if not self.optional:
            return False
        if response.status_code == _NOT_FOUND:
            return True
        has_reason = isinstance(body_of(response), Mapping)  # what stands in between answers in HTML
        is_rejected = self.absent_if_rejected and response.status_code == _BAD_REQUEST
        return has_reason and (response.status_code == _FORBIDDEN or is_rejected)

    def _blocked(self) -> ErrorResolution:
        return ErrorResolution(
            ResponseAction.FAIL,
            FailureType.config_error,
            f"A request to {self._address} was forbidden (HTTP 403) by something that is not Vitally's API: a firewall "
            "or a proxy in between. Let it allow this address.",
        )

    def _problem_with(self, response: requests.Response) -> str:
        """Return what is wrong with a body, or nothing.

        Rows that are no objects cost themselves; a list that begins with a page of nothing else is none of Vitally's.
        """
        body = body_of(response)
        if body is None:
            return "that is not JSON"
        if self.envelope == ANYTHING:
            return ""
        rows = body if self.envelope == LIST else body.get(self.envelope) if isinstance(body, Mapping) else None
        if rows is None:
            return f"without '{self.envelope}'"
        if self.envelope == "id":
            return ""
        is_page = isinstance(rows, list) and (
            not rows or any(isinstance(row, Mapping) for row in rows) or _is_further(response)
        )
        return "" if is_page and has_cursor_or_none(body) else "that is not a page of rows"

    @property
    def _address(self) -> str:
        return str(self.config.get(REST_URL))

    def _interpret_body(self, response: requests.Response) -> ErrorResolution:
        body = body_of(response)
        problem = self._problem_with(response)
        if self.optional and (problem or self.envelope == ANYTHING) and answers.is_miss(response.status_code, body):
            mark_absent(response)
            return _IGNORE
        if not problem or (self.optional and self.envelope in _OF_ONE_ROW and is_empty(response)):
            return SUCCESS_RESOLUTION
        return ErrorResolution(
            ResponseAction.RETRY,
            FailureType.transient_error,
            f"{self._address} answered with a body {problem}. If this stays, it is not where Vitally's REST API is: "
            "check the subdomain and the region in Data center (data_center).",
        )


def _is_further(response: requests.Response) -> bool:
    """Whether the page of an answer goes on with a list."""
    return "from" in parse_qs(urlsplit(response.request.url or "").query)


def _unreachable(error: Exception | None, address: str) -> ErrorResolution:
    if error and (why := _refused(error, urlsplit(address).netloc)):
        return ErrorResolution(ResponseAction.FAIL, FailureType.config_error, why)
    if error and (sent := network.broken_answer(error)):
        is_large = isinstance(error, bounds.TooLargeError)  # it is so again, unless less is asked for
        action = ResponseAction.FAIL if is_large else ResponseAction.RETRY
        return ErrorResolution(action, FailureType.transient_error, f"{address} sent {sent}.")
    text = str(error)
    if isinstance(error, requests.exceptions.ProxyError):
        reason = (
            f"The proxy {network.proxy_of(address)} does not let requests to {address} through ({_cause_of(text)}). "
            "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the connector, and that the proxy runs."
        )
    elif any(sign in text for sign in _NO_SUCH_HOST):
        reason = (
            f"The host of {address} is not known. Check the subdomain in Data center (data_center), then the network's "
            "DNS."
        )
    elif isinstance(error, requests.exceptions.SSLError):
        reason = f"No trusted TLS connection to {address}. Check Data center (data_center) and any proxy in between."
    elif isinstance(error, requests.Timeout):
        reason = f"{address} did not answer in time. Check the network from this machine to Vitally."
    else:
        reason = f"No connection to {address}, or it broke. Check the network from this machine to Vitally."
    return ErrorResolution(ResponseAction.RETRY, FailureType.transient_error, reason)


def _refused(error: Exception, host: str) -> str:
    """Return why nothing is sent to a host, or nothing of its is taken, and what to do; "" where trying again helps."""
    if isinstance(error, network.RedirectError):
        return str(error)
    return cloud.refused(error, host) or network.refused_tls(error, host) or ""


def _cause_of(text: str) -> str:
    refusal = text.partition("Tunnel connection failed: ")[2]
    if refusal:
        return refusal.partition("'")[0]
    return "its host is not known" if any(sign in text for sign in _NO_SUCH_HOST) else "it does not answer"
