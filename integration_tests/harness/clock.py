"""A clock that does not wait, by which the time of sandboxes passes."""

from __future__ import annotations

from collections.abc import Callable

from integration_tests.sandbox import Sandbox
from unit_tests import clock


def everywhere(seconds: float) -> None:
    """Let time pass in every sandbox that is served by this process."""
    for sandbox in [*Sandbox.served]:
        sandbox.clock.advance(seconds)


def settle() -> None:
    """Let everything take effect in every sandbox that is served by this process, as if somebody had waited."""
    for sandbox in [*Sandbox.served]:
        sandbox.workspace.settle()


class QuickClock(clock.QuickClock):
    """Time that passes only by waiting, in every sandbox as well."""

    def __init__(self, start: float = 1_790_000_000.0, passes: Callable[[float], object] = everywhere) -> None:
        super().__init__(start, passes)
