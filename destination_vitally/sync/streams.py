"""The streams of a catalog, and the lines of input that name them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from destination_vitally.errors import InputError
from destination_vitally.lines import parse
from destination_vitally.mapping.plan import StreamKey, StreamPlan
from destination_vitally.outcomes.store import ENTRY

NAMED = 200
"""How many letters of a stream's name an error quotes."""


class Streams:
    """The streams of a catalog, found as records and states call them."""

    def __init__(self, plans: Iterable[StreamPlan]) -> None:
        self.plans = list(plans)
        self._streams: dict[tuple[Any, Any], list[StreamPlan]] = {}
        for plan in self.plans:
            self._streams.setdefault((plan.namespace or None, plan.name), []).append(plan)

    def __len__(self) -> int:
        """How many streams there are; one may have several plans."""
        return len(self._streams)

    def find(self, namespace: Any, name: Any) -> list[StreamPlan]:
        """Return the plans of the stream of that name and namespace, which may be missing where the name is unique."""
        try:
            exact = self._streams.get((namespace or None, name))
        except TypeError:  # no text
            return []
        if exact:
            return exact
        namesakes = [plans for (_, own), plans in self._streams.items() if own == name]
        return namesakes[0] if len(namesakes) == 1 and not (namespace and namesakes[0][0].namespace) else []

    def of_record(self, record: dict[str, Any], number: int) -> list[StreamPlan]:
        """Return the plans that a record is for: those of its stream, or the one whose rejection is written again.

        Raises:
            InputError: it is of a stream that is not in the catalog, or was rejected by an entry that is not there.
        """
        plans = self.find(record.get("namespace"), record.get("stream"))
        if not plans:
            raise InputError(f"Line {number} of the input is of {named(record)}, which is not in the catalog.")
        entry = record.get(ENTRY)
        if not isinstance(entry, dict):
            return plans
        alike = [plan for plan in plans if plan.entry.name == entry.get("object")]
        if len(alike) > 1:
            alike = [plan for plan in alike if plan.number == entry.get("entry")]
        if not alike:
            raise InputError(
                f"Line {number} of the input is a rejected record of {named(record)}, and of an entry of Mappings that "
                "is no longer there. Write the entry again, or take the line out."
            )
        return alike

    def covered(self, state: Any) -> list[StreamPlan] | None:
        """The streams a state is of: none when it is not in the catalog, all when it names none; None for no state."""
        if not isinstance(state, dict):
            return None
        if not state.get("stream"):
            return self.plans
        described = state["stream"].get("stream_descriptor") if isinstance(state["stream"], dict) else None
        if not isinstance(described, dict) or not isinstance(described.get("name"), str):
            return None
        return self.find(described.get("namespace"), described["name"])

    def with_status(self, message: dict[str, Any], status: str) -> list[StreamPlan]:
        """Return the plans of the stream of which a TRACE says that it is `COMPLETE`, or `INCOMPLETE`."""
        trace = message.get("trace")
        found = trace.get("stream_status") if isinstance(trace, dict) else None
        if not isinstance(found, dict) or found.get("status") != status:
            return []
        described = found.get("stream_descriptor")
        return self.find(described.get("namespace"), described.get("name")) if isinstance(described, dict) else []


LOST = "fewer records arrived than the source has counted, so the table is not whole"
"""Why nothing may be deleted then."""


class Counts:
    """Whether as many records arrived as the source has counted before each of its states (`sourceStats`).

    The platform counts what it takes from the source, and takes off what its row filters hold back; what is missing was
    lost on the way: a record that could not be read, or one without data. Used by one thread.
    """

    def __init__(self, streams: Streams) -> None:
        """`streams` are those of the catalog."""
        self._streams = streams
        self._since: Counter[StreamKey] = Counter()
        """Of each stream, the records since the last state that lists it."""
        self._gaps: dict[tuple[StreamPlan, ...], tuple[int, int]] = {}
        self._is_mixed_up = False

    def record(self, plan: StreamPlan) -> None:
        """Count a record, by one of the plans of its stream."""
        self._since[plan.key] += 1

    def state(self, state: dict[str, Any]) -> None:
        """Compare with what a state says."""
        plans = self._listed(state)
        arrived = sum(self._since.pop(key, 0) for key in dict.fromkeys(plan.key for plan in plans))
        stats = state.get("sourceStats")
        count = stats.get("recordCount") if isinstance(stats, dict) else None
        if isinstance(count, (int, float)) and count > arrived and plans and not self._is_mixed_up:
            counted, before = self._gaps.get(plans, (0, 0))
            self._gaps[plans] = counted + int(count), before + arrived

    def _listed(self, state: dict[str, Any]) -> tuple[StreamPlan, ...]:
        """Return the streams that a state is of: of a GLOBAL state those that it lists, which others are not."""
        shared = state.get("global")
        listed = shared.get("stream_states") if isinstance(shared, dict) else None
        if state.get("stream") or not isinstance(listed, list):
            return tuple(self._streams.covered(state) or ())
        found = [self._streams.covered({"stream": one}) for one in listed]
        if all(found):
            return tuple(dict.fromkeys(plan for plans in found for plan in plans or ()))
        # Airbyte leaves them their names in the source, where the connection puts a prefix before those of the catalog.
        self._is_mixed_up = len(listed) < len(self._streams)
        return tuple(self._streams.plans)

    @property
    def has_gaps(self) -> bool:
        """Whether records were lost."""
        return bool(self._gaps)

    def sentences(self) -> Iterator[str]:
        """Yield what to warn of: for the streams of each state, how many records were counted and how many arrived."""
        for plans, (counted, arrived) in self._gaps.items():
            named = ", ".join(dict.fromkeys(plan.stream_title for plan in plans))
            yield (
                f"Stream {named}: the source has counted {counted} records before states of which {arrived} arrived. "
                f"{counted - arrived} were lost on the way, because they could not be read or had no data: look "
                "for them in the log of the source. No missing row is deleted in this sync."
            )


def named(record: dict[str, Any]) -> str:
    namespace, name = record.get("namespace"), record.get("stream")
    return f"stream {_quoted(name)} of namespace {_quoted(namespace)}" if namespace else f"stream {_quoted(name)}"


def _quoted(name: Any) -> str:
    return repr(name[:NAMED]) if isinstance(name, str) else "without a name"


def parsed(line: bytes, number: int) -> dict[str, Any]:
    try:
        message = parse(line)
    except ValueError:
        message = None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        # Nothing of the line is quoted: it may hold anything.
        raise InputError(f"Line {number} of the input is not an Airbyte message.")
    return message
