"""One way to Vitally: a session, the pace, the retries, and errors that say what to do."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.exceptions import InvalidSchema, InvalidURL
from urllib3.exceptions import NewConnectionError

from destination_vitally.clock import Clock
from destination_vitally.config import Config
from destination_vitally.errors import AmbiguousError, ConfigError, OutageError
from destination_vitally.transports.limiter import Limiter
from vitally_api import answers
from vitally_api.keys import analytics_authorization, rest_authorization
from vitally_api.regions import ANALYTICS_PATH, REST_PATH

TIMEOUT = (15.0, 90.0)
"""Seconds to connect, and to wait for an answer."""

PATIENCE = 300.0
"""Seconds spent waiting between the attempts of one request before the sync is given up."""

CHECK_PATIENCE = 15.0
"""The same for a check: somebody is looking at the form."""

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Reply:
    """An answer: its status, its JSON (None when it is empty or no JSON), and the reason it gives."""

    status: int
    body: Any
    text: str

    @property
    def ok(self) -> bool:
        """Whether Vitally did what it was asked to."""
        return self.status < 300 and not answers.says_failure(self.body)

    @property
    def is_miss(self) -> bool:
        """Whether there is no such thing."""
        return answers.is_miss(self.status, self.body)

    @property
    def reason(self) -> str:
        """Vitally's words, in one line."""
        return answers.reason(self.body, self.text) or f"HTTP {self.status} without a reason"


class RetryableError(Exception):
    """An attempt failed in a way that a later one may not; `asked` is how long Vitally asks to wait."""

    def __init__(self, problem: str, asked: float = 0.0, *, busy: bool = False) -> None:
        super().__init__(problem)
        self.asked = asked
        self.busy = busy


class _Header(AuthBase):
    """Sets the Authorization header as it is; as `auth`, so that no .netrc of the machine replaces it."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


@dataclass
class Shared:
    """What the two APIs share. `jitter` spreads waits, 0.5 to 1."""

    session: requests.Session
    limiter: Limiter
    clock: Clock
    patience: float = PATIENCE
    jitter: Callable[[], float] = lambda: 0.5 + random.random() / 2  # noqa: S311 - no secret hangs on it


class Backoff:
    """Waits that grow, up to the point where it is better to give up."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._waited = 0.0
        self._next = FIRST_WAIT

    def wait(self, problem: str, asked: float = 0.0, *, busy: bool = False) -> None:
        """Wait for the next attempt, at least as long as asked for; when `busy`, the other workers wait too.

        Raises:
            OutageError: everything together would take longer than the patience lasts.
        """
        if asked > self._shared.patience:
            asked = 0.0  # more likely a header misread, such as an epoch by another clock, than meant
        wait = max(asked, self._next * self._shared.jitter())
        if self._waited + wait > self._shared.patience:
            raise OutageError(f"Gave up after waiting {self._waited:.0f} s: {problem}. Try again later.")
        if busy:
            self._shared.limiter.pause(wait)
        self._shared.clock.wait(wait)
        self._waited += wait
        self._next = min(LONGEST_WAIT, 2 * self._next)


