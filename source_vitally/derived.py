"""Streams that are made of other resources' lists: ids alone, and what Vitally shows only inside other rows."""

from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

import requests
from airbyte_cdk.sources.declarative.transformations import RecordTransformation
from airbyte_cdk.sources.types import Config, StreamSlice

from source_vitally.details import DetailRetriever, HealthScoresRetriever
from source_vitally.records import PageExtractor, with_text_ids
from source_vitally.retrievers import FeedRetriever
from source_vitally.scan import Scan, ScanState
from source_vitally.schema import fields_of


@dataclass
class WholeListRetriever(FeedRetriever):
    """Reads a list by `createdAt` from its first page to its last, whatever the state: no edit can hide a row of it."""

    def _begin(self, stream_slice: StreamSlice) -> Scan:
        return Scan(ScanState(), timedelta())


@dataclass
class IdsRetriever(WholeListRetriever):
    """Reads the ids of a list, by which rows are found that are gone.

    So no page of it is older than what streams have given that read the list in another order: a row that was created
    in between would seem to be gone.
    """

    shows_what_is_gone: ClassVar[bool] = True


@dataclass
class OnlyColumns(RecordTransformation):
    """Leaves of a row only the columns of its stream."""

    parameters: InitVar[Mapping[str, Any]]

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        self._columns = frozenset(fields_of(parameters))

    def transform(
        self,
        record: dict[str, Any],
        config: Config | None = None,
        stream_state: Any = None,
        stream_slice: StreamSlice | None = None,
    ) -> None:
        """Change the record in place."""
        for name in record.keys() - self._columns:
            del record[name]


@dataclass
class ItemsExtractor(PageExtractor):
    """Takes out of a page the objects that stand inside its rows, each id once in a sync, whatever list it is in.

    `item_path` is the field that holds a list, then the names that lead from an item of that to the object.
    """

    item_path: list[str] = field(kw_only=True)
    are_known_by_id: ClassVar[bool] = False
    _given: dict[str, object] = field(init=False, repr=False, default_factory=dict)

    def extract_records(self, response: requests.Response) -> Iterable[Mapping[str, Any]]:
        """Yield the objects in the order of the rows."""
        for row in super().extract_records(response):
            yield from (item for item in self._items(row) if self._is_first(item.get("id")))

    def _items(self, row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        found, *way = self.item_path
        items: Any = row.get(found)
        if not isinstance(items, list):
            return []
        items = self._sieve.objects(items, f"the '{found}' of a row")
        for name in way:
            items = [item.get(name) for item in items if isinstance(item, Mapping)]
        return [with_text_ids(item) for item in items if isinstance(item, Mapping)]

    def _is_first(self, identifier: Any) -> bool:
        mark = object()  # partitions are read at the same time
        return isinstance(identifier, str) and self._given.setdefault(identifier, mark) is mark


@dataclass
class QuestionsExtractor(ItemsExtractor):
    """Takes out of a page of survey responses the questions that they answer."""

    def _items(self, row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return [{"id": item.get("questionId"), "surveyId": row.get("surveyId")} for item in super()._items(row)]


@dataclass
class SurveyQuestionsRetriever(WholeListRetriever, DetailRetriever):
    """Yields the questions that a survey's responses answer: they cannot be listed, only asked for by id."""

    def _needed(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        return row

    def _records(self, row: Mapping[str, Any], detail: Any) -> Iterable[Mapping[str, Any]]:
        question = detail.get("data") if isinstance(detail, Mapping) else None
        yield {**(question if isinstance(question, Mapping) else {}), **row}


@dataclass
class HealthComponentsRetriever(HealthScoresRetriever):
    """Yields a row per component of an account's health score, where the answer has a list of them.

    The shape is not published: the first list of objects is taken, and in each the names that others use.
    """

    def _records(self, row: Mapping[str, Any], detail: Any) -> Iterable[Mapping[str, Any]]:
        for answer in super()._records(row, detail):
            components = self._sieve.objects(_list_of_objects(answer["breakdown"]), "the components of a score")
            for position, component in enumerate(components):
                yield {
                    "accountId": answer["accountId"],
                    "accountUpdatedAt": answer["accountUpdatedAt"],
                    "position": position,
                    "name": _first(component, ("name", "label", "title", "key"), str),
                    "score": _first(component, ("score", "value", "healthScore"), int, float),
                    "weight": _first(component, ("weight",), int, float),
                    "component": component,
                }


def _list_of_objects(answer: Mapping[str, Any]) -> list[Any]:
    for value in answer.values():
        if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            return value
    return []


def _first(component: Mapping[str, Any], names: tuple[str, ...], *types: type) -> Any:
    """Return the first value that has one of some names and one of some types; True and False are no numbers."""
    values = (component.get(name) for name in names)
    return next((value for value in values if isinstance(value, types) and not isinstance(value, bool)), None)
