"""The recipe of the page about the journal, with DuckDB: which sync set a value, and to what."""

from __future__ import annotations

import json
import re
from pathlib import Path
from unittest.mock import patch

from destination_vitally import destination
from integration_tests.destination.journaled import STORAGE, KeptBucket
from integration_tests.harness import destination_config, record, stream, write
from integration_tests.platforms import programs
from integration_tests.sandbox import Sandbox
from unit_tests.pages import Page

[RECIPE] = re.findall(r"```sql\n(.*?)```", Page("destination-vitally-journal.md").section("Record"), re.S)


def test_which_sync_set_a_value(tmp_path: Path) -> None:
    with Sandbox(empty=True) as sandbox:
        bucket = KeptBucket(sandbox)
        settings = destination_config(sandbox, journal="changes", object_storage_config=STORAGE)
        sandbox.workspace.insert("accounts", {"externalId": "c-1", "name": "Acme", "traits": {"plan": "free"}})
        with patch.object(destination, "open_bucket", lambda storage: bucket):
            for number, plan in enumerate(["team", {"odd": 1}], 1):
                rows = [record("accounts", {"externalId": key, "name": "N", "plan": plan}) for key in ("c-1", "c-2")]
                write(settings, [stream("accounts", sync_id=number, generation_id=1, minimum_generation_id=0)], rows)
                sandbox.workspace.settle()
    for key in bucket.journals():
        file = tmp_path / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bucket.files[key])
    python = programs.tool("dbt") / "python"
    printed = programs.run(python, Path(__file__).with_name("query.py"), ":memory:", RECIPE, folder=tmp_path)
    found = json.loads(printed.splitlines()[-1])
    assert [row[2:] for row in found] == [
        ["accepted", '"free"', '"team"'],
        ["accepted", '"team"', '{"odd":1}'],
    ]
