"""One way to Vitally: a session, the pace, the retries, and errors that say what to do."""

from __future__ import annotations

import logging
import os
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from threading import Lock
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import requests
from requests.auth import AuthBase
from requests.exceptions import InvalidSchema, InvalidURL, ProxyError
from urllib3.exceptions import HTTPError, NewConnectionError

from destination_vitally.api.limiter import Limiter
from destination_vitally.api.reply import NO_ANSWER, Reply, RetryableError, read, retryable_problem
from destination_vitally.api.wire import Adapter
from destination_vitally.clock import Clock
from destination_vitally.config import Config, setting
from destination_vitally.errors import AmbiguousError, ConfigError, OutageError, RejectedError
from vitally_api import answers, bounds, cloud, network
from vitally_api.keys import analytics_authorization, rest_authorization
from vitally_api.regions import ANALYTICS_PATH, REST_PATH

logger = logging.getLogger("airbyte")

TIMEOUT = (15.0, 90.0)
"""Seconds to connect, and to wait for an answer."""

PATIENCE = 300.0
"""Seconds spent waiting between the attempts of one request before it, or the sync, is given up."""

SHORT_PATIENCE = 60.0
"""The same once it is known that Vitally has requests which it never answers well while it answers others."""

CHECK_PATIENCE = 15.0
"""The same for a check: somebody is looking at the form."""

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0

GIVEN_UP_IN_A_ROW = 3
"""So many requests of a kind may get no good answer one after the other before that is an outage of this kind."""

ELSEWHERE = "an id with .. as a part of a path is not deleted: it could lead to another row"

PAGES_IN_A_ROW = 50
"""So many requests may a firewall refuse one after the other before it is more than a matter of single rows."""


class _Header(AuthBase):
    """Sets the Authorization header as it is; as `auth`, so that no .netrc of the machine replaces it."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


@dataclass
class Shared:
    """What the two APIs share. `jitter` spreads waits, 0.5 to 1; who reads a large answer has the `turn`."""

    session: requests.Session
    limiter: Limiter
    clock: Clock
    patience: float = PATIENCE
    jitter: Callable[[], float] = lambda: 0.5 + random.random() / 2  # noqa: S311 - no secret hangs on it
    turn: Lock = field(default_factory=Lock)


class Patience(NamedTuple):
    """How long a request may fail until it may be the request that is at fault, and what tells whether it is.

    `is_alive` says whether Vitally takes other requests of the kind; without it, the API's probe tells.
    """

    seconds: float = PATIENCE
    is_alive: Callable[[], bool] | None = None


FULL_PATIENCE = Patience()


class Backoff:
    """Waits that grow, up to the point where it is better to give up."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._waited = 0.0
        self._next = FIRST_WAIT

    def outlasts(self, patience: float) -> bool:
        """Tell whether one more wait could be longer than a patience lasts."""
        return self._waited + self._next > min(patience, self._shared.patience)

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
        logger.warning("Waiting %.0f s, then trying again: %s.", wait, problem)
        if busy:
            self._shared.limiter.pause(wait)
        self._shared.clock.wait(wait)
        self._waited += wait
        self._next = min(LONGEST_WAIT, 2 * self._next)


