"""What a new workspace holds."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from integration_tests.sandbox.data.workspace import Workspace
from integration_tests.sandbox.seed.definitions import seed_definitions
from integration_tests.sandbox.seed.rows import Seeder

_MOST = 30
_made: dict[Hashable, bytes] = {}


def fill(workspace: Workspace, seed: int | None, sizes: Mapping[str, int]) -> None:
    """Store what admins have set up and, with a seed, rows.

    What was made up before in this process is taken again, which is sooner: its times are those of the first time.
    """
    if seed is None:
        seed_definitions(workspace)
        return
    key = (seed, *sorted(sizes.items()), *workspace.likeness)
    if (made := _made.get(key)) is not None:
        workspace.restore(made)
        return
    seed_definitions(workspace)
    Seeder(workspace, seed, sizes).run()
    if len(_made) == _MOST:
        _made.clear()
    _made[key] = workspace.saved()
