from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration_tests.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An empty workspace, served."""
    with Sandbox(empty=True) as served:
        yield served
