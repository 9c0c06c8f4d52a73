"""The exit codes of a connector that is ended by others, as shells count them: 128 and the number of the signal."""

from __future__ import annotations

import os
import sys

TERMINATED = 143
"""The platform asked for the end (SIGTERM)."""

OUTPUT_CLOSED = 141
"""Nobody reads the output any longer."""


def end_unread() -> None:
    """End with `OUTPUT_CLOSED`, in silence: what is left in the buffers goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(OUTPUT_CLOSED)
