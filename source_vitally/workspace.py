"""What a workspace calls its own: its custom objects, as streams with stable names, and its custom fields, as types."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import InitVar, dataclass
from datetime import timedelta
from typing import Any

import requests
from airbyte_cdk.models import AirbyteStateMessage, ConfiguredAirbyteCatalog, FailureType
from airbyte_cdk.sources.declarative.partition_routers import PartitionRouter
from airbyte_cdk.sources.streams.concurrent.partitions.partition import Partition
from airbyte_cdk.sources.types import Config, Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_vitally.client import FEW_RETRIES, RETRIES, patience
from source_vitally.responses import reason_of
from source_vitally.retrievers import FeedRetriever
from source_vitally.scan import Scan, ScanState
from source_vitally.schema import CUSTOM_OBJECTS as TRAITS_OF_INSTANCES
from source_vitally.schema import OWNER, CustomField, TraitTypes, fields_of, streams_of_table
from vitally_api.names import STREAM_PREFIX, possible_names, stream_names

logger = logging.getLogger("airbyte")

FIELDS_STREAM, DEFINITIONS_STREAM = "custom_fields", "custom_objects"
OF_CUSTOM_OBJECTS = frozenset({FIELDS_STREAM, "instance_ids"})
"""Streams with a partition for each custom object whose stream is selected, or, where none is, for each there is."""
DEFINITIONS = "custom_object_definitions"


CUSTOM_OBJECTS = "__custom_objects"
"""Where in the config the streams find the definitions of custom objects, each with its `streamName`."""

CUSTOM_OBJECTS_PROBLEM = "__custom_objects_problem"
"""Where they find the error instead, if the definitions cannot be had."""


@dataclass
class DefinitionsRetriever(FeedRetriever):
    """Reads the custom object definitions; those without an id cannot be read, and cost nothing but themselves."""

    def definitions(self) -> list[dict[str, Any]]:
        """Return all definitions of the workspace.

        Raises:
            AirbyteTracedException: The list cannot be had.
        """
        found = [dict(row.data) for row in self.read_records({}) if isinstance(row, Record)]
        return [definition for definition in found if definition.get("id")]

    def _begin(self, stream_slice: StreamSlice) -> Scan:
        return Scan(ScanState(), timedelta())  # as their stream reads them first

    def _end_without(self, response: requests.Response, scan: Scan, stream_slice: StreamSlice) -> None:
        raise self._failure(f"cannot be read: Vitally answers HTTP {response.status_code} ({reason_of(response)}).")


def named(definitions: list[dict[str, Any]], owners: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the definitions that have a stream, each with its `streamName`.

    Args:
        definitions: All of the workspace.
        owners: The ids of the custom objects whose rows were read under some names so far. They keep these names while
            these fit them, and no namesake gets one of them.
    """
    names = {key: name for key, name in stream_names(definitions).items() if name not in owners}
    fitting = {found["id"]: possible_names(found) for found in definitions}
    names |= {key: name for name, key in owners.items() if name in fitting.get(key, ())}
    return [{**found, "streamName": names[found["id"]]} for found in definitions if found["id"] in names]


