"""Facts as data, and how one is shown: its requests are sent to a workspace of its own, and the answers compared."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson
import pytest
import requests

from integration_tests.sandbox import Clock, Limits, Sandbox, Switches
from integration_tests.sandbox_facts.workspace import CLOCK_AT, fill

TIMEOUT = 30


class Step(NamedTuple):
    """A request and the answer it must get.

    `asks` is method and path below the base (`analytics/…` for the Analytics API), with `{name}` for an id of the
    workspace or of an answer kept before. `shows` is what the answer must hold: an object may hold more, a list not.
    """

    asks: str
    body: Any = None
    status: int = 200
    shows: Any = ...
    keep: str = ""
    headers: Mapping[str, str] = {}


class Passes(NamedTuple):
    """Time of the workspace passes, in seconds."""

    seconds: float


class Fact(NamedTuple):
    says: str
    page: str
    steps: tuple[Step | Passes, ...]
    switches: Mapping[str, Any] = {}
    limits: Callable[[], Limits] | None = None


def fact(
    says: str, page: str, *steps: Step | Passes, limits: Callable[[], Limits] | None = None, **switches: Any
) -> Fact:
    """Return a fact that holds with these switches, which are few: by default, the harder reading counts."""
    return Fact(says, page, steps, switches, limits)


# What an answer may be asked to show, besides values


class Ids(tuple[str, ...]):
    """A list of rows with these ids, in this order."""


class Holds(tuple[str, ...]):
    """A list with rows of these ids among others."""


class Lacks(tuple[str, ...]):
    """A list without rows of these ids."""


class Fewer(int):
    """A list of rows, but of less than this many."""


class Keys(tuple[str, ...]):
    """An object with these members and no other."""


class Says(str):
    """A refusal whose words contain this."""


def ids(text: str) -> Ids:
    return Ids(text.split())


def holds(text: str) -> Holds:
    return Holds(text.split())


def lacks(text: str) -> Lacks:
    return Lacks(text.split())


def keys(text: str) -> Keys:
    return Keys(text.split())


ABSENT, SET = object(), object()


def every_fact(facts: tuple[Fact, ...]) -> Callable[[Any], Any]:
    """Run a test with each fact; its name is what the fact says."""
    return pytest.mark.parametrize("told", facts, ids=[told.says for told in facts])


def check(told: Fact) -> None:
    """Assert that the requests of a fact are answered as it says."""
    options: dict[str, Any] = {"limits": told.limits()} if told.limits else {}
    sandbox = Sandbox(empty=True, clock=Clock(at=CLOCK_AT), switches=Switches(**told.switches), **options)
    known = fill(sandbox.workspace)
    with sandbox, requests.Session() as session:
        for step in told.steps:
            if isinstance(step, Passes):
                sandbox.clock.advance(step.seconds)
                continue
            answer = _answer(session, sandbox, step, known)
            where = f"{told.says} ({told.page}): {step.asks} gave {answer.status_code} {answer.text[:500]}"
            assert answer.status_code == step.status, where
            body: Any = answer.json() if answer.content else None
            if step.shows is not ...:
                problem = _difference(
                    {"headers": dict(answer.headers)} if _is_headers(step) else body, step.shows, known
                )
                assert not problem, f"{where}: {problem}"
            if step.keep:
                known[step.keep] = body["next"] if step.keep == "next" else body["id"]


def _is_headers(step: Step) -> bool:
    return isinstance(step.shows, dict) and "headers" in step.shows


def _answer(session: requests.Session, sandbox: Sandbox, step: Step, known: Mapping[str, str]) -> requests.Response:
    method, _, path = step.asks.partition(" ")
    path = path.format_map(known)
    is_rest = not path.startswith("analytics/")
    key = base64.b64encode(f"{sandbox.rest_key}:".encode()).decode() if is_rest else sandbox.analytics_token
    headers = {"Authorization": f"Basic {key}", "Content-Type": "application/json", **step.headers}
    base = f"{sandbox.url}/resources/" if is_rest else f"{sandbox.url}/analytics/v1/"
    body = step.body if isinstance(step.body, str | None) else orjson.dumps(_filled(step.body, known))
    url = base + path.removeprefix("analytics/")
    sent = {name: value for name, value in headers.items() if value}
    return session.request(method, url, data=body, headers=sent, timeout=TIMEOUT)


def _difference(shown: Any, wanted: Any, known: Mapping[str, str]) -> str:
    """Return what is not as it must be; nothing when all is."""
    if isinstance(wanted, Ids | Holds | Lacks):
        return _wrong_rows(shown, wanted, known)
    if isinstance(wanted, Keys):
        right, shown = set(shown) == set(wanted), sorted(shown)
    elif isinstance(wanted, Fewer):
        right, shown = 0 < len(shown) < wanted, len(shown)
    elif isinstance(wanted, Says):
        right = wanted.lower() in (shown.get("error") or shown.get("message")).lower()
    elif isinstance(wanted, Mapping):
        return next(filter(None, (_member(shown, name, part, known) for name, part in wanted.items())), "")
    elif isinstance(wanted, list) and isinstance(shown, list) and len(shown) == len(wanted):
        return next(filter(None, (_difference(*pair, known) for pair in zip(shown, wanted, strict=True))), "")
    else:
        wanted = _filled(wanted, known)
        right = wanted is ... or (wanted is SET and bool(shown)) or (shown == wanted and type(shown) is type(wanted))
    return "" if right else f"{shown!r} instead of {wanted!r}"


def _member(shown: Any, name: str, wanted: Any, known: Mapping[str, str]) -> str:
    if wanted is ABSENT:
        return f"{name} is there" if name in shown else ""
    problem = _difference(shown.get(name), wanted, known)
    return f"{name}: {problem}" if problem else ""


def _wrong_rows(shown: Any, wanted: Ids | Holds | Lacks, known: Mapping[str, str]) -> str:
    there, named = [row["id"] for row in shown], [known[name] for name in wanted]
    if isinstance(wanted, Ids):
        right = there == named
    else:
        right = all((one in there) is isinstance(wanted, Holds) for one in named)
    by_id = {value: name for name, value in known.items()}
    return "" if right else f"the rows are {[by_id.get(one, one) for one in there]}, not {list(wanted)}"


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    """Return a value with the ids of the workspace in the place of their names."""
    if isinstance(value, str):
        return value.format_map(known) if "{" in value else value
    if isinstance(value, Mapping):
        return {name: _filled(part, known) for name, part in value.items()}
    return [_filled(part, known) for part in value] if isinstance(value, list) else value
