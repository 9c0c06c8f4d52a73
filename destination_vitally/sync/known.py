"""All that a sync knows of Vitally's rows and can find out, put together once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from destination_vitally.api.http import Apis
from destination_vitally.clock import Clock
from destination_vitally.config import Config
from destination_vitally.mapping.change import Change
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.facts import Sending
from destination_vitally.rows.lists import Lists
from destination_vitally.rows.memory import Memory
from destination_vitally.rows.people import People
from destination_vitally.rows.poller import Poller
from destination_vitally.rows.reader import Reader
from destination_vitally.rows.references import References
from destination_vitally.send.forecast import Forecast
from destination_vitally.send.rest import Made, Rest
from destination_vitally.sync.lanes import Lanes
from destination_vitally.sync.prefetch import Prefetch


class Knowledge:
    """The memory of a sync, and those who read, send and look for it; without a REST key only the memory.

    Attributes:
        memory: what is known of rows.
        references: what rows refer to.
        people: people and what has a name.
        poller: who waits for what Vitally has yet to apply, if anybody can.
        prefetch: what is looked up for many rows, if anything can.
        rest: makes changes by REST, if there is a key for it.
    """

    def __init__(self, plans: Iterable[StreamPlan], config: Config, apis: Apis, clock: Clock, lanes: Lanes) -> None:
        api = apis.rest
        self.memory = Memory(clock)
        lists = Lists(api, self.memory) if api else None
        self.references = References(api, self.memory, lists, config.unknown_parents, is_dry_run=config.dry_run)
        self.people = People(api, self.memory, self.references)
        self.poller: Poller | None = None
        self.prefetch: Prefetch | None = None
        self.rest: Rest | None = None
        reader = None
        if api and lists:
            reader = Reader(api, self.memory, lists)
            self.poller = Poller(api, self.memory, lanes.again)
            self.rest = Rest(api, self.memory, reader, self.references, self.people)
            self.prefetch = Prefetch(
                *(self.memory, reader, lists, self.references, self.people, lanes),
                compares=config.skip_unchanged,
                foretells=config.dry_run,
            )
        self._forecast = Forecast(api, self.memory, reader, self.references, self.people) if config.dry_run else None
        self._expect(list(plans), compares=config.skip_unchanged)

    def _expect(self, plans: list[StreamPlan], *, compares: bool) -> None:
        """Say what of the messages of this sync anybody may ask for; nothing else is kept of them."""
        asked_for = {target for plan in plans for target in _asked_for(plan)}
        for plan in plans:
            entry = plan.entry
            holder = entry.field(entry.kept_in) if entry.kept_in else None
            written = BY_NAME[str(holder.refers)] if holder else entry
            also = [other for other in plans if other.entry.path == written.path]
            contents = any(other.may_use_rest for other in also)
            self.memory.expect(written, sent=compares or written.name in asked_for, contents=contents)

    def make(self, change: Change, counted_by: Hashable = None) -> Made:
        """Make a change by REST, or foretell it; returns and raises what `Rest.make` does."""
        if self._forecast:
            return self._forecast.make(change, counted_by)
        assert self.rest is not None  # a plan without the REST key has no calls
        return self.rest.make(change)

    def is_unchanged(self, change: Change) -> bool:
        """Tell whether a change would surely change nothing, where such rows need not be sent."""
        return self.prefetch is not None and self.prefetch.is_unchanged(change)

    def note_sending(self, change: Change) -> None:
        """Note that something is about to be sent to a row, which is then no longer what was read of it."""
        self.memory.note(Sending(change))


def _asked_for(plan: StreamPlan) -> set[str]:
    """The objects whose rows a stream refers to, by an id, an email or a name."""
    fields = plan.entry.fields
    people = {"user"} if any(field.holds_people or field.stands_for for field in fields) else set()
    return people | {name for field in fields for name in (field.refers, field.mentions) if name}