def selected_of(definitions: list[dict[str, Any]], names: set[str], owners: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the custom objects whose streams are selected, also where one is called otherwise by now, or else all."""
    if not any(name.startswith(STREAM_PREFIX) for name in names):
        return definitions
    return [found for found in definitions if found["streamName"] in names or found["id"] in owners.values()]


def owners_of(catalog: ConfiguredAirbyteCatalog, state: Iterable[AirbyteStateMessage]) -> dict[str, str]:
    """Return the custom object whose rows each configured stream has, by its schema, or else by its state."""
    owners: dict[str, str] = {}
    for message in state:
        if message.stream and message.stream.stream_state:
            parts = message.stream.stream_state.__dict__.get("states")
            ids = (
                {part["partition"].get("customObjectId") for part in parts if _has_partition(part)} if parts else set()
            )
            if len(ids) == 1 and isinstance(key := ids.pop(), str):
                owners[message.stream.stream_descriptor.name] = key
    selected = {configured.stream.name: configured.stream.json_schema for configured in catalog.streams}
    by_schema = {name: schema.get(OWNER) for name, schema in selected.items()}
    owners |= {name: key for name, key in by_schema.items() if isinstance(key, str)}
    return {name: key for name, key in owners.items() if name in selected and name.startswith(STREAM_PREFIX)}


def _has_partition(part: Any) -> bool:
    return isinstance(part, Mapping) and isinstance(part.get("partition"), Mapping)


def is_config_error(error: AirbyteTracedException) -> bool:
    """Whether a person has to change the configuration, so that nothing else would work either."""
    return bool(error.failure_type == FailureType.config_error)


@dataclass
class _Partitions(PartitionRouter):
    """A router whose partitions' fields are query parameters, except the empty ones and those that `_hidden` names."""

    config: Config
    parameters: InitVar[Mapping[str, Any]]
    _hidden = frozenset[str]()

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        self._parameters = parameters

    def get_request_params(
        self,
        *,
        stream_state: Any = None,
        stream_slice: StreamSlice | None = None,
        next_page_token: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        """Return the query parameters of a partition."""
        partition = stream_slice.partition if stream_slice else {}
        return {key: value for key, value in partition.items() if value and key not in self._hidden}

    def get_request_headers(self, **_: Any) -> Mapping[str, Any]:
        """Return nothing."""
        return {}

    def get_request_body_data(self, **_: Any) -> Mapping[str, Any]:
        """Return nothing."""
        return {}

    def get_request_body_json(self, **_: Any) -> Mapping[str, Any]:
        """Return nothing."""
        return {}

    def get_stream_state(self) -> None:
        """Return None: there is no parent stream."""


@dataclass
class InstancePartitions(_Partitions):
    """The live and the archived instances of one custom object, whose id keeps a namesake's state apart."""

    _hidden = frozenset({"customObjectId"})

    def stream_slices(self) -> Iterator[StreamSlice]:
        """Yield one partition per pass."""
        owner = self._parameters["custom_object_id"]
        for archived in ("false", "true") if self.config["include_archived"] else ("false",):
            yield StreamSlice(partition={"customObjectId": owner, "archived": archived}, cursor_slice={})


@dataclass
class AllInstances(_Partitions):
    """The live and the archived instances of several custom objects."""

    _hidden = frozenset({"customObjectId"})

    def stream_slices(self) -> Iterator[StreamSlice]:
        """Yield one partition per custom object and pass; raise where the custom objects are not known."""
        for found in self.config[CUSTOM_OBJECTS]:
            parameters = {"custom_object_id": str(found["id"])}
            yield from InstancePartitions(config=self.config, parameters=parameters).stream_slices()
        if problem := self.config.get(CUSTOM_OBJECTS_PROBLEM):
            raise problem


@dataclass
class FieldOwners(_Partitions):
    """What has custom fields: the models of Vitally's docs and the custom objects."""

    models: list[str]

    def stream_slices(self) -> Iterator[StreamSlice]:
        """Yield one partition per model and custom object; raise where these are not known, after the models."""
        owners = [(model, "") for model in self.models]
        owners += [(TRAITS_OF_INSTANCES, str(found["id"])) for found in self.config[CUSTOM_OBJECTS]]
        for model, custom_object in owners:
            yield StreamSlice(partition={"model": model, "customObjectId": custom_object}, cursor_slice={})
        if problem := self.config.get(CUSTOM_OBJECTS_PROBLEM):
            raise problem


def owners_of_traits(names: set[str], definitions: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return whose custom fields the rows of some streams have, as (model, custom object id)."""
    kinds = [fields_of({"name": name}).get("traits") for name in names.intersection(streams_of_table())]
    objects = {(TRAITS_OF_INSTANCES, str(found["id"])) for found in definitions if found["streamName"] in names}
    return {(kind["traits"], "") for kind in kinds if isinstance(kind, Mapping)} | objects


def trait_types(partitions: Iterable[Partition], workers: int, *, all_needed: bool = False) -> TraitTypes:
    """Return the custom field of each trait path, oldest first, per (model, custom object id).

    They are read from partitions of the stream of custom fields. A model that cannot be read costs its own hints and a
    warning, unless `all_needed`: then the error is raised.
    """
    types: TraitTypes = {}

    def read(partition: Any) -> list[Mapping[str, Any]]:
        try:
            with patience(retries=RETRIES if all_needed else FEW_RETRIES):
                return [record.data for record in partition.read()]
        except AirbyteTracedException as error:
            if all_needed or is_config_error(error):
                raise
            logger.warning(f"The traits of {partition.to_slice().partition} stay untyped: {error.message}")
            return []

    with ThreadPoolExecutor(workers) as pool:
        for rows in pool.map(read, partitions):
            for row in sorted(rows, key=lambda row: (str(row.get("createdAt")), str(row["path"]))):
                said = {name: row[name] for name in ("label", "description") if isinstance(row.get(name), str)}
                of_owner = types.setdefault((row["model"], row["customObjectId"]), {})
                of_owner[row["path"]] = CustomField(str(row.get("type")), **said)
    return types


@dataclass
class FieldsRetriever(FeedRetriever):
    """Yields custom fields; one without a path is none that a row could have, and costs nothing but itself."""

    def _end_without(self, response: requests.Response, scan: Scan, stream_slice: StreamSlice) -> None:
        super()._end_without(response, scan, stream_slice)
        if self.config.get("flatten_traits") and self._shared.is_new("flatten_traits"):
            logger.warning(
                "Custom fields as columns (flatten_traits) makes none of custom fields that cannot be listed, such as "
                f"those of {stream_slice.partition['model']}: Vitally answers HTTP {response.status_code}. Let the "
                "REST key read custom fields, or switch the setting off. The values are in 'traits' either way."
            )

    def _emit(
        self, scan: Scan, rows: list[tuple[Record, Any]], size: int, stream_slice: StreamSlice
    ) -> Iterable[Record]:
        usable = [(row, time) for row, time in rows if isinstance(row.data.get("path"), str)]
        for row, _ in rows:
            if not isinstance(row.data.get("path"), str):
                logger.warning(
                    f"Stream {self.name}: the custom field {row.data.get('id')} has no path and is left out."
                )
        return super()._emit(scan, usable, size, stream_slice)
