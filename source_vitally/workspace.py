"""What a workspace calls its own: its custom objects, as streams with stable names, and its custom fields, as types."""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import InitVar, dataclass
from typing import Any

from airbyte_cdk.models import FailureType
from airbyte_cdk.sources.declarative.partition_routers import PartitionRouter
from airbyte_cdk.sources.declarative.retrievers import Retriever
from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.streams.concurrent.abstract_stream import AbstractStream
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import Config, Record, StreamSlice
from airbyte_cdk.utils.traced_exception import AirbyteTracedException
from anyascii import anyascii

from source_vitally.components import FeedRetriever
from source_vitally.schema import TraitTypes

logger = logging.getLogger("airbyte")

STREAM_PREFIX = "custom_object_"
FIELDS_STREAM = "custom_fields"


def stream_names(definitions: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return a unique stream name per definition id, made of the machine names.

    The oldest definition of a cleaned name has it plain, later ones carry a part of their id, so that a new custom
    object never renames the stream of an older one.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for definition in sorted(definitions, key=lambda found: (str(found.get("createdAt")), str(found["id"]))):
        name = STREAM_PREFIX + snake_case(str(definition.get("name") or definition.get("label") or ""))
        if name in taken:
            name = f"{name}_{snake_case(str(definition['id']))[:8]}"
        taken.add(name)
        names[definition["id"]] = name
    return names


def snake_case(name: str) -> str:
    """Return a name in lower case with underscores: `dealRoom`, `Deal Room` and `deal-room!` are `deal_room`."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", anyascii(name))
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_") or "unnamed"


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


@dataclass
class PartitionFields(RecordTransformation):
    """Adds the fields of a record's partition to the record; the key of `custom_fields` needs them."""

    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Exist for the CDK, which hands over `parameters`."""

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,
        stream_state: Any = None,
        stream_slice: StreamSlice | None = None,
    ) -> None:
        """Change the record in place."""
        record.update(stream_slice.partition if stream_slice else {})


def trait_types(fields: AbstractStream, workers: int) -> TraitTypes:
    """Return the field type of each trait path per (model, custom object id), read from the stream of custom fields.

    A model that cannot be read costs its own hints and a warning.
    """
    types: TraitTypes = {}

    def read(partition: Any) -> list[Mapping[str, Any]]:
        try:
            return [record.data for record in partition.read()]
        except AirbyteTracedException as error:
            if is_config_error(error):
                raise
            logger.warning(f"The traits of {partition.to_slice().partition} stay untyped: {error.message}")
            return []

    with ThreadPoolExecutor(workers) as pool:
        for rows in pool.map(read, fields.generate_partitions()):
            for row in rows:
                types.setdefault((row["model"], row["customObjectId"]), {})[row["path"]] = str(row.get("type"))
    return types
