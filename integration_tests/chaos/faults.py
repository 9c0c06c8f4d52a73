"""What goes wrong on the way, drawn by dice: no fault but an outage lasts longer than a connector waits."""

from __future__ import annotations

from random import Random

from integration_tests.sandbox import Dialect, Fault, Limits, Sandbox

BUSY: tuple[dict[str, str], ...] = (
    {},
    {"Retry-After": "3"},
    {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"},
    {"RateLimit-Limit": "1000", "RateLimit-Remaining": "0", "RateLimit-Reset": "1"},
    {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4102444800"},
    {"RateLimit-Limit": "1000, 1000;window=60", "RateLimit-Remaining": "none", "RateLimit-Reset": "soon"},
)
KINDS = (
    *("latency", "busy", "status", "html", "drop"),
    *("drop_after", "truncate", "not_json", "no_results", "status_after"),
)
DIALECTS: tuple[Dialect, ...] = (
    "ratelimit",
    "x-ratelimit",
    "x-ratelimit-epoch",
    "retry-after",
    "retry-after-date",
    "none",
)
ODD_STATUSES = (408, 409, 423, 425, 500, 599)
ODD_BODIES: tuple[object, ...] = (
    *("", "<html>wait</html>", "null", "[]", {"error": {"message": "blocked for a moment"}}, {"errors": ["locked"]}),
    *({"success": False}, {"results": []}, {"id": ".."}),
)
FAULTS_AT_ONCE = 3
TIMES = 2


def fault(dice: Random, path: str = "", method: str | None = None) -> Fault:
    """Return one fault that hits a request or two, sooner or later."""
    kind = dice.choice(KINDS)
    drawn = Fault(path=path, method=method, times=dice.randint(1, TIMES), skip=dice.randint(0, 8))
    if kind == "busy":
        drawn.status, drawn.headers = 429, dice.choice(BUSY)
    elif kind == "latency":
        drawn.kind, drawn.seconds = "latency", 0.01
    else:
        drawn.kind, drawn.status = kind, dice.choice([500, 502, 503, 504])  # type: ignore[assignment]
    return drawn


def add_some(dice: Random, sandbox: Sandbox, paths: list[str]) -> None:
    """Put a few faults into force."""
    for _ in range(dice.randint(0, FAULTS_AT_ONCE)):
        sandbox.faults.add(fault(dice, dice.choice(paths)))


def add_odd(dice: Random, sandbox: Sandbox, paths: list[str]) -> None:
    """Put an answer into force that is no failure of a server's, and passes by itself."""
    if dice.random() < 0.5:
        status, body = dice.choice(ODD_STATUSES), dice.choice(ODD_BODIES)
        times, skip = dice.randint(1, TIMES), dice.randint(0, 8)
        sandbox.faults.add(Fault(path=dice.choice(paths), status=status, body=body, times=times, skip=skip))


def use_up_budget(dice: Random, sandbox: Sandbox) -> None:
    """Leave the key next to nothing of its budget: bursts of 429 in one of the known header dialects."""
    now = 0.0

    def ticking() -> float:
        nonlocal now
        now += 11.0
        return now

    sandbox.limits = Limits(requests_per_minute=2, dialect=dice.choice(DIALECTS), monotonic=ticking)


def add_outage(sandbox: Sandbox, dice: Random) -> None:
    """Let every request fail from some point on, for longer than anyone waits."""
    sandbox.faults.add(Fault(kind="status", status=503, times=None, skip=dice.randint(0, 6)))


def clear(sandbox: Sandbox) -> None:
    """Let everything go well again."""
    sandbox.faults.clear()
    sandbox.limits = None
    sandbox.switches.broken_rows = frozenset()