class Api:
    """One of Vitally's two APIs: its address, its credential, and the pace shared by both."""

    def __init__(self, token_field: str, base: str, authorization: str, shared: Shared, probe: str = "/") -> None:
        """`probe` is a path that answers to GET while the API is well."""
        self._token_field = token_field
        self._base = base
        self._auth = _Header(authorization)
        self._shared = shared
        self._probe = probe
        self._proven = False
        self._pages = 0
        self._has_given_up = False
        self._given_up: Counter[str] = Counter()

    def send(  # noqa: PLR0913 - each says something else of the same request
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        repeatable: bool = True,
        patience: Patience = FULL_PATIENCE,
        conflict: bool = False,
        until: float = inf,
    ) -> Reply:
        """Send a request and retry while Vitally is busy or out of reach.

        Args:
            body: JSON, or nothing.
            repeatable: whether sending it twice leaves what sending it once does.
            patience: when it may be the request that is at fault, not Vitally.
            conflict: whether a 409 is an answer, to be decided on, rather than a reason to try again.
            until: up to when it is known to be right, by the monotonic clock.

        Returns:
            The answer: any 2xx, a 4xx that is about this request, or the last of those that one cannot go by, when
            the patience has ended and Vitally answers other requests.

        Raises:
            AmbiguousError: not repeatable, and no telling whether Vitally acted on it.
            ConfigError: the key or the address is wrong.
            LateError: `until` had passed before it could be sent.
            OutageError: Vitally did not answer for longer than the patience lasts.
            RejectedError: a delete of an id that may be taken for a way to another row.
            StoppedError: the connector has to end.
        """
        if method == "DELETE" and leads_elsewhere(path):
            raise RejectedError(ELSEWHERE)
        backoff = self.backoff()
        kind = kind_of(method, path)
        while True:
            try:
                reply = self._attempt(method, path, body, repeatable=repeatable, conflict=conflict, until=until)
            except RetryableError as error:
                if not error.busy and self.gives_up(kind, error.reply, backoff, patience):
                    return error.reply
                backoff.wait(str(error), error.asked, busy=error.busy)
                until = until if error.busy else inf  # Vitally may have acted on it
            else:
                if reply.ok:
                    self._given_up.pop(kind, None)
                return reply

    def takes(self, method: str, path: str, body: bytes | None = None) -> bool:
        """Tell whether a request gets a good answer at once."""
        try:
            return self._attempt(method, path, body).ok
        except RetryableError:
            return False

    def gives_up(self, kind: str, reply: Reply, backoff: Backoff, patience: Patience = FULL_PATIENCE) -> bool:
        """Tell whether a request that gets no good answer is to be taken for refused, since others do get one."""
        if not backoff.outlasts(min(patience.seconds, SHORT_PATIENCE) if self._has_given_up else patience.seconds):
            return False
        if 400 <= reply.status < 500:
            pass  # that Vitally says so proves that it is there
        elif patience.is_alive:
            if not patience.is_alive():
                return False
        elif self._given_up[kind] < GIVEN_UP_IN_A_ROW and self.takes("GET", self._probe):
            self._given_up[kind] += 1
        else:
            return False
        self._has_given_up = True
        return True

    @property
    def limiter(self) -> Limiter:
        """The pace of the requests to both APIs."""
        return self._shared.limiter

    @property
    def gap(self) -> float:
        """Seconds between two requests while the budget is in use."""
        return self._shared.limiter.gap

    def backoff(self) -> Backoff:
        """Return the waiting between the attempts of one thing."""
        return Backoff(self._shared)

    def _attempt(  # noqa: PLR0913 - as `send`
        self,
        method: str,
        path: str,
        body: bytes | None,
        *,
        repeatable: bool = True,
        conflict: bool = False,
        until: float = inf,
    ) -> Reply:
        host = urlsplit(self._base).netloc
        try:
            response = self._answer(method, path, body, until)
            reply = read(response, bounds.largest_at(path), self._shared.turn)
        except (InvalidURL, InvalidSchema) as error:
            problem = f"No request can be sent to {host} ({_root_name(error)}). Check Data center (data_center)."
            raise ConfigError(problem) from None
        except (requests.exceptions.RequestException, HTTPError, bounds.TooLargeError) as error:
            raise self._unanswered(host, error, repeatable) from None
        self._shared.limiter.observe(response.headers, refused=reply.status == 429)
        self._raise_config_errors(reply)
        is_answer = conflict and reply.is_conflict
        problem = "" if is_answer else retryable_problem(method, reply, proven=self._proven)
        problem = reply.bound if reply.bound and method != "GET" else problem
        self._proven = self._proven or reply.ok
        if not problem:
            return reply
        reply = reply.given_up(problem)
        if not repeatable and not 400 <= reply.status < 500:
            raise AmbiguousError(f"Vitally answered with {problem}", reply)
        asked = answers.wait_asked_for(response.headers, self._shared.clock.now()) or 0.0
        raise RetryableError(f"{host} answered with {problem}", reply, asked, busy=reply.status == 429)

    def _answer(self, method: str, path: str, body: bytes | None, until: float) -> requests.Response:
        """Send one request, and follow where a read is redirected to within Vitally."""
        address = self._base + path
        for hop in range(network.MOST_REDIRECTS + 1):
            self._shared.limiter.acquire(until)
            response = self._shared.session.request(
                method,
                address,
                data=body,
                auth=self._auth,
                timeout=TIMEOUT,
                headers={"Content-Type": "application/json"} if body else {},
                allow_redirects=False,
                stream=True,
            )
            try:
                target = network.followed(
                    address, response.status_code, response.headers.get("Location"), hop, is_read=method == "GET"
                )
            except network.RedirectError as refused:
                response.close()
                raise ConfigError(str(refused)) from None
            if not target:
                break
            response.close()
            address = target
        return response

    def _unanswered(self, host: str, error: Exception, repeatable: bool) -> Exception:
        """What it means that no answer arrived."""
        if why := cloud.refused(error, host) or network.refused_tls(error, host):
            return ConfigError(why)
        broken = network.broken_answer(error)
        nothing = Reply(NO_ANSWER, None, "").given_up(broken or "no answer")
        if not (repeatable or _never_sent(error)):
            lost = f"Vitally sent {broken}" if broken else "the connection broke before Vitally's answer arrived"
            return AmbiguousError(lost, nothing)
        if broken:
            problem = f"{host} sent {broken}"
        elif isinstance(error, ProxyError) and (proxy := network.proxy_of(self._base)):
            problem = (
                f"no way to {host} through the proxy {proxy} ({_root_name(error)}); check HTTPS_PROXY and NO_PROXY"
            )
        else:
            problem = f"no answer from {host} ({_root_name(error)}); check Data center (data_center) and the network"
        return RetryableError(problem, nothing)

    def _raise_config_errors(self, reply: Reply) -> None:
        if reply.status == 403 and reply.is_page and self._proven and self._pages < PAGES_IN_A_ROW:
            self._pages += 1  # a firewall that dislikes this request: the key has just been good
            return
        if reply.status in (401, 403):
            raise ConfigError(
                f"Vitally refused the key (HTTP {reply.status}: {reply.reason}). Check "
                f"{setting(self._token_field)}, and that Data center (data_center) is the one of this workspace."
            )
        if reply.ok:
            self._pages = 0


