"""Settings shared by every test of the project."""

import gc
import os
import sys
import typing
from functools import cache

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

# By default to look for garbage takes a quarter of the time: most of what is looked at is rows that are in use.
gc.set_threshold(1_000_000)

if sys.version_info < (3, 12):
    # What a protocol has is looked up each time there, which `requests` asks for: a tenth of each of its requests.
    typing._get_protocol_attrs = cache(typing._get_protocol_attrs)  # type: ignore[attr-defined]


def pytest_collection_finish() -> None:
    """Look for no garbage among what was imported."""
    gc.freeze()
