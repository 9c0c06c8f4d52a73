"""What README says one can paste, pasted: its screens run as they stand, against a sandbox."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PORT, BIN = "127.0.0.1:8765", ".venv/bin/"


def screen(heading: str) -> str:
    """The one block of bash below a heading."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    [block] = re.findall(r"```bash\n(.*?)```", section, re.S)
    return str(block)


@pytest.fixture
def paste(tmp_path: Path, make_sandbox: Any) -> Any:
    """Run a screen in an empty folder, with a sandbox where README has it."""
    sandbox = make_sandbox(seed=1)

    def run(heading: str) -> Any:
        script = screen(heading).replace(PORT, sandbox.url.removeprefix("http://"))
        script = script.replace(BIN, f"{Path(sys.executable).parent}/")
        done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return sandbox, [json.loads(line) for line in done.stdout.splitlines()], tmp_path

    return run


def test_the_screen_of_reading(paste: Any) -> None:
    sandbox, messages, folder = paste("Read, on one screen")
    assert [m["connectionStatus"]["status"] for m in messages if m["type"] == "CONNECTION_STATUS"] == ["SUCCEEDED"]
    read = [json.loads(line) for line in (folder / "accounts.jsonl").read_text().splitlines()]
    records = [m["record"]["data"]["id"] for m in read if m["type"] == "RECORD"]
    assert set(records) == {row["id"] for row in sandbox.workspace.rows("accounts") if not row.get("untracked")}
    assert [m for m in read if m["type"] == "STATE"]


def test_the_screen_of_writing(paste: Any) -> None:
    sandbox, messages, _ = paste("Write, on one screen")
    assert [m["connectionStatus"]["status"] for m in messages if m["type"] == "CONNECTION_STATUS"] == ["SUCCEEDED"]
    [state] = [m["state"] for m in messages if m["type"] == "STATE"]
    assert state["destinationStats"] == {"recordCount": 1.0, "rejectedRecordCount": 0.0}
    written = {row["externalId"]: row for row in sandbox.workspace.rows("accounts")}
    assert written["c-1"]["traits"]["plan"] == "team"
    assert written["c-2"]["name"] == "Globex"
