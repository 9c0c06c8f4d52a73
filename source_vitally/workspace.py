"""What a workspace calls its own: its custom objects, as streams with stable names, and its custom fields, as types."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import InitVar, dataclass
from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.partition_routers import PartitionRouter
from airbyte_cdk.sources.declarative.retrievers import Retriever
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import Config, Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_vitally.retrievers import FeedRetriever
from source_vitally.schema import TraitTypes
from vitally_api.names import stream_names

logger = logging.getLogger("airbyte")

FIELDS_STREAM = "custom_fields"


@dataclass
class DefinitionsRetriever(FeedRetriever):
    """Yields the custom object definitions, each with its `streamName`; none, and a warning, if they cannot be had."""

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[StreamData]:
        """Yield the definitions, oldest first."""
        try:
            definitions = [found.data for found in super().read_records(records_schema) if isinstance(found, Record)]
        except AirbyteTracedException as error:
            if is_config_error(error):
                raise
            logger.warning(f"The streams of custom objects are missing: {error.message}")
            return
        names = stream_names(definitions)
        for definition in sorted(definitions, key=lambda found: names[found["id"]]):
            yield {**definition, "streamName": names[definition["id"]]}


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
    """The live and the archived instances of every custom object of the workspace."""

    definitions: Retriever
    _hidden = frozenset({"customObjectId"})

    def stream_slices(self) -> Iterator[StreamSlice]:
        """Yield one partition per custom object and pass; the list of custom objects is asked for here."""
        for found in self.definitions.read_records({}):
            parameters = {"custom_object_id": str(found["id"])}  # type: ignore[index]
            yield from InstancePartitions(config=self.config, parameters=parameters).stream_slices()


@dataclass
class FieldOwners(_Partitions):
    """Everything that has custom fields: the models of Vitally's docs and each custom object of the workspace."""

    models: list[str]
    definitions: Retriever

    def stream_slices(self) -> Iterator[StreamSlice]:
        """Yield one partition per model and custom object; the list of custom objects is asked for here."""
        owners = [(model, "") for model in self.models]
        owners += [("customObjects", str(found["id"])) for found in self.definitions.read_records({})]  # type: ignore[index]
        for model, custom_object in owners:
            yield StreamSlice(partition={"model": model, "customObjectId": custom_object}, cursor_slice={})


def trait_types(fields: AbstractStream, workers: int, *, all_needed: bool = False) -> TraitTypes:
    """Return the field type of each trait path, oldest field first, per (model, custom object id).

    They are read from the stream of custom fields. A model that cannot be read costs its own hints and a warning,
    unless `all_needed`: then the error is raised.
    """
    types: TraitTypes = {}

    def read(partition: Any) -> list[Mapping[str, Any]]:
        try:
            return [record.data for record in partition.read()]
        except AirbyteTracedException as error:
            if all_needed or is_config_error(error):
                raise
            logger.warning(f"The traits of {partition.to_slice().partition} stay untyped: {error.message}")
            return []

    with ThreadPoolExecutor(workers) as pool:
        for rows in pool.map(read, fields.generate_partitions()):
            for row in sorted(rows, key=lambda row: (str(row.get("createdAt")), str(row["path"]))):
                types.setdefault((row["model"], row["customObjectId"]), {})[row["path"]] = str(row.get("type"))
    return types