class Api:
    """One of Vitally's two APIs: its address, its credential, and the pace shared by both."""

    def __init__(self, token_field: str, base: str, authorization: str, shared: Shared) -> None:
        self._token_field = token_field
        self._base = base
        self._auth = _Header(authorization)
        self._shared = shared

    def send(self, method: str, path: str, body: bytes | None = None, *, repeatable: bool = True) -> Reply:
        """Send a request and retry while Vitally is busy or out of reach.

        Args:
            body: JSON, or nothing.
            repeatable: whether sending it twice leaves what sending it once does.

        Returns:
            The answer: any 2xx, or a 4xx that is about this request.

        Raises:
            AmbiguousError: not repeatable, and no telling whether Vitally acted on it.
            ConfigError: the key or the address is wrong.
            OutageError: Vitally did not answer for longer than the patience lasts.
            StoppedError: the connector has to end.
        """
        backoff = self.backoff()
        while True:
            self._shared.limiter.acquire()
            try:
                return self._attempt(method, path, body, repeatable)
            except RetryableError as error:
                backoff.wait(str(error), error.asked, busy=error.busy)

    def backoff(self) -> Backoff:
        """The waiting between the attempts of one thing."""
        return Backoff(self._shared)

    def _attempt(self, method: str, path: str, body: bytes | None, repeatable: bool) -> Reply:
        host = urlsplit(self._base).netloc
        try:
            response = self._shared.session.request(
                method,
                self._base + path,
                data=body,
                auth=self._auth,
                timeout=TIMEOUT,
                headers={"Content-Type": "application/json"} if body else {},
                allow_redirects=False,
            )
        except (InvalidURL, InvalidSchema) as error:
            raise ConfigError(f"No request can be sent to {host} ({_root_name(error)}). Check data_center.") from None
        except requests.exceptions.RequestException as error:
            if not (repeatable or _never_sent(error)):
                raise AmbiguousError("the connection broke before Vitally's answer arrived") from None
            problem = f"no answer from {host} ({_root_name(error)}); check data_center and the network"
            raise RetryableError(problem) from None
        reply = _read(response)
        self._shared.limiter.observe(response.headers, refused=reply.status == 429)
        self._raise_config_errors(reply)
        problem = _retryable_problem(method, reply)
        if problem and not repeatable and reply.status != 429:
            raise AmbiguousError(f"Vitally answered with {problem}")
        if problem:
            asked = answers.wait_asked_for(response.headers, self._shared.clock.now()) or 0.0
            raise RetryableError(f"{host} answered with {problem}", asked, busy=reply.status == 429)
        return reply

    def _raise_config_errors(self, reply: Reply) -> None:
        if reply.status in (401, 403):
            raise ConfigError(
                f"Vitally refused the key (HTTP {reply.status}: {reply.reason}). Check {self._token_field}, "
                "and that data_center is the one of this workspace."
            )
        if 300 <= reply.status < 400:
            raise ConfigError(
                f"{urlsplit(self._base).netloc} redirects elsewhere (HTTP {reply.status}). Check data_center."
            )


@dataclass(frozen=True)
class Apis:
    """The APIs for which there is a key."""

    rest: Api | None
    analytics: Api | None


def connect(config: Config, clock: Clock, patience: float = PATIENCE) -> Apis:
    """The ways to Vitally that a configuration opens; sends nothing yet."""
    session = requests.Session()
    adapter = HTTPAdapter(pool_maxsize=config.num_workers, pool_connections=2)
    session.mount("https://", adapter)
    session.mount("http://", adapter)  # ignore-https-check: an address of one's own may have no TLS
    session.headers["User-Agent"] = "airbyte-destination-vitally"
    shared = Shared(session, Limiter(config.requests_per_minute, clock), clock, patience)
    rest = analytics = None
    if config.secret_token and config.data_center.rest:
        base = config.data_center.rest + REST_PATH
        rest = Api("secret_token", base, rest_authorization(config.secret_token), shared)
    if config.analytics_token and config.data_center.analytics:
        base = config.data_center.analytics + ANALYTICS_PATH
        analytics = Api("analytics_token", base, analytics_authorization(config.analytics_token), shared)
    return Apis(rest, analytics)


def _read(response: requests.Response) -> Reply:
    try:
        body = answers.parse(response.content) if response.content else None
    except ValueError:
        body = None
    text = "" if body is not None else response.text
    return Reply(response.status_code, body, text)


def _retryable_problem(method: str, reply: Reply) -> str:
    """What is wrong with an answer that a later attempt may get right; empty when nothing is."""
    if reply.status == 429:
        return "HTTP 429 (too many requests)"
    if reply.status >= 500:
        return f"HTTP {reply.status}"
    if reply.status < 300 and method != "DELETE" and reply.text.strip():
        return "something that is not JSON"
    if method == "GET" and reply.ok and not _holds_rows(reply.body):
        return "neither a row nor a page of rows"
    return ""


def _holds_rows(body: Any) -> bool:
    """Whether an answer to GET has a row or rows: a page that lacks them, taken for empty, would hide what exists."""
    rows = body.get("results") if isinstance(body, dict) and "id" not in body else [body]
    rows = body if isinstance(body, list) else rows
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


def _never_sent(error: Exception) -> bool:
    """Whether the request cannot have reached Vitally: the connection was never made."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(reason, NewConnectionError)


def _root_name(error: BaseException) -> str:
    """The kind of a network error; its text may hold an address with parameters, so it is left out."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return type(reason or error).__name__
