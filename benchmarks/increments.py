"""(b) What does an incremental sync cost, against how much has changed?"""

from __future__ import annotations

import math

from benchmarks.processes import SOURCE, read
from benchmarks.report import Answer, Target, axes, save
from benchmarks.rows import fill
from integration_tests.sandbox import Reply, Request, Sandbox

CHANGES = (0, 1, 100, 121, 10_000)
PAGE = 100


class Weighed(Sandbox):
    """A sandbox that adds up how much it has answered."""

    answered = 0

    def _reply(self, request: Request, authorization: str | None) -> tuple[Reply, bytes]:
        reply, body = super()._reply(request, authorization)
        self.answered += len(body)
        return reply, body


def answer(*, rows: int) -> Answer:
    """Change some rows, read, and look at the requests; each sync begins with the state of the one before."""
    found = Answer(
        "b",
        "Incremental: cost against changes",
        f"One list of {rows:,} rows of 2 KB and a state from an hour ago. Then so many rows are edited, and a sync "
        "with the default look-back of ten minutes runs. Seconds are those of the whole process, its start included.",
        ("changed", "records", "requests", "seconds", "MB received"),
    )
    requests: dict[int, int] = {}
    sandbox = Weighed(empty=True)
    with sandbox:
        sandbox.journal.keep_bodies = False
        fill(sandbox, "accounts", rows)
        [newest] = sandbox.workspace.newest("accounts")
        state = _state(newest["updatedAt"])
        for changed in CHANGES:
            sandbox.clock.advance(7200)
            for row in sandbox.workspace.newest("accounts", changed):
                sandbox.workspace.update("accounts", row["id"], {"traits": {"edited": changed}})
            sandbox.journal.clear()
            sandbox.answered = 0
            run = read(SOURCE, sandbox.url, ("accounts",), state)
            state = run.states[-1:]
            requests[changed] = sandbox.journal.count(path_regex="accounts")
            cells = (run.records, requests[changed], f"{run.seconds:.1f}", f"{sandbox.answered / 1e6:.2f}")
            found.rows.append((f"{changed:,}", *map(str, cells)))
    needed = {changed: max(1, math.ceil((changed + 1) / PAGE)) + 1 for changed in CHANGES}
    exact = all(requests[changed] <= needed[changed] for changed in CHANGES)
    found.targets.append(
        Target(
            "requests in proportion to the changes: 121 changed of the whole are 2 pages and the look-back",
            ", ".join(f"{changed:,}: {count}" for changed, count in requests.items()),
            exact and requests[121] <= 3,
        )
    )
    figure, drawn = axes("Incremental: requests against changes", "rows changed", "requests")
    drawn.plot(list(requests), list(requests.values()), marker="o")
    drawn.set_xscale("symlog")
    drawn.set_yscale("log")
    save(figure, "b")
    return found


def _state(time: str) -> list[object]:
    stream = {"stream_descriptor": {"name": "accounts"}, "stream_state": {"updatedAt": time}}
    return [{"type": "STREAM", "stream": stream}]
