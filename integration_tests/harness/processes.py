"""Runs a command of a connector as the Airbyte platform does: files for config, catalog and state, lines on stdin."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread, Timer
from typing import IO, Any

from integration_tests.harness.clock import settle
from integration_tests.harness.forks import Fork, Forked
from integration_tests.harness.runs import Json, Run

LONGEST = 600.0
"""Seconds after which a process that hangs is killed."""


def as_files(folder: Path, seen_at: Path | None = None, **contents: Any) -> list[str]:
    """Write `<name>.json` into a folder for each content that is not None; return the arguments of a command.

    Args:
        folder: Where the files are written.
        seen_at: Where the command finds the folder, if elsewhere.
        contents: JSON, or text that is written as it is, or the path of a file that there is (or is not).
    """
    arguments = []
    for name, content in contents.items():
        if isinstance(content, Path):
            arguments += [f"--{name}", str(content)]
        elif content is not None:
            path = folder / f"{name}.json"
            path.write_text(content if isinstance(content, str) else json.dumps(content))
            path.chmod(0o644)  # in a container the user is another
            arguments += [f"--{name}", str((seen_at or folder) / path.name)]
    return arguments


def run_process(
    command: str | list[str] | Forked,
    action: str,
    *,
    config: Any = None,
    catalog: Any = None,
    state: Any = None,
    stdin: Iterable[Json | str | bytes] = (),
    stdin_stays_open: bool = False,
    until: Callable[[Json], bool] | None = None,
    when: Callable[[], bool] | None = None,
    ending: signal.Signals = signal.SIGKILL,
    limit: float = LONGEST,
    debug: bool = False,
) -> Run:
    """Run a command in a process of its own.

    Args:
        command: A console script of this environment, a whole command line, or a connector that is `Forked`.
        action: `spec`, `check`, ...
        config: As `as_files` takes it, like `catalog` and `state`.
        stdin: Messages, or lines as they are.
        stdin_stays_open: Whether no end of the input is seen.
        until: The process gets the signal `ending` at the first message that fulfils this; nothing is read after it.
        when: It gets the signal as soon as this is fulfilled; what it prints before its end is read.
        ending: The signal.
        limit: Seconds after which it is killed.
        debug: Whether debug messages are asked for.
    """
    run = Run()
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryFile("w+") as stderr:
        folder = Path(name)
        arguments = as_files(folder, config=config, catalog=catalog, state=state)
        process = _started(command, [action, *arguments, *["--debug"] * debug], stderr)
        assert process.stdin is not None
        assert process.stdout is not None
        feeding = Thread(target=_feed, args=(process.stdin, stdin, stdin_stays_open))
        watching = Thread(target=_end_when, args=(process, when, ending))
        timer = Timer(limit, process.kill)
        for thread in (feeding, watching, timer):
            thread.start()
        for line in process.stdout:
            if not line.endswith(b"\n"):
                break  # killed while it wrote
            run.take(line.decode().removesuffix("\n"))
            if until and until(run.messages[-1]):
                process.send_signal(ending)
                break
        process.stdout.close()
        run.exit_code = process.wait()
        timer.cancel()
        for thread in (feeding, watching):
            thread.join()
        with suppress(BrokenPipeError):
            process.stdin.close()
        stderr.seek(0)
        run.stderr = stderr.read()
        settle()
        saved = folder / "config.json"
        run.saved_config = saved.read_text() if saved.exists() else ""
    run.assert_no_secret(config)
    return run


def _started(
    command: str | list[str] | Forked, arguments: list[str], stderr: IO[str]
) -> subprocess.Popen[bytes] | Fork:
    if isinstance(command, Forked):
        return Fork(command, arguments, stderr)
    script = [str(Path(sys.executable).parent / command)] if isinstance(command, str) else command
    pipe = subprocess.PIPE
    return subprocess.Popen([*script, *arguments], stdin=pipe, stdout=pipe, stderr=stderr)


def _feed(target: IO[bytes], lines: Iterable[Json | str | bytes], stays_open: bool) -> None:
    """Write lines into a pipe whose reader may vanish."""
    with suppress(BrokenPipeError):
        for line in lines:
            text = json.dumps(line) if isinstance(line, dict) else line
            data = text.encode() if isinstance(text, str) else text
            target.write(data.rstrip() + b"\n")
        target.flush()
        if not stays_open:
            target.close()


def _end_when(process: subprocess.Popen[bytes] | Fork, when: Callable[[], bool] | None, ending: signal.Signals) -> None:
    while when is not None and process.poll() is None:
        if when():
            process.send_signal(ending)
            return
        Event().wait(0.001)