@dataclass(frozen=True)
class Apis:
    """The APIs for which there is a key."""

    rest: Api | None
    analytics: Api | None


def connect(config: Config, clock: Clock, patience: float = PATIENCE) -> Apis:
    """Return the ways to Vitally that a configuration opens; sends nothing yet.

    Args:
        config: the settings.
        clock: what is waited with.
        patience: how many seconds one request may be tried again.

    Raises:
        ConfigError: the certificates that the environment says are to be trusted are not there.
    """
    session = requests.Session()
    adapter = Adapter(pool_maxsize=config.num_workers, pool_connections=2)
    session.mount("https://", adapter)
    session.mount("http://", adapter)  # ignore-https-check: an address of one's own may have no TLS
    session.headers["User-Agent"] = "airbyte-destination-vitally"
    shared = Shared(session, Limiter(config.requests_per_minute, clock), clock, patience)
    _check_certificates([config.data_center.rest, config.data_center.analytics], session)
    rest = analytics = None
    if config.secret_token and config.data_center.rest:
        base = config.data_center.rest + REST_PATH
        rest = Api("secret_token", base, rest_authorization(config.secret_token), shared, "/users?limit=1")
    if config.analytics_token and config.data_center.analytics:
        base = config.data_center.analytics + ANALYTICS_PATH
        analytics = Api("analytics_token", base, analytics_authorization(config.analytics_token), shared)
    return Apis(rest, analytics)


def leads_elsewhere(path: str) -> bool:
    """Tell whether a part of a path is `..`, percent-encoded or not, however often."""
    while (plain := unquote(path)) != path:
        path = plain
    return ".." in re.split(r"[/\\?;]", path)


def kind_of(method: str, path: str) -> str:
    """Return what requests of one kind have in common: the method and the resource."""
    return f"{method} {path.partition('?')[0].split('/')[1]}"


def _check_certificates(bases: list[str], session: requests.Session) -> None:
    """Trust the certificates the environment names, where they are needed."""
    if not any(base.startswith("https:") for base in bases):
        return
    try:
        session.verify = network.ca_bundle(os.environ) or True
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _never_sent(error: Exception) -> bool:
    """Whether the request cannot have reached Vitally: the connection was never made."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, (requests.exceptions.ConnectTimeout, ProxyError)) or isinstance(reason, NewConnectionError)


def _root_name(error: BaseException) -> str:
    """The kind of a network error; its text may hold an address with parameters, so it is left out."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return type(reason or error).__name__
