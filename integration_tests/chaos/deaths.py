"""How a destination dies: its input breaks off in this process, or a signal ends a process of its own."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import IO, Any

from integration_tests.destination.helpers import Result
from integration_tests.sandbox import Sandbox


class Killed(BaseException):
    """The process is gone: nothing that handles errors may handle this."""


@contextmanager
def summaries(result: Result) -> Iterator[None]:
    """Collect the summary lines of a sync from the log, and keep the rest of the log to itself."""
    logger = logging.getLogger("airbyte")
    before = logger.handlers, logger.propagate, logger.level
    logger.handlers, logger.propagate = [_Collector(result)], False
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.handlers, logger.propagate = before[0], before[1]
        logger.setLevel(before[2])


class _Collector(logging.Handler):
    def __init__(self, result: Result) -> None:
        super().__init__()
        self._result = result

    def emit(self, entry: logging.LogRecord) -> None:
        text = entry.getMessage()
        if text.startswith("Stream ") and " records = " in text:
            self._result.summary[text.removeprefix("Stream ").split(" ")[0]] = text


def killed_process(
    sandbox: Sandbox, settings: dict[str, Any], streams: list[dict[str, Any]], lines: list[bytes], dice: Random
) -> list[dict[str, Any]]:
    """Write lines with a process that gets SIGKILL or SIGTERM at some request; the states it gave back."""
    seen = len(sandbox.journal)
    requests = seen + dice.randint(1, 40)
    ending = dice.choice([signal.SIGKILL, signal.SIGTERM])
    with tempfile.TemporaryDirectory() as folder:
        config, catalog = Path(folder, "config.json"), Path(folder, "catalog.json")
        config.write_text(json.dumps(settings))
        catalog.write_text(json.dumps({"streams": streams}))
        command = [sys.executable, "-m", "destination_vitally", "write"]
        command += ["--config", str(config), "--catalog", str(catalog)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            feeding = Thread(target=_pour, args=(process.stdin, lines))
            feeding.start()
            given: list[bytes] = []
            reading = Thread(target=given.extend, args=(process.stdout,))
            reading.start()
            while len(sandbox.journal) < requests and process.poll() is None:
                Event().wait(0.001)
            process.send_signal(ending)
            code = process.wait()
            reading.join()
            feeding.join()
    assert code in (0, -ending, 128 + ending), given[-3:]
    messages = [json.loads(line) for line in given if line.endswith(b"}\n")]
    return [message for message in messages if message["type"] == "STATE"]


def _pour(target: IO[bytes], lines: list[bytes]) -> None:
    """Write lines into a pipe whose reader may vanish."""
    with suppress(BrokenPipeError), target:
        for line in lines:
            target.write(line + b"\n")
