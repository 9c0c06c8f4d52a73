"""Fixtures of the source's end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration_tests.harness import without_waiting


@pytest.fixture
def waits() -> Iterator[list[float]]:
    """Take note of the waits between retries instead of waiting."""
    with without_waiting() as taken:
        yield taken
