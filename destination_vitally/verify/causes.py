"""Why a message that was accepted has not landed, as far as Vitally can be asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, is_row, text_of
from destination_vitally.api.workspace import Workspace
from destination_vitally.compare.comparison import TRAIT
from destination_vitally.compare.equality import instant, is_empty
from destination_vitally.errors import ListError, RejectedError
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.poller import read_row
from destination_vitally.rows.store import Recent
from destination_vitally.verify.expected import Expected

NAMED = 5
"""How many names of fields a sentence lists."""


class Causes:
    """Finds the likely cause. Safe to use from several threads."""

    def __init__(self, rest: Api) -> None:
        self._rest = rest
        self._workspace = Workspace(rest)
        self._there: Recent[bool] = Recent()

    def of(self, one: Expected, row: Row | None, differs: list[str], landed: Collection[str], waited: float) -> str:
        """Say what is not there, and why that may be.

        Args:
            one: the message.
            row: as it is, None when it is not there.
            differs: the names of what the row does not show.
            landed: the types of messages of which some have landed.
            waited: for how many seconds it was waited for.
        """
        cause = next(self._likely(one, row, differs, landed))
        what = f"it does not have {_listed(differs)} as sent" if row else "it is not there"
        return f"Vitally accepted it, but {waited:.0f} s later {what}: {cause}"

    def _likely(self, one: Expected, row: Row | None, differs: list[str], landed: Collection[str]) -> Iterator[str]:
        """Yield what may be the cause, the likeliest first."""
        for name, target in self._unknown_parents(one, row, differs):
            yield f"{name}: Vitally has no {target} with this id"
        if row is None and self._is_unknown_object(one):
            yield "Vitally no longer has this custom object"
        if row is None and self._is_archived(one):
            yield "somebody has archived it in Vitally, and messages do not bring it back"
        if row is None and one.kind not in landed:
            yield f"no '{one.kind}' message has landed, so Vitally may block this type; ask Vitally Support"
        if row is not None and (missing := self._unknown_traits(one, row, differs)):
            yield f"there is no custom field {_listed(missing)} in Vitally"
        updated = instant(row.get("updatedAt")) if row is not None else None
        if updated and one.taken is not None and updated.timestamp() >= one.taken:
            yield "Vitally has not taken the value, or somebody has changed it since"
        yield "Vitally has dropped the message and does not say why"

    def _unknown_parents(self, one: Expected, row: Row | None, differs: list[str]) -> Iterator[tuple[str, str]]:
        """Yield the fields that refer to what Vitally does not have, with the object they refer to."""
        of_row = {field.refers for field in one.entry.references() if field.name in differs}
        for field, own in one.change.references():
            is_said = (row is None or field.refers in of_row) and field.name != one.change.entry.kept_in
            if is_said and not self._is_there(str(field.refers), str(own)):
                yield field.name, str(field.refers)

    def _is_there(self, target: str, own: str) -> bool:
        known = self._there.get((target, own))
        if known is None:
            known = True
            with suppress(RejectedError):
                known = read_row(self._rest, BY_NAME[target], own) is not None
            self._there.put((target, own), known)
        return known

    def _is_unknown_object(self, one: Expected) -> bool:
        """Whether the custom object of an instance is gone: then nothing is where its instances were."""
        if "customObjectId" not in one.entry.constants:
            return False
        return self._rest.send("GET", f"{one.entry.path}?limit=1").is_miss

    def _is_archived(self, one: Expected) -> bool:
        """Whether the newest archived rows have it; only instances can be archived and are sent in batches."""
        if "customObjectId" not in one.entry.constants:
            return False
        reply = self._rest.send("GET", f"{one.entry.path}?limit=100&archived=true&sortBy=updatedAt")
        rows = reply.body.get("results") if isinstance(reply.body, dict) else None
        return any(text_of(row, "externalId") == one.external_id for row in rows or () if is_row(row))

    def _unknown_traits(self, one: Expected, row: Row, differs: list[str]) -> list[str]:
        """Return the paths of traits that a row lacks and that no custom field has."""
        traits = row.get("traits") or {}
        lacking = [name.removeprefix(TRAIT) for name in differs if name.startswith(TRAIT)]
        lacking = [name for name in lacking if is_empty(traits.get(name))]
        if not lacking or not one.entry.model:
            return []
        try:
            known = self._workspace.custom_fields(one.entry.model, one.entry.constants.get("customObjectId", ""))
        except ListError:
            return []
        return [name for name in lacking if name not in (known or {})]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
