"""What of the messages of a sync anybody may ask for later; nothing else is kept of them."""

from __future__ import annotations

from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.memory import Memory


def expect(memory: Memory, plans: list[StreamPlan], *, compares: bool) -> None:
    """Say what may be asked for, of the messages of each stream.

    Args:
        memory: what is to keep it.
        plans: the streams.
        compares: whether rows that would change nothing need not be sent.
    """
    asked_for = {target for plan in plans for target in _asked_for(plan)}
    for plan in plans:
        holder = plan.entry.field(plan.entry.kept_in) if plan.entry.kept_in else None
        written = BY_NAME[str(holder.refers)] if holder else plan.entry
        by_rest = any(other.may_use_rest for other in plans if other.entry.path == written.path)
        memory.expect(written, sent=compares or written.name in asked_for, contents=by_rest)


def _asked_for(plan: StreamPlan) -> set[str]:
    """The objects whose rows a stream refers to, by an id, an email or a name."""
    fields = plan.entry.fields
    people = {"user"} if any(field.holds_people or field.stands_for for field in fields) else set()
    return people | {name for field in fields for name in (field.refers, field.mentions) if name}
