"""Two rows of a workspace that somebody has found to be one: their children move, and the old ids may live on."""

from __future__ import annotations

from integration_tests.sandbox.data.workspace import Workspace


def merge(workspace: Workspace, resource: str, old: str, into: str) -> None:
    """Let a row become part of another; what belongs to it belongs to the other from now on.

    By its old id and its old externalId REST then answers with the other row, where the switch `merged_ids` is so.

    Args:
        workspace: where both are.
        resource: such as `accounts`.
        old: Vitally's id of the row that goes.
        into: Vitally's id of the row that stays.
    """
    with workspace.lock:
        row = workspace.get(resource, old)
        for name, table in workspace.tables.items():
            if (field := table.resource.under.get(resource)) is not None:
                _move(workspace, name, field, old, into)
        workspace.tables[resource].remove(old)
        for key in filter(None, (old, row.get("externalId"))):
            workspace.merged[resource, str(key)] = into


def _move(workspace: Workspace, resource: str, field: str, old: str, into: str) -> None:
    for child in workspace.tables[resource].scoped(field, old):
        value = child[field]
        moved = list(dict.fromkeys(into if i == old else i for i in value)) if isinstance(value, list) else into
        workspace.update(resource, child["id"], {field: moved}, bump=False)
