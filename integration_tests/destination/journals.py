"""Journals as a sync writes them, made by hand: what they say is up to a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from destination_vitally import config
from destination_vitally.config import Config
from destination_vitally.destination import DestinationVitally
from destination_vitally.journal.journal import Journal
from destination_vitally.lines import parse
from integration_tests.harness import Json, QuickClock, Run, as_files, logged

START = 1_790_000_000.0


class Folder:
    """A folder in the place of a bucket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: list[str] = []

    def put(self, key: str, body: bytes) -> None:
        """Keep an object as a file."""
        path = self.path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        self.files.append(str(path))


class Synced:
    """The journal of one sync."""

    def __init__(self, folder: Path, settings: Json, number: int = 1, **changes: Any) -> None:
        chosen: Config = config.read(settings).model_copy(update={"journal": "changes", **changes})
        self._folder = Folder(folder)
        # The clock of another sync is a day later.
        clock = QuickClock(START + 86_400 * number, passes=lambda seconds: None)
        self._journal = Journal(self._folder, clock, chosen, number)  # type: ignore[arg-type]

    def intend(self, name: str, operation: str, values: list[Json] | None = None, **more: Any) -> int:
        """Say what is about to be sent; returns its number."""
        intent = {
            "line": 1,
            "entry": 0,
            "stream": name,
            "namespace": None,
            "object": name,
            "operation": operation,
            "route": "rest",
            "key": {},
            "id": None,
            "existed": None,
            "read_at": None,
            "values": values or [],
            "links": [],
            "row": None,
        }
        return self._journal.intend({**intent, **more})

    def outcome(self, seq: int, outcome: str = "accepted", **more: Any) -> None:
        """Say what became of it."""
        names = ("reason", "status", "effect", "id", "taken_at", "landed_at", "seen")
        said = {"seq": seq, "line": 1, "entry": 0, "stream": "s", "namespace": None, "object": "o", "label": "l"}
        self._journal.outcome({**said, "outcome": outcome, **dict.fromkeys(names), **more})

    def written(self, name: str, operation: str, values: list[Json] | None = None, **more: Any) -> None:
        """Say what was sent and accepted."""
        end = {key: more.pop(key) for key in ("effect", "seen") if key in more}
        self.outcome(self.intend(name, operation, values, **more), **end)

    @property
    def files(self) -> list[str]:
        """The files that are stored by now."""
        self._journal.flush()
        return self._folder.files


def value(name: str, before: Any, sent: Any, *, known: bool = True) -> Json:
    """Return one value of a row; traits are named with `traits.` in front."""
    place = "trait" if name.startswith("traits.") else "field"
    return {"place": place, "name": name.removeprefix("traits."), "known": known, "before": before, "sent": sent}


def undo(
    settings: Json, folder: Path, files: list[str], *flags: str, clock: Any = None, is_stopped: bool = False
) -> Run:
    """Run the command in this process; waits take no time."""
    run = Run()
    destination = DestinationVitally(clock or QuickClock())
    if is_stopped:
        destination._on_sigterm()
    with logged(run):
        arguments = as_files(folder, config=settings)
        try:
            for line in destination.run_cmd(destination.parse_args(["undo", *arguments, *flags, *files])):
                run.take(line.decode())
                assert parse(line)
        except Exception as error:
            run.error, run.exit_code = error, 1
    run.assert_no_secret(settings)
    return run


def said(run: Run) -> str:
    """Return the last line, which counts what was done."""
    return next(line for line in reversed(run.logs()) if "Undo: " in line)
