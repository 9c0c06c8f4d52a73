"""The worked example of the page about the journal, pasted: from a CSV file to its undo."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from integration_tests.destination.stores import served_address
from integration_tests.sandbox import Sandbox, Switches
from unit_tests.pages import Page

EXAMPLE = Page("destination-vitally-journal.md").section("From CSV to undo")


def test_from_csv_to_undo(tmp_path: Path) -> None:
    screen, *shown = re.findall(r"```(?:bash)?\n(.*?)```", EXAMPLE, re.S)[1:]
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/bin").symlink_to(Path(sys.executable).parent)
    with Sandbox(seed=1, switches=Switches(effect_delay=1)) as sandbox, served_address() as store:
        ports = [address.rpartition(":")[2] for address in (sandbox.url, store)]
        script = screen.replace(":8765", f":{ports[0]}").replace(":8766", f":{ports[1]}")
        done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        rows = {row["externalId"]: row for row in sandbox.workspace.rows("accounts")}
    log = [_logged(json.loads(line)) for line in done.stdout.splitlines()]
    for text in shown:
        for line in text.splitlines():
            assert line in log
    assert rows["j-1"]["traits"] == {"plan": "team"}
    assert rows["j-2"]["traits"] == {"plan": "free"}
    assert "j-3" not in rows


def _logged(message: Any) -> str:
    return str(message["log"]["message"]) if message["type"] == "LOG" else ""
