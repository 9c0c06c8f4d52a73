"""Fixtures of the source's end-to-end tests."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import pytest
from airbyte_cdk.sources.streams.http import rate_limiting

from source_vitally import cdk
from source_vitally.budget import RequestBudget


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Take note of the waits between retries instead of waiting."""
    taken: list[float] = []
    monkeypatch.setattr(rate_limiting, "time", SimpleNamespace(sleep=taken.append))
    monkeypatch.setattr(cdk, "RequestBudget", partial(RequestBudget, sleep=taken.append))
    return taken
