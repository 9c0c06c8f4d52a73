"""What the forms of both connectors share."""

from __future__ import annotations

from typing import Any

import pytest

from vitally_api import settings
from vitally_api.settings import problem_of_unknown

SHARED: dict[str, Any] = {
    name: getattr(settings, name) for name in ("SECRET_TOKEN", "NUM_WORKERS", "REQUESTS_PER_MINUTE")
} | {"data_center": settings.data_center(analytics=True)}


@pytest.mark.parametrize("name", SHARED)
def test_each_has_a_title_and_a_plain_description(name: str) -> None:
    assert SHARED[name]["title"]
    assert SHARED[name]["description"].endswith(".")
    assert not set("`*_[]") & set(SHARED[name]["description"])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("lookback_minute", "there is no such setting; did you mean lookback_minutes?"),
        ("LookBack_Minutes", "there is no such setting; did you mean lookback_minutes?"),
        ("status", "there is no such setting"),
        ("", "there is no such setting"),
    ],
)
def test_a_typo_is_answered_with_the_nearest_setting(name: str, sentence: str) -> None:
    assert problem_of_unknown(name, ["lookback_minutes", "num_workers"]) == sentence
