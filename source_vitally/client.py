"""How a request is sent: within the budget, over connections that are trusted, and again while that may help.

It takes the place of the CDK's HTTP client, whose retries say nothing of their reason, wait as long for one broken row
as for an outage, and put whole bodies into logs and traces.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from itertools import count
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import requests
from airbyte_cdk.models import AirbyteStreamStatus, AirbyteStreamStatusReason, FailureType, StreamDescriptor
from airbyte_cdk.models import AirbyteStreamStatusReasonType as Why
from airbyte_cdk.sources.declarative.requesters import HttpRequester
from airbyte_cdk.sources.streams.http.error_handlers import BackoffStrategy
from airbyte_cdk.sources.streams.http.error_handlers.response_models import ErrorResolution, ResponseAction
from airbyte_cdk.sources.streams.http.http_client import HttpClient
from airbyte_cdk.sources.streams.http.tcp_keepalive import TcpKeepaliveHTTPAdapter
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from urllib3.exceptions import HTTPError

from source_vitally import progress
from source_vitally.budget import RequestBudget
from source_vitally.memory import aside
from source_vitally.responses import Answer, count_of, in_short
from vitally_api import bounds, network
from vitally_api.connections import BoundedAdapter

logger = logging.getLogger("airbyte")

RETRIES = 10
FEW_RETRIES = 4
CHECK_RETRIES = 2
SHORT_WAIT = 5.0
SOME = 5
"""So many requests that succeed while one fails and fails say that Vitally is not down."""

MAX_SECONDS = 900
_GO_ON = (ResponseAction.SUCCESS, ResponseAction.IGNORE)
_TRY_AGAIN = (ResponseAction.RETRY, ResponseAction.RATE_LIMITED)
_DOWN = frozenset({408, 425, 502, 503, 504, *range(520, 530)})
_REFUSALS = (401, 403)
_ODD_REFUSALS = 2
_OF_NO_ROW = frozenset({429, 503})
_CONNECTIONS = 20


@dataclass(frozen=True)
class Patience:
    """How long requests are tried again.

    `one_of_many` are given up early while others succeed: then it is not Vitally that is down. `doubtful` are given up
    early where Vitally answers at all: it may be the request that is wrong. With `divisible` a request
    is tried again so often where what is asked for may be too much: then less is asked for.
    """

    retries: int = RETRIES
    one_of_many: bool = False
    doubtful: bool = False
    divisible: int | None = None
    is_check: bool = False
    """Whether somebody waits for the answer: short waits, and none for what does not answer at all."""

    def has_ended(self, status: int | None, tries: int, others_succeed: bool) -> bool:
        """Tell whether a request that failed so often is given up."""
        early = (self.one_of_many and others_succeed) or (self.doubtful and not _is_outage(status))
        early = early and status != requests.codes.too_many_requests
        if self.is_check and status is None:
            return True
        if self.divisible is not None and may_be_too_much(status):
            return tries > min(self.retries, self.divisible)
        return tries > (min(self.retries, FEW_RETRIES) if early else self.retries)


_USUAL = Patience()
_patience: ContextVar[Patience] = ContextVar("patience", default=_USUAL)


@contextmanager
def patience(**changes: Any) -> Iterator[None]:
    """Change the patience with the requests of this thread."""
    before = _patience.set(replace(_patience.get(), **changes))
    try:
        yield
    finally:
        _patience.reset(before)


def _is_outage(status: int | None) -> bool:
    return status is None or status in _DOWN


def may_be_too_much(status: int | None) -> bool:
    """Tell whether an answer, or none, may come of what is asked for: too heavy, too large, or a row that is broken."""
    return status not in _OF_NO_ROW


def is_check() -> bool:
    """Whether what this thread asks for is a check."""
    return _patience.get().is_check


class RequestFailed(AirbyteTracedException):
    """A request that is not tried again: what a person is told, and the HTTP status, None where there was no answer.

    `reason` says in a few words what came instead; `is_too_large` that it was more than is read at once.
    """

    def __init__(self, answer: Answer, resolution: ErrorResolution, tries: int) -> None:
        self.status = _status_of(answer)
        self.reason = in_short(answer)
        self.is_too_large = isinstance(answer, bounds.TooLargeError)
        super().__init__(
            message=resolution.error_message,
            internal_message=f"Given up after {tries} tries: {self.reason}",
            failure_type=resolution.failure_type or FailureType.system_error,
        )

    @property
    def is_outage(self) -> bool:
        """Whether Vitally or the way to it seems to be down."""
        return _is_outage(self.status)

    @property
    def may_pass(self) -> bool:
        """Whether the same request may well succeed later."""
        return bool(self.failure_type == FailureType.transient_error)


def _status_of(answer: Answer) -> int | None:
    return answer.status_code if isinstance(answer, requests.Response) else None


class Adapter(BoundedAdapter, TcpKeepaliveHTTPAdapter):
    """Opens bounded connections that are kept alive, with and without a proxy."""


def _read_once(read: Callable[..., Any]) -> Callable[..., Any]:
    """Read once what the environment says of a host, its proxy and certificates: that takes as long as some rows do."""
    known: dict[tuple[str, str], Any] = {}

    def settings(url: str, **given: Any) -> Any:
        parts = urlsplit(url)
        host = parts.scheme, parts.netloc
        if host not in known:
            known[host] = read(url=url, **given)
        return dict(known[host])

    return settings


class PatientClient(HttpClient):
    """The client of one requester of the manifest; all of them share the budget."""

    def __init__(self, requester: HttpRequester) -> None:
        assert isinstance(requester.api_budget, RequestBudget)
        assert requester.error_handler is not None
        super().__init__(
            name=requester.name,
            logger=logger,
            error_handler=requester.error_handler,
            api_budget=requester.api_budget,
            authenticator=requester.get_authenticator(),
            disable_retries=requester.disable_retries,
            message_repository=requester.message_repository,
        )
        self._budget = requester.api_budget
        self._backoff: BackoffStrategy = requester.error_handler.backoff_strategies[0]  # type: ignore[attr-defined]
        adapter = Adapter(pool_maxsize=_CONNECTIONS)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)  # ignore-https-check: an address of one's own may have no TLS
        self._session.merge_environment_settings = _read_once(  # type: ignore[method-assign]
            self._session.merge_environment_settings
        )
        self._timeouts = (requester.connect_timeout_in_seconds, requester.read_timeout_in_seconds)

    def _send_with_retry(
        self, request: requests.PreparedRequest, request_kwargs: Mapping[str, Any], *_: Any, **__: Any
    ) -> requests.Response:
        """Return the answer to go on with.

        Raises:
            RequestFailed: There is none, and trying again does not help.
        """
        options = {**request_kwargs, "timeout": self._timeouts, "verify": _certificates(request, request_kwargs)}
        patience = _patience.get()
        start, before, tries = monotonic(), 0, 0
        while True:
            tries += 1
            with ExitStack() as held:  # of large answers one is read, and taken apart, at a time
                answer = self._once(request, options, held)
                resolution = self._error_handler.interpret_response(answer)
            if isinstance(answer, requests.Response) and resolution.response_action in _GO_ON:
                self._budget.succeeded()
                progress.HERE.arrived(self.name, count_of(answer))
                return answer
            status = _status_of(answer)
            wait = self._backoff.backoff_time(answer, tries) or 0.0  # type: ignore[arg-type]
            wait = min(wait, SHORT_WAIT) if patience.is_check else wait
            if tries <= FEW_RETRIES:
                before = self._budget.successes
            is_over = patience.has_ended(status, tries, self._budget.successes >= before + SOME)
            may_pass = resolution.response_action in _TRY_AGAIN or self._is_odd_refusal(status, tries, patience)
            if not may_pass or is_over or monotonic() - start + wait > MAX_SECONDS:
                raise RequestFailed(answer, resolution, tries)
            self._say(answer, resolution, wait, f"{tries} of {patience.retries}")
            with aside(), progress.HERE.waiting(f"the next try, after {in_short(answer)},", self.name):
                sleep(wait)

    def _is_odd_refusal(self, status: int | None, tries: int, patience: Patience) -> bool:
        """Whether a refusal comes amid requests that succeed: then it is asked twice more before it is believed."""
        is_odd = status in _REFUSALS and self._budget.successes > 0 and not patience.one_of_many
        return is_odd and tries <= _ODD_REFUSALS and patience.retries > 0

    def _once(self, request: requests.PreparedRequest, options: Mapping[str, Any], held: ExitStack) -> Answer:
        logger.debug(f"Making outbound API request: {request.method} {request.url}")
        with progress.HERE.waiting("an answer", self.name), self._budget.under_way():
            try:
                answer: Answer = self._whole(request, options, held)
            except (requests.RequestException, network.RedirectError, bounds.TooLargeError) as error:
                answer = error
            except HTTPError as error:  # of the body
                answer = requests.ConnectionError(error)
        logger.debug(f"Answer to {request.url}: {getattr(answer, 'status_code', type(answer).__name__)}")
        return answer

    def _whole(
        self, request: requests.PreparedRequest, options: Mapping[str, Any], held: ExitStack
    ) -> requests.Response:
        """Return an answer with its body, from where the request is redirected to within Vitally."""
        for hop in count():
            answer = self._session.send(request, **{**options, "stream": True, "allow_redirects": False})
            target = network.followed(request.url or "", answer.status_code, answer.headers.get("Location"), hop)
            if not target:
                break
            answer.close()
            request = request.copy()
            request.prepare_url(target, None)
        largest = bounds.largest_at(request.url or "")
        answer._content = bounds.content_of(answer, largest, lambda: held.enter_context(self._budget.turn))
        return answer

    def _say(self, answer: Answer, resolution: ErrorResolution, wait: float, which: str) -> None:
        logger.warning(
            f"Stream {self.name}: {in_short(answer, resolution.error_message)}. "
            f"Trying again in {wait:.0f} seconds (retry {which})."
        )
        if resolution.response_action == ResponseAction.RATE_LIMITED and self._message_repository is not None:
            reasons = [AirbyteStreamStatusReason(type=Why.RATE_LIMITED)]
            status = as_airbyte_message(StreamDescriptor(name=self.name), AirbyteStreamStatus.RUNNING, reasons)
            self._message_repository.emit_message(status)


def _certificates(request: requests.PreparedRequest, options: Mapping[str, Any]) -> Any:
    """Return by which certificates the host is judged: those that the environment names, else the usual ones."""
    usual = options.get("verify")
    if not (request.url or "").startswith("https:"):
        return usual
    try:
        return network.ca_bundle(os.environ) or usual
    except ValueError as problem:
        raise AirbyteTracedException(
            message=str(problem), internal_message=str(problem), failure_type=FailureType.config_error
        ) from None
