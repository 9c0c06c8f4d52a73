"""How a destination is killed: its input breaks off in this process, or a signal ends a process of its own."""

from __future__ import annotations

import signal
from random import Random

from integration_tests.harness import FORKED_DESTINATION, Json, Run, run_process
from integration_tests.sandbox import Sandbox


class Killed(BaseException):
    """The process is gone: nothing that handles errors may handle this."""


def killed_process(sandbox: Sandbox, settings: Json, streams: list[Json], lines: list[bytes], dice: Random) -> Run:
    """Write lines with a process that gets SIGKILL or SIGTERM at some request; return what it printed until then."""
    requests = len(sandbox.journal) + dice.randint(1, 40)
    ending = dice.choice([signal.SIGKILL, signal.SIGTERM])
    run = run_process(
        FORKED_DESTINATION,
        "write",
        config=settings,
        catalog={"streams": streams},
        stdin=lines,
        when=lambda: len(sandbox.journal) >= requests,
        ending=ending,
    )
    # It may end before the signal, also because of a stream of which nothing that is left can be written.
    has_ended = run.exit_code == 0 or "rows could be written" in run.lines[-1]
    assert has_ended or run.exit_code in (-ending, 128 + ending), run.lines[-3:]
    return run
