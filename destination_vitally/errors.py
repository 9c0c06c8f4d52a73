"""The closed set of things that go wrong while writing.

A `ConfigError`, an `OutageError` or an `InputError` ends the sync and becomes a TRACE; a `RejectedError` ends one
record; `AmbiguousError`, `LateError`, `ListError`, `NotYetError` and `StoppedError` never leave the connector.
"""

from __future__ import annotations

from typing import Any

from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from destination_vitally.protocol import FailureType


class ConfigError(AirbyteTracedException):
    """Something the person who set up the connection has to change; the message says what."""

    def __init__(self, message: str) -> None:
        super().__init__(message=message, internal_message=message, failure_type=FailureType.config_error)


class OutageError(AirbyteTracedException):
    """Vitally could not be reached for longer than we are willing to wait; a later sync may succeed."""

    def __init__(self, message: str) -> None:
        super().__init__(message=message, internal_message=message, failure_type=FailureType.transient_error)


class InputError(AirbyteTracedException):
    """What arrived on stdin is not what the protocol promises."""

    def __init__(self, message: str) -> None:
        super().__init__(message=message, internal_message=message, failure_type=FailureType.system_error)


class RejectedError(Exception):
    """One record cannot be written. `str()` is the reason, without any of the record's values but its key."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class SkippedError(RejectedError):
    """One record is not to be written, as what the reason says its rows are.

    `origin` is the id of a row of another workspace of which there can be no copy: what belongs to it is skipped too.
    """

    def __init__(self, reason: str, origin: str = "") -> None:
        super().__init__(reason)
        self.origin = origin


class ListError(Exception):
    """A list of Vitally's cannot be read to its end, so that nothing is known of rows that are not in it."""

    def __init__(self, path: str, problem: str, status: int | None = None) -> None:
        super().__init__(f"Vitally does not list {path} to its end: {problem}")
        self.status = status


class AmbiguousError(Exception):
    """A request that must not be repeated blindly got no answer that tells whether Vitally acted on it.

    `reply` is what arrived instead of one.
    """

    def __init__(self, problem: str, reply: Any = None) -> None:
        super().__init__(problem)
        self.reply = reply


class LateError(Exception):
    """A request was not sent, because by the time at which it could be it was no longer known to be right."""


class NotYetError(Exception):
    """A change depends on a row that is not there yet, of which it is known that it may still come.

    `entry` is the object of the row, `external_id` your id of it; `is_acted` says that it is not enough that the row is
    there: the message that this sync has sent to it must have been applied.
    """

    def __init__(self, entry: Any, external_id: str, *, is_acted: bool = False) -> None:
        super().__init__(f"not yet: {entry.name} '{external_id}'")
        self.entry = entry
        self.external_id = external_id
        self.is_acted = is_acted


class StoppedError(Exception):
    """The platform asked the connector to end (SIGTERM) and the time for finishing is over."""


def describe(error: Any) -> str:
    """An error as one line: its text, or the name of its type when it has none."""
    return " ".join(str(error).split()) or type(error).__name__
