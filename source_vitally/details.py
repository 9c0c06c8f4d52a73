"""Streams whose records need a request per row of a list: messages, transcripts, health scores."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from airbyte_cdk.sources.declarative.requesters import Requester
from airbyte_cdk.sources.types import Record, StreamSlice

from source_vitally.records import ids_of
from source_vitally.responses import body_of, is_missing, reason_of
from source_vitally.retrievers import DetailsMissing, FeedRetriever

logger = logging.getLogger("airbyte")

_PARTICIPANTS = {"accountIds": "accounts", "organizationIds": "organizations", "userIds": "users", "adminIds": "admins"}
"""Fields of a message for what the conversation that it is in has inlined."""


@dataclass
class DetailRetriever(FeedRetriever, ABC):
    """Asks for the details of each wanted row, several at a time, and lets a subclass make records of them."""

    detail_requester: Requester = field(kw_only=True)
    _has_warned: bool = field(init=False, repr=False, default=False)

    def _expand(self, rows: list[Record], stream_slice: StreamSlice) -> Iterable[Record]:
        with ThreadPoolExecutor(self.config["num_workers"]) as pool:
            details = list(pool.map(self._detail, rows))
        if rows and all(detail is None for detail in details):
            raise DetailsMissing
        for row, detail in zip(rows, details, strict=True):
            if detail is not None:
                for data in self._records(row.data, detail):
                    yield Record(data=data, stream_name=self.name, associated_slice=stream_slice)

    def _detail(self, row: Record) -> Any:
        """Return the row's details, or None where it is gone meanwhile or has none."""
        stream_slice = StreamSlice(partition={}, cursor_slice={}, extra_fields={"row": row.data})
        response = self.detail_requester.send_request(stream_slice=stream_slice)
        assert response is not None  # the client raises where it has no answer
        if response.ok and not is_missing(response):
            return body_of(response)
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                f"Stream {self.name}: Vitally answers HTTP {response.status_code} ({reason_of(response)}) for the "
                f"details of {row.data.get('id')}. Such rows are left out; this is said once."
            )
        return None

    @abstractmethod
    def _records(self, row: Mapping[str, Any], detail: Any) -> Iterable[Mapping[str, Any]]:
        """Yield the records that a list row and its details make."""


@dataclass
class ConversationMessagesRetriever(DetailRetriever):
    """Yields the messages of each conversation that changed: lists carry none, only the conversation by id does."""

    def _records(self, row: Mapping[str, Any], detail: Any) -> Iterable[Mapping[str, Any]]:
        participants = {name: ids_of(detail.get(rows)) for name, rows in _PARTICIPANTS.items()}
        conversation = {"conversationId": row["id"], "conversationUpdatedAt": row.get("updatedAt"), **participants}
        for message in detail.get("messages") or []:
            yield {**message, **conversation}


@dataclass
class TranscriptRetriever(DetailRetriever):
    """Yields transcripts whole: list rows may come without the text (it is undocumented), then it is fetched."""

    def _detail(self, row: Record) -> Any:
        return {} if "transcript" in row.data else super()._detail(row)

    def _records(self, row: Mapping[str, Any], detail: Any) -> Iterable[Mapping[str, Any]]:
        yield {**row, **detail}


@dataclass
class HealthScoresRetriever(DetailRetriever):
    """Yields what makes up the health score of each changed account, as it comes: its shape is not published.

    A list becomes the `results` of an object, as Vitally's lists are: a column has one type.
    """

    def _records(self, row: Mapping[str, Any], detail: Any) -> Iterable[Mapping[str, Any]]:
        breakdown = detail if isinstance(detail, Mapping) else {"results": detail}
        yield {"accountId": row["id"], "accountUpdatedAt": row.get("updatedAt"), "breakdown": breakdown}
