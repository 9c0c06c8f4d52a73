"""Fixtures of the unit tests of both connectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from unit_tests.endless import Server, serving
from vitally_api import bounds


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Serve scripts, each from a server of its own."""
    with serving() as serve:
        yield serve


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte stands for many."""
    monkeypatch.setattr(bounds, "LARGEST_PAGE", bounds.MEGABYTE)
    monkeypatch.setattr(bounds, "LARGEST_ROW", 2 * bounds.MEGABYTE)
