"""How pytest runs below mutmut: the same examples each time, none made smaller; what is slow comes last."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put unit tests before integration tests, and those that try many examples last of all."""
    items.sort(key=lambda item: (_tries_many(item), not item.nodeid.startswith("unit_tests")))


def _tries_many(item: pytest.Item) -> bool:
    test = getattr(item, "obj", None)
    return item.name == "runTest" or bool(getattr(test, "is_hypothesis_test", False))
