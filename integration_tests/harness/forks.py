"""Processes of the connectors, forked from one that has imported them: it takes a second less than a start."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from importlib import import_module
from multiprocessing.connection import Connection
from typing import IO, NamedTuple

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["destination_vitally.run", "source_vitally.run"])


class Forked(NamedTuple):
    """A connector, by the name of its package, whose command is run in a forked process."""

    package: str


FORKED_SOURCE, FORKED_DESTINATION = Forked("source_vitally"), Forked("destination_vitally")


class Fork:
    """A forked process, as `subprocess.Popen` has it, with pipes for its input and its output."""

    def __init__(self, forked: Forked, arguments: list[str], stderr: IO[str]) -> None:
        theirs, mine = _FORKS.Pipe(duplex=False)
        mine_too, theirs_too = _FORKS.Pipe(duplex=False)
        errors = Connection(os.dup(stderr.fileno()))
        ends = (theirs, theirs_too, errors)
        self._process = _FORKS.Process(target=_run, args=(forked.package, arguments, dict(os.environ), ends))
        self._process.start()
        for end in ends:
            end.close()
        self.stdin = os.fdopen(os.dup(mine.fileno()), "wb")
        self.stdout = os.fdopen(os.dup(mine_too.fileno()), "rb")
        for end in (mine, mine_too):
            end.close()

    def poll(self) -> int | None:
        """Return the exit code, or the negative number of the signal that ended it; None before."""
        return self._process.exitcode

    def wait(self) -> int:
        """Return the same at the end."""
        self._process.join()
        code = self._process.exitcode
        assert code is not None
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None and self._process.pid:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


def _run(package: str, arguments: list[str], variables: dict[str, str], ends: tuple[Connection, ...]) -> None:
    """Be the process: its files are 0, 1 and 2, its arguments and its environment those that were asked for."""
    for number, end in enumerate(ends):
        os.dup2(end.fileno(), number)
        end.close()
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = [package, *arguments]
    import_module(f"{package}.run").run()
