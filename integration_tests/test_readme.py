"""What README says one can paste, pasted: its screens run as they stand, against a sandbox.

To the letter but for one thing: the port, since tests that run side by side cannot all have a sandbox at the same one.
The example for PyAirbyte needs an environment of its own: `integration_tests/platforms/driven_by_pyairbyte.py`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from integration_tests.sandbox import Switches

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PORT = ":8765"


def section(heading: str) -> str:
    """What stands below a heading."""
    return README.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def screen(heading: str) -> str:
    """The one block of bash below a heading."""
    [block] = re.findall(r"```bash\n(.*?)```", section(heading), re.S)
    return str(block)


@pytest.fixture
def paste(tmp_path: Path, make_sandbox: Any) -> Any:
    """Run screens, one after the other, in a folder with nothing but `.venv`, with a sandbox at another port."""
    sandbox = make_sandbox(seed=1, switches=Switches(effect_delay=1))  # as the command has it
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/bin").symlink_to(Path(sys.executable).parent)

    def run(*headings: str) -> Any:
        script = "\n".join(map(screen, headings)).replace(PORT, f":{sandbox.url.rpartition(':')[2]}")
        done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return sandbox, [json.loads(line) for line in done.stdout.splitlines()], tmp_path

    return run


def test_no_screen_overwrites_what_another_has_written() -> None:
    """And all files are in one folder, which git ignores and `make clean` removes."""
    blocks = re.findall(r"```bash\n(.*?)```", README, re.S)
    written = [name for block in blocks for name in re.findall(r"(?<!<)> *(\S+)", block)]
    assert len(written) == len(set(written)) > 10
    assert {name.split("/")[0] for name in written} == {"try"}
    assert "try/" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_screens_of_reading_and_of_a_configured_catalog(paste: Any) -> None:
    sandbox, messages, folder = paste("Read, on one screen", "A configured catalog")
    assert [m["connectionStatus"]["status"] for m in messages if m["type"] == "CONNECTION_STATUS"] == ["SUCCEEDED"]
    read = [json.loads(line) for line in (folder / "try/accounts.jsonl").read_text().splitlines()]
    records = [m["record"]["data"]["id"] for m in read if m["type"] == "RECORD"]
    assert set(records) == {row["id"] for row in sandbox.workspace.rows("accounts") if not row.get("untracked")}
    again = [json.loads(line) for line in (folder / "try/changes.jsonl").read_text().splitlines()]
    changed = [m["record"]["data"]["id"] for m in again if m["type"] == "RECORD"]
    assert len(changed) < len(records) / 2, "the second read goes on from the states of the first"
    assert {path.name for path in folder.iterdir()} == {".venv", "try"}
    check_configured_catalog(sandbox, folder)


def test_the_screen_of_writing(paste: Any) -> None:
    sandbox, messages, _ = paste("Write, on one screen")
    assert [m["connectionStatus"]["status"] for m in messages if m["type"] == "CONNECTION_STATUS"] == ["SUCCEEDED"]
    [state] = [m["state"] for m in messages if m["type"] == "STATE"]
    assert state["destinationStats"] == {"recordCount": 1.0, "rejectedRecordCount": 0.0}
    written = {row["externalId"]: row for row in sandbox.workspace.rows("accounts")}
    assert written["c-1"]["traits"]["plan"] == "team"
    assert written["c-2"]["name"] == "Globex"


def test_the_screen_of_a_csv_file(paste: Any) -> None:
    sandbox, messages, _ = paste("From a CSV file, on one screen")
    written = {row["externalId"]: row for row in sandbox.workspace.rows("accounts")}
    assert (written["c-1"]["name"], written["c-1"]["traits"]) == ("Acme", {"plan": "team", "seats": 12})
    assert (written["c-2"]["name"], written["c-2"]["traits"]) == ("Globex", {"plan": "free"})
    [summary] = [m["log"]["message"] for m in messages if m["type"] == "LOG" and " records = " in m["log"]["message"]]
    assert "2 accepted" in summary


def check_configured_catalog(sandbox: Any, folder: Path) -> None:
    catalog = json.loads((folder / "try/catalog.json").read_text())
    wanted = [(stream["stream"]["name"], stream["sync_mode"]) for stream in catalog["streams"]]
    assert wanted == [("accounts", "incremental"), ("users", "incremental")]
    read = [json.loads(line) for line in (folder / "try/messages.jsonl").read_text().splitlines()]
    users = {m["record"]["data"]["id"] for m in read if m["type"] == "RECORD" and m["record"]["stream"] == "users"}
    assert users == {row["id"] for row in sandbox.workspace.rows("users")}
    samples = [json.loads(line) for line in re.findall(r"^\{.type.*$", section("A configured catalog"), re.M)]
    assert [sample["type"] for sample in samples] == ["RECORD", "STATE"]
    for sample in samples:
        real = [message for message in read if message["type"] == sample["type"] and "users" not in str(message)[:200]]
        assert shape(sample) <= shape(real[-1]), "a message has what the sample has"


def shape(value: Any, path: str = "") -> set[str]:
    """The paths of a document's keys."""
    if not isinstance(value, dict):
        return set()
    return {f"{path}.{key}" for key in value}.union(*(shape(entry, f"{path}.{key}") for key, entry in value.items()))
