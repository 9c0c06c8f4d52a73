"""What of a source's messages arrives at the destination: read in Airbyte's container orchestrator.

- Only records and states are passed on, whatever else a source says (`MessageProcessor`): a stream's STARTED, RUNNING
  and INCOMPLETE never arrive. COMPLETE of *every* stream of the catalog is sent after the last message, if the source
  has exited with 0 and the destination supports refreshes (`StreamStatusCompletionTracker`).
- So a destination that does not support refreshes gets no status at all. And when a source fails, the input of any
  destination just ends, and it is left to finish (`SourceReader`, `DestinationWriter`, `DestinationReader`): for one
  without statuses, the end of a failed read looks like that of a whole one.
- Each state has an `id`, counted from one in each attempt (`StateWithId`), and `sourceStats`: the source's own, else
  the number of records since the state before; of a GLOBAL state, of the streams that it lists (`StateEnricher`).
- A row filter takes records out, and takes as many from `sourceStats.recordCount`: filters explain no gap. What does: a
  record whose line cannot be parsed, or whose data is empty, is dropped uncounted (`VersionedAirbyteStreamFactory`,
  `BasicAirbyteMessageValidator`), while a source that counts by itself has counted it. One exception: records that are
  filtered out of a stream that a GLOBAL state does not list stay in the count that the source made.
- Records have the selected columns only, at the top level (`FieldSelector`). Where a mapper fails, its column is
  absent, and `meta.changes` says NULLED, PLATFORM_SERIALIZATION_ERROR (`HashingMapper`, `FieldRenamingMapper`).
- After a source that succeeded, each full refresh stream without any state gets an empty one (`MissingStateInjector`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from integration_tests.airbyte_platform.modes import Json

if TYPE_CHECKING:
    from integration_tests.airbyte_platform.connection import Selected

NOW = 1_789_000_000_000


@dataclass(frozen=True)
class Renaming:
    """What becomes of the names of streams: `NamespacingMapper`.

    Attributes:
        prefix: put before each name.
        namespace_format: with `${SOURCE_NAMESPACE}` in it for the source's; None: the destination's own, which is none.
    """

    prefix: str = ""
    namespace_format: str | None = None

    def descriptor(self, given: Json) -> Json:
        """Return name and namespace, as the destination has them, of what has the source's."""
        namespace = (self.namespace_format or "").replace("${SOURCE_NAMESPACE}", given.get("namespace") or "").strip()
        return {"name": f"{self.prefix}{given['name']}", **({"namespace": namespace} if namespace else {})}


class Replication:
    """One attempt under way."""

    def __init__(self, selected: Sequence[Selected], renaming: Renaming) -> None:
        """`selected` are the streams of the attempt's catalog."""
        self._selected = {one.stream.name: one for one in selected}
        self._renaming = renaming
        self._states = 0
        self._emitted: Counter[str] = Counter()  # since the state before
        self._filtered: Counter[str] = Counter()

    def cleared(self, saved_state: str | None) -> Iterator[Json]:
        """Yield what stands in for the source of a clear job: empty states, no record (`EmptyAirbyteSource`)."""
        descriptors = [{"name": name, "namespace": one.stream.namespace} for name, one in self._selected.items()]
        if saved_state == "STREAM":
            for descriptor in descriptors:
                yield _state({"type": "STREAM", "stream": {"stream_descriptor": descriptor}})
        elif saved_state == "GLOBAL":
            streams = [{"stream_descriptor": descriptor} for descriptor in descriptors]
            yield _state({"type": "GLOBAL", "global": {"stream_states": streams}})

    def delivered(self, messages: Iterable[Json], source_succeeds: bool, completes: bool) -> list[Json]:
        """Return what arrives; `completes` says whether the destination gets COMPLETE."""
        arrived: list[Json] = []
        stateless = {
            name: one
            for name, one in self._selected.items()
            if one.mode.sync_mode == "full_refresh" and not one.stream.is_resumable
        }
        for message in messages:
            if message["type"] == "RECORD":
                arrived += self._record(deepcopy(message))
            elif message["type"] == "STATE":
                arrived.append(self._enriched(deepcopy(message)))
                for name in _streams_of(message["state"]):
                    stateless.pop(name, None)
                if message["state"].get("type") == "GLOBAL":
                    stateless = {}
        if source_succeeds:
            for name, one in stateless.items():
                descriptor = {"name": name, "namespace": one.stream.namespace}
                state = {"type": "STREAM", "stream": {"stream_descriptor": descriptor, "stream_state": {}}}
                arrived.append(self._enriched(_state(state)))
            arrived += map(self._complete, self._selected.values() if completes else ())
        return arrived

    def _record(self, message: Json) -> Iterator[Json]:
        record = message["record"]
        one = self._selected[record["stream"]]  # else the attempt fails: "Missing catalog stream"
        if not record.get("data"):
            return
        self._emitted[one.stream.name] += 1
        if not one.keeps(record["data"]):
            self._filtered[one.stream.name] += 1
            return
        shown = one.fields or {name: name for name in one.stream.properties}
        record["data"] = {shown[name]: value for name, value in record["data"].items() if name in shown}
        named = self._renaming.descriptor({"name": record.pop("stream"), "namespace": record.pop("namespace", None)})
        record |= {"stream": named.pop("name"), **named}
        yield message

    def _enriched(self, message: Json) -> Json:
        state: Json = message["state"]
        names = _streams_of(state)
        emitted = float(sum(self._emitted.pop(name, 0) for name in names))
        filtered = sum(self._filtered.pop(name, 0) for name in names)
        stats = state.setdefault("sourceStats", {"recordCount": emitted})
        stats["recordCount"] -= filtered
        self._states += 1
        state.setdefault("id", self._states)
        if state.get("type") != "GLOBAL":  # its streams keep the names of the source
            state["stream"]["stream_descriptor"] = self._renaming.descriptor(state["stream"]["stream_descriptor"])
        return message

    def _complete(self, one: Selected) -> Json:
        descriptor = self._renaming.descriptor({"name": one.stream.name, "namespace": one.stream.namespace})
        status = {"stream_descriptor": descriptor, "status": "COMPLETE"}
        trace = {"type": "STREAM_STATUS", "emitted_at": float(NOW), "stream_status": status}
        return {"type": "TRACE", "trace": trace}


def _state(state: Any) -> Json:
    return {"type": "STATE", "state": state}


def _streams_of(state: Json) -> list[str]:
    if state.get("type") == "GLOBAL":
        return [one["stream_descriptor"]["name"] for one in state["global"]["stream_states"]]
    return [state["stream"]["stream_descriptor"]["name"]]
