"""Fixtures of the source's unit tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration_tests.harness import quick_start
from integration_tests.source.conftest import waits

__all__ = ["quick", "waits"]


@pytest.fixture(autouse=True, scope="session")
def quick() -> Iterator[None]:
    """Let sources start without the CDK's check of the manifest, which `test_manifest.py` has done once."""
    with quick_start():
        yield
