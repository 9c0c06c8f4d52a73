"""Settings shared by every test of the project."""

import gc
import os

from hypothesis import HealthCheck, settings

# CI judges a change by the same examples each time; elsewhere, `make fuzz` and `make chaos` look for new ones.
settings.register_profile(
    "suite",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")


def pytest_collection_finish() -> None:
    """Look for garbage less often, and not among what was imported: by default that takes a quarter of the time."""
    gc.freeze()
    gc.set_threshold(20_000)
