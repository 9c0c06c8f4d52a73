"""People at work in a workspace while it is read: what they change, and every version of a row there ever was."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

from integration_tests.sandbox import CUT_EMOJI, LONG_INTEGER, NOT_A_NUMBER, TOO_LARGE, Page, Sandbox, iso

OWN = {"id", "externalId", "createdAt", "updatedAt", "archivedAt"}


class Editor:
    """Changes the rows of one resource at random, between the pages of a scan and between syncs.

    Without `deleting` no row is removed for good. With `foresight`, some rows are dated after the server's clock, as
    an import or a client with a wrong clock leaves them.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        resource: str,
        dice: Random,
        *,
        archivable: bool,
        foresight: bool = False,
        deleting: bool = True,
    ) -> None:
        self._sandbox = sandbox
        self._resource = resource
        self._dice = dice
        self._kinds = ["edit"] * 6 + ["insert"] * 2 + ["delete"] * deleting
        self._kinds += ["archive"] * 2 * archivable + ["future"] * foresight
        self._made = 0
        self.haste = 0.0
        """How likely a change is after a page; several may follow each other."""
        self.left = 0
        """How many changes may still follow pages: where pages are small, a list would grow faster than it is read."""
        self.expiring = 0.0
        """How likely it is that after a page the cursors given so far are no longer taken."""
        self.expired = 0
        """How often they were, since this was last set to 0."""
        self.versions: set[tuple[str, str]] = set()
        """Id and `updatedAt` of everything that was ever in the workspace."""
        self.deleted: set[str] = set()
        for row in sandbox.workspace.rows(resource):
            self._remember(row)

    def after_page(self, page: Page) -> None:
        """Change something, as the sandbox's hook that is called before each page is sent."""
        if page.resource != self._resource:
            return
        while self.left > 0 and self._dice.random() < self.haste:
            self.left -= 1
            self.change()
        if self.expired < 2 and self._dice.random() < self.expiring:
            self.expired += 1
            self._sandbox.expire_cursors()

    def change(self) -> None:
        """Make one change."""
        workspace = self._sandbox.workspace
        now = iso(self._sandbox.clock.now())
        # Nobody touches a row of the future: its time would go back, and no de-duplicating copy can follow that.
        rows = workspace.rows(self._resource)
        alive = [row for row in rows if not row.get("archivedAt") and row["updatedAt"] <= now]
        row = self._dice.choice(alive) if alive else None
        kind = self._dice.choice(self._kinds)
        self._made += 1
        if row is None or kind in ("insert", "future"):
            new = {key: value for key, value in (row or {}).items() if key not in OWN}
            new["externalId"] = f"new {self._made}"
            if kind == "future":
                new["updatedAt"] = iso(self._sandbox.clock.now() + timedelta(hours=self._dice.randint(1, 48)))
            self._remember(workspace.insert(self._resource, new))
        elif kind == "edit":
            self._remember(workspace.update(self._resource, row["id"], {"traits": self._traits()}))
        elif kind == "archive":
            self._remember(workspace.archive(self._resource, row["id"]))
        else:
            workspace.delete(self._resource, row["id"])
            self.deleted.add(row["id"])

    def _traits(self) -> dict[str, Any]:
        """Return what an edit puts into the traits; now and then what strict parsers of JSON refuse."""
        odd = self._dice.choice([None] * 12 + [f"cut {CUT_EMOJI}", NOT_A_NUMBER, TOO_LARGE, LONG_INTEGER])
        return {"edited": self._made, **({"odd": odd} if odd else {})}

    def _remember(self, row: dict[str, Any]) -> None:
        self.versions.add((row["id"], row["updatedAt"]))
