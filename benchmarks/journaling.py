"""(i) What does the journal cost?"""

from __future__ import annotations

import time
from itertools import product
from typing import Any
from unittest.mock import patch

from benchmarks.report import Answer, axes, save
from benchmarks.upserts import TABLES, Table, Workspace
from destination_vitally import destination
from integration_tests.destination.journaled import STORAGE, KeptBucket

SHARES = (0, 1, 100)
MODES = ("none", "outcomes", "changes")


def answer(*, rows: int) -> Answer:
    """Write each table again and again, without a journal and with each; what is more is the journal's."""
    found = Answer(
        "i",
        "What the journal costs",
        f"Per 1,000 rows of a table of {rows:,} rows that is upserted and is all there, with so many of a hundred "
        "changed: requests to Vitally without a journal, and how many more with `outcomes` and with `changes`, which "
        "reads every row before; seconds of CPU more, those of the sandbox in the same process among them; kilobytes "
        "that are stored in the bucket, zipped, and in how many files. *Both keys* is by Analytics batches.",
        (
            *("object", "by", "changed", "requests", "outcomes", "changes", "CPU, outcomes", "CPU, changes"),
            *("kB, outcomes", "kB, changes", "files, changes"),
        ),
    )
    kilobytes: dict[str, list[float]] = {}
    for table in TABLES:
        for keys in table.keys:
            for share, costs in _costs(table, keys, rows).items():
                per = 1000 / rows
                (sent, cpu, _, _), outcomes, changes = (costs[mode] for mode in MODES)
                cells = (
                    *(f"{sent * per:,.0f}", *(f"{(one[0] - sent) * per:+,.0f}" for one in (outcomes, changes))),
                    *(f"{max(0.0, one[1] - cpu) * per:.2f} s" for one in (outcomes, changes)),
                    *(f"{one[2] / 1000 * per:,.0f}" for one in (outcomes, changes)),
                    f"{changes[3] * per:,.0f}",
                )
                found.rows.append((table.object, keys, f"{share} %", *cells))
                if share == SHARES[-1]:
                    kilobytes[f"{table.object}\n{keys}"] = [one[2] / 1000 * per for one in (outcomes, changes)]
    figure, drawn = axes("Kilobytes in the bucket per 1,000 changed rows, zipped", "", "kB")
    for number, mode in enumerate(MODES[1:]):
        places = [place + (number - 0.5) * 0.4 for place in range(len(kilobytes))]
        drawn.bar(places, [each[number] for each in kilobytes.values()], 0.4, label=mode)
    drawn.set_xticks(range(len(kilobytes)), list(kilobytes), rotation=90, fontsize=6)
    drawn.legend()
    save(figure, "i")
    return found


def _costs(table: Table, keys: str, rows: int) -> dict[int, dict[str, tuple[int, float, int, int]]]:
    """Return by share and mode: requests, seconds of CPU, bytes and files in the bucket."""
    costs: dict[int, dict[str, tuple[int, float, int, int]]] = {share: {} for share in SHARES}
    with Workspace() as workspace:
        assert isinstance(workspace, Workspace)
        table.prepare(workspace, rows)
        versions = [0] * rows
        workspace.upsert(table, table.rows(versions), keys)
        for share, mode in product(SHARES, MODES):
            newer = max(versions) + 1
            versions = [newer if n % 100 < share else version for n, version in enumerate(versions)]
            workspace.workspace.settle()
            bucket = KeptBucket(workspace)
            chosen: dict[str, Any] = {} if mode == "none" else {"journal": mode, "object_storage_config": STORAGE}
            with patch.object(destination, "open_bucket", lambda storage, kept=bucket: kept):
                start = time.process_time()
                workspace.upsert(table, table.rows(versions), keys, **chosen)
                cpu = time.process_time() - start
            size = sum(map(len, bucket.files.values()))
            costs[share][mode] = (len(workspace.journal), cpu, size, len(bucket.files))
    return costs
