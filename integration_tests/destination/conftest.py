from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("integration_tests.destination.cases", "integration_tests.destination.ways")

from integration_tests.sandbox import Sandbox  # noqa: E402


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An empty workspace, served."""
    with Sandbox(empty=True) as served:
        yield served
