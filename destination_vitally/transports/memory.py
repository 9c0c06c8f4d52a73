"""What is remembered, up to a number of entries, so that memory does not grow with the length of a sync."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")

REMEMBERED = 50_000
"""How many entries are kept unless said otherwise."""


class Memory(Generic[Value]):
    """The most recently used entries of a mapping. Safe to use from several threads."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._entries: OrderedDict[Any, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any) -> Value | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        return None

    def take(self, key: Any) -> Value | None:
        """Return what is remembered of a key, and forget it."""
        with self._lock:
            return self._entries.pop(key, None)

    def put(self, key: Any, value: Value) -> None:
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def forget(self, key: Any) -> None:
        if self._entries:
            with self._lock:
                self._entries.pop(key, None)

    def forget_value(self, value: Value) -> None:
        """Forget every entry that says so."""
        with self._lock:
            for key in [key for key, found in self._entries.items() if found == value]:
                del self._entries[key]

    def values(self) -> list[Value]:
        """Return what is remembered, the least recently used first."""
        with self._lock:
            return list(self._entries.values())
