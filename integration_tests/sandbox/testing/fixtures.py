"""Pytest fixtures, for a conftest.py to import."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import pytest

from integration_tests.sandbox.server import Sandbox
from integration_tests.sandbox.testing.client import Client

MakeSandbox = Callable[..., Sandbox]


@pytest.fixture
def make_sandbox() -> Iterator[MakeSandbox]:
    """Start sandboxes by `make_sandbox(**kwargs)`; no two share an id unless asked for, and all stop with the test."""
    with ExitStack() as stack:
        numbers = count()

        def make(**kwargs: Any) -> Sandbox:
            if number := next(numbers):
                kwargs.setdefault("ids", f"{kwargs.get('seed', 1)} {number}")
            return stack.enter_context(Sandbox(**kwargs))

        yield make


@pytest.fixture
def sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    """A small workspace, served."""
    return make_sandbox(seed=1)


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    """A plain client of `sandbox`."""
    return Client(sandbox)
