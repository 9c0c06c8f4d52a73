"""Fixtures of the source's unit tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from unit_tests.source.quick import quick_start, without_waiting


@pytest.fixture
def waits() -> Iterator[list[float]]:
    """Take note of the waits between retries instead of waiting."""
    with without_waiting() as taken:
        yield taken


@pytest.fixture(autouse=True, scope="session")
def quick() -> Iterator[None]:
    """Let sources start without the CDK's check of the manifest, which `test_manifest.py` has done once."""
    with quick_start():
        yield
