"""The streams of a catalog, and the lines of input that name them."""

from __future__ import annotations

from typing import Any

from destination_vitally.errors import InputError
from destination_vitally.lines import parse
from destination_vitally.mapping.plan import StreamKey, StreamPlan

NAMED = 200
"""How many letters of a stream's name an error quotes."""


class Streams:
    """The streams of a catalog, found as records and states call them."""

    def __init__(self, plans: dict[StreamKey, StreamPlan]) -> None:
        self.plans = list(plans.values())
        self._exact = {(namespace or None, name): plan for (namespace, name), plan in plans.items()}

    def find(self, namespace: Any, name: Any) -> StreamPlan | None:
        """Return the stream of that name and namespace, of which either may be missing where the name is unique."""
        try:
            exact = self._exact.get((namespace or None, name))
        except TypeError:  # no text
            return None
        if exact:
            return exact
        namesakes = [plan for plan in self.plans if plan.name == name]
        return namesakes[0] if len(namesakes) == 1 and not (namespace and namesakes[0].namespace) else None

    def covered(self, state: Any) -> list[StreamPlan] | None:
        """The streams a state is of: none when it is not in the catalog, all when it names none; None for no state."""
        if not isinstance(state, dict):
            return None
        if not state.get("stream"):
            return self.plans
        described = state["stream"].get("stream_descriptor") if isinstance(state["stream"], dict) else None
        if not isinstance(described, dict) or not isinstance(described.get("name"), str):
            return None
        plan = self.find(described.get("namespace"), described["name"])
        return [plan] if plan else []

    def with_status(self, message: dict[str, Any], status: str) -> StreamPlan | None:
        """Return the stream of which a TRACE says that it is `COMPLETE`, or `INCOMPLETE`."""
        trace = message.get("trace")
        told = trace.get("stream_status") if isinstance(trace, dict) else None
        if not isinstance(told, dict) or told.get("status") != status:
            return None
        described = told.get("stream_descriptor")
        return self.find(described.get("namespace"), described.get("name")) if isinstance(described, dict) else None


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
