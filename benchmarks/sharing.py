"""(h) How many requests does a sync cost, against the pages that its lists have?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.memory import MOST as MOST_MEMORY
from benchmarks.processes import SOURCE, Measured, run
from benchmarks.report import Answer, Target, axes, save
from integration_tests.harness import Json, configured, run_source, source_config
from integration_tests.sandbox import Reply, Request, Sandbox

MOST = 1.05
MANY_OBJECTS = 300
OF_A_ROW = re.compile(r"/(healthScores|conversations/[^/]+|meetingTranscripts/[^/]+|surveyQuestions/[^/]+)$")
BEFORE: dict[tuple[str, str], int] = {
    ("empty", "everything"): 77,
    ("empty", "accounts"): 1,
    ("empty", "accounts, their ids, both of health scores"): 4,
    ("10,000 accounts", "everything"): 21_359,
    ("10,000 accounts", "accounts"): 94,
    ("10,000 accounts", "accounts, their ids, both of health scores"): 19_042,
    ("300 custom objects", "everything"): 1_556,
    ("300 custom objects", "everything, of custom objects two"): 960,
    ("300 custom objects", "two custom objects, their fields and ids"): 915,
}
"""Requests when each stream read its lists by itself, by workspace and streams; measured once."""

OF_ACCOUNTS = ("accounts", "account_ids", "account_health_scores", "account_health_score_components")
TWO_OBJECTS = ("custom_object_many0", "custom_object_many1", "custom_fields", "instance_ids")
CHOICES: dict[str, Callable[[str], bool]] = {
    "everything": lambda name: True,
    "accounts": lambda name: name == "accounts",
    "accounts, their ids, both of health scores": lambda name: name in OF_ACCOUNTS,
    "everything, of custom objects two": lambda name: not name.startswith("custom_object_") or name in TWO_OBJECTS,
    "two custom objects, their fields and ids": lambda name: name in TWO_OBJECTS,
}


class Counting(Sandbox):
    """A sandbox that takes note of what was asked for: the pages of lists, whatever their order, and single rows."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.requests = 0
        self.pages: set[Any] = set()
        self.details: set[str] = set()

    def forget(self) -> None:
        """Begin to count."""
        self.requests, self.pages, self.details = 0, set(), set()
        self.journal.clear()
        self.journal.keep_bodies = False

    def _reply(self, request: Request, authorization: str | None) -> tuple[Reply, bytes]:
        reply, body = super()._reply(request, authorization)
        self.requests += 1
        if OF_A_ROW.search(request.path):
            self.details.add(request.path)
        else:
            filters = {key: value for key, value in request.query.items() if key not in ("sortBy", "from", "limit")}
            first = reply.page.rows[0]["id"] if reply.page and reply.page.rows else ""
            self.pages.add((request.path, first, *sorted(filters.items())))
        return reply, body


@dataclass
class Cost:
    """What a sync has asked for."""

    requests: int
    pages: int
    """Pages that the lists have."""
    details: int
    """Rows whose details were asked for."""
    measured: Measured

    @property
    def share(self) -> float:
        """Requests by what is the least."""
        return self.requests / (self.pages + self.details)


def answer(*, accounts: int) -> Answer:
    """Read workspaces of several kinds with several selections, all as full refreshes, and count."""
    found = Answer(
        "h",
        "What a sync costs: requests by the streams that are selected",
        f"Full refreshes of an empty workspace, of one with {accounts:,} accounts (as many users, a tenth of "
        f"everything else), and of an empty one with {MANY_OBJECTS} custom objects. *Pages* are those that the lists "
        "of the selected streams have, *details* the rows that have to be asked for one by one. *Before*: when each "
        "stream read its lists by itself.",
        ("workspace", "streams", "before", "requests", "pages", "details", "requests of pages and details", "MB"),
    )
    costs: dict[tuple[str, str], Cost] = {}
    for workspace, sandbox, choices in (
        ("empty", Counting(empty=True), list(CHOICES)[:3]),
        (f"{accounts:,} accounts", filled(accounts), list(CHOICES)[:3]),
        (f"{MANY_OBJECTS} custom objects", with_objects(), [next(iter(CHOICES)), *list(CHOICES)[3:]]),
    ):
        with sandbox:
            for choice in choices:
                cost = costs[workspace, choice] = read(sandbox, CHOICES[choice])
                before = BEFORE.get((workspace, choice))
                numbers = (cost.requests, cost.pages, cost.details)
                cells = (f"{before:,}" if before else "", *(f"{number:,}" for number in numbers))
                found.rows.append((workspace, choice, *cells, f"{cost.share:.3f}", f"{cost.measured.peak:.0f}"))
                print(found.rows[-1], flush=True)
    largest = costs[f"{accounts:,} accounts", "everything"]
    found.targets += [
        Target(
            f"everything of {accounts:,} accounts: at most {MOST} requests per page and row with details",
            f"{largest.share:.3f}",
            largest.share <= MOST,
        ),
        Target(
            f"its memory at most {MOST_MEMORY} MB",
            f"{largest.measured.peak:.0f} MB",
            largest.measured.peak <= MOST_MEMORY,
        ),
    ]
    _plot(costs)
    return found


def filled(accounts: int) -> Counting:
    """A workspace with so many accounts and users, and some of everything else."""
    others = ("organizations", "conversations", "projects", "meetings", "notes", "tasks", "npsResponses", "instances")
    sizes = {"accounts": accounts, "users": accounts, **dict.fromkeys(others, accounts // 10)}
    return Counting(seed=1, sizes=sizes)


def with_objects() -> Counting:
    """A workspace without rows, but with many custom objects."""
    sandbox = Counting(empty=True)
    for number in range(MANY_OBJECTS - len(sandbox.workspace.rows("customObjects"))):
        sandbox.workspace.insert("customObjects", {"name": f"many{number}", "label": f"Many {number}"})
    return sandbox


def read(sandbox: Counting, is_wanted: Callable[[str], bool]) -> Cost:
    """Read the wanted streams by a process of its own, and count the requests."""
    surveys = [row["id"] for row in sandbox.workspace.rows("surveys")]
    config = source_config(sandbox.url, sandbox.rest_key, requests_per_minute=100_000, survey_ids=surveys)
    catalog: Json = run_source("discover", config).catalog
    streams = [
        {**stream, "supported_sync_modes": ["full_refresh"]}
        for stream in catalog["streams"]
        if is_wanted(stream["name"])
    ]
    sandbox.forget()
    measured = run([*SOURCE, "read"], {"config": config, "catalog": configured({"streams": streams})})
    return Cost(sandbox.requests, len(sandbox.pages), len(sandbox.details), measured)


def _plot(costs: dict[tuple[str, str], Cost]) -> None:
    figure, drawn = axes("Requests of a sync", "", "requests")
    width = 0.4
    counts = {"before": [BEFORE.get(key, 0) for key in costs], "now": [cost.requests for cost in costs.values()]}
    for number, (label, values) in enumerate(counts.items()):
        drawn.bar([place + (number - 0.5) * width for place in range(len(costs))], values, width, label=label)
    drawn.set_xticks(
        range(len(costs)), [f"{workspace}:\n{choice}" for workspace, choice in costs], rotation=90, fontsize=6
    )
    drawn.set_yscale("log")
    drawn.legend()
    save(figure, "h")
