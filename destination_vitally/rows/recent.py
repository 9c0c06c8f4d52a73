"""What is remembered up to a number of entries, because it can be found out again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")

REMEMBERED = 50_000
"""How many entries are kept unless another number is given."""


class Recent(Generic[Value]):
    """The most recently used entries of a mapping. Safe to use from several threads."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._entries: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        """Return what is remembered of a key."""
        if not self._entries:
            return None
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        return None

    def put(self, key: Hashable, value: Value) -> None:
        """Remember an entry, in the place of the one with the same key."""
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        """Forget an entry, if it is there."""
        if self._entries:
            with self._lock:
                self._entries.pop(key, None)
