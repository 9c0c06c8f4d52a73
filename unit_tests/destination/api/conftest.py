"""What the tests of the way to Vitally share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests_mock

from unit_tests.destination.api.served import GOOD, Vitally


@pytest.fixture
def vitally() -> Iterator[Vitally]:
    with requests_mock.Mocker() as mock:
        made = Vitally(mock)
        made.answers(GOOD)
        made.answers(GOOD, path="/probe")
        yield made
