"""(g) What does a row cost, in requests?"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import orjson

from benchmarks.processes import run
from benchmarks.report import Answer, Further, Target, axes, save
from benchmarks.rows import row
from benchmarks.server import serving
from benchmarks.upserts import ACCOUNTS, BOTH, INSTANCES, PER_PARENT, REST, TABLES, TASKS, Table, Workspace, insert
from benchmarks.writing import DESTINATION
from integration_tests.harness import destination_config, record, stream
from integration_tests.sandbox import Sandbox

PAGE = 100
SHARES = (0, 1, 10, 100)
SENT, THERE = (5, 10, 20, 100, 1_000), (100, 10_000)
FIRST = 10
"""So many rows are asked for by themselves before a list is read."""

LARGEST = 150
ROW = 1000
NEWEST_FIRST, OLDEST_FIRST = "newest first", "oldest first"


def answer(*, rows: int, many: int, unchanged: tuple[int, ...]) -> Answer:
    """Count requests: of each object, of lists against single look-ups, of large tables; the targets are of `many`."""
    found = Answer(
        "g",
        "What a row costs",
        f"Requests per 1,000 rows of a table of {rows:,} rows that is upserted: all of them new; then so many of a "
        "hundred changed, without and with `skip_unchanged`. Two rows have the same parent. All requests of a sync "
        "count: look-ups, lists, and what reads the definitions of custom fields and custom objects. *Both keys* is by "
        "Analytics batches; what has no such way is by REST with either.",
        ("object", "by", "all new", *(f"{share} %" for share in SHARES), *(f"{share} %, skip" for share in SHARES)),
    )
    costs: dict[str, list[float]] = {}
    for table in TABLES:
        for keys in table.keys:
            shares = each_share(table, keys, rows)
            costs[f"{table.object}\n{keys}"] = [shares.requests[case] for case in shares.requests]
            cells = (f"{count * 1000 / rows:,.0f}" for count in shares.requests.values())
            found.rows.append((table.object, keys, *cells))
            found.remarks += shares.remarks
    _judge_many(found, many)
    found.further += [crossover(found), large_tables(found, unchanged)]
    figure, drawn = axes("Requests per 1,000 rows of which 1 in 100 has changed", "", "requests")
    width = 0.4
    for number, (label, case) in enumerate((("all are sent", 2), ("skip_unchanged", 6))):
        places = [place + (number - 0.5) * width for place in range(len(costs))]
        drawn.bar(places, [max(each[case] * 1000 / rows, 1) for each in costs.values()], width, label=label)
    drawn.set_xticks(range(len(costs)), list(costs), rotation=90, fontsize=6)
    drawn.set_yscale("log")
    drawn.legend()
    save(figure, "g")
    return found


@dataclass
class Shares:
    """The requests of each sync of one table, and what is odd about it."""

    requests: dict[tuple[bool | None, int], int]
    remarks: list[str]


def each_share(table: Table, keys: str, rows: int) -> Shares:
    """Write a table, then write it again and again, of which more and more has changed."""
    found = Shares({}, [])
    workspace = Workspace()
    with workspace:
        table.prepare(workspace, rows)
        versions = [0] * rows
        workspace.upsert(table, table.rows(versions), keys)
        found.requests[None, 100] = len(workspace.journal)
        for skips in (False, True):
            for share in SHARES:
                newer = max(versions) + 1
                versions = [newer if n % 100 < share else version for n, version in enumerate(versions)]
                one = workspace.upsert(table, table.rows(versions), keys, skip_unchanged=skips)
                found.requests[skips, share] = len(workspace.journal)
                same, unsent = rows - rows * share // 100, one.counts("rows").get("unchanged", 0)
                if skips and unsent != same and not found.remarks:
                    found.remarks.append(
                        f"{table.object}, {keys}: of {same:,} rows that had not changed {same - unsent:,} were sent."
                    )
    return found


def _judge_many(found: Answer, many: int) -> None:
    for table, most, what in (
        (TASKS, 1.05, f"{many:,} task upserts over {many // 2:,} accounts"),
        (INSTANCES, 1.1, f"{many:,} upserts of custom object instances by REST alone"),
    ):
        workspace = Workspace()
        with workspace:
            table.prepare(workspace, many)
            for version, state in enumerate(("new", "existing")):
                workspace.upsert(table, table.rows([version] * many), REST)
                each = len(workspace.journal) / many
                found.targets.append(
                    Target(f"{what}, {state}: at most {most} requests each", f"{each:.4f}", each <= most)
                )


# Lists against single look-ups


def crossover(found: Answer) -> Further:
    """Send few and many rows into small and large workspaces, and count what looks something up."""
    further = Further(
        "Look-ups, chosen by running cost: of accounts that have not changed (both keys, `skip_unchanged`), of custom "
        "object instances that are there (REST alone), and of the accounts of new tasks, each of another. Rows are "
        "from all over the list; where more are sent than are there, the others are new.",
        ("look-ups of", "rows there", "rows sent", "look-ups", "one by one", "pages of the list", "of the better"),
    )
    dear = []
    for what, there in product(_TABLES, THERE):
        workspace = Workspace()
        with workspace:
            _fill(workspace, what, there)
            for sent in SENT:
                looks = _looks(workspace, what, there, sent)
                single, pages = min(sent, there) if what == "parents" else sent, there // PAGE
                better = min(single, pages)
                if looks > (sent if sent <= FIRST else max(2 * better, better + FIRST)):
                    dear.append(f"{looks} for {sent:,} {what} of {there:,}")
                counts = (there, sent, looks, single, pages)
                further.rows.append((what, *(f"{count:,}" for count in counts), f"{looks / better:.1f} times"))
    found.targets.append(
        Target(
            f"one look-up for each of {FIRST} rows, for more at most twice the better way, or {FIRST} more than it",
            ", ".join(dear) or "always",
            not dear,
        )
    )
    return further


_TABLES = {"accounts": ACCOUNTS, "instances": INSTANCES, "parents": TASKS}
_PATHS = {"accounts": "/accounts", "instances": "/instances", "parents": "/accounts"}
_SHARED = 10
"""Parents of all accounts and instances, whose look-ups are not what is measured."""


def _fill(workspace: Workspace, what: str, there: int) -> None:
    if what == "parents":
        insert(workspace, "accounts", there)
    else:
        table = _TABLES[what]
        table.prepare(workspace, _SHARED * PER_PARENT)
        workspace.upsert(table, [table.row(n, 0, _SHARED) for n in range(there)], BOTH)


def _looks(workspace: Workspace, what: str, there: int, sent: int) -> int:
    table, numbers = _TABLES[what], [n * max(1, there // sent) for n in range(sent)]
    if what == "parents":
        # With their tags new tasks are sent without being looked up themselves.
        rows = [{**table.row(n, 0, there), "tags": ["x"]} for n in numbers]
    else:
        rows = [table.row(n, 0, _SHARED) for n in numbers]
    skips = what == "accounts"
    workspace.upsert(table, rows, BOTH if skips else REST, skip_unchanged=skips)
    return workspace.journal.count(_PATHS[what], "GET")


# Large tables


def large_tables(found: Answer, sizes: tuple[int, ...]) -> Further:
    """Write tables of which nothing has changed by a process, whose memory is measured."""
    further = Further(
        f"A table of accounts of which no row has changed (450 bytes, {ROW:,} as REST shows them), with "
        "`skip_unchanged`, written by a process of its own. Lists begin with what was created last.",
        ("rows", "order of the table", "reads", "writes", "MB at the most"),
    )
    for size, order in [(sizes[0], NEWEST_FIRST), *((size, OLDEST_FIRST) for size in sizes)]:
        requests, peak = unchanged_table(size, order)
        reads = sum(count for kind, count in requests.items() if kind.startswith("GET "))
        writes = sum(requests.values()) - reads
        further.rows.append((f"{size:,}", order, f"{reads:,}", f"{writes:,}", f"{peak:.0f}"))
        of_rows = requests["GET accounts"]
        found.targets += [
            Target(
                f"an unchanged table of {size:,} rows, {order}: at most {size // PAGE:,} reads of rows and no write",
                f"{of_rows:,} reads, {writes:,} writes",
                of_rows <= size // PAGE and not writes,
            ),
            Target(f"its memory under {LARGEST} MB", f"{peak:.0f} MB", peak < LARGEST),
        ]
    return further


def unchanged_table(size: int, order: str) -> tuple[Counter[str], float]:
    """Write what a workspace has already; return the requests and the most memory in MB."""
    with tempfile.TemporaryDirectory() as folder, serving(size, lists=1, size=ROW) as server:
        given = Path(folder, "input")
        with given.open("wb") as file:
            for number in range(size) if order == OLDEST_FIRST else reversed(range(size)):
                file.write(orjson.dumps(record("accounts", row(number, ROW))) + b"\n")
        address = {"region": "custom", "rest_url": server.url, "analytics_url": server.url}
        settings = destination_config(Sandbox(empty=True), data_center=address, skip_unchanged=True)
        process = run(DESTINATION, {"config": settings, "catalog": {"streams": [stream("accounts")]}}, given)
    return server.requests, process.peak
