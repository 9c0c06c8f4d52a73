"""An API that answers as a test says."""

from __future__ import annotations

from typing import Any

import requests
import requests_mock

from destination_vitally.api.http import (
    Api,
    Shared,
)
from destination_vitally.api.limiter import Limiter
from unit_tests.destination.api.test_http_pace import Clock

URL = "http://v.example/resources"
Answer = dict[str, Any]
GOOD: Answer = {"json": {"id": "1"}}


class Vitally:
    """An API on a clock that only waiting moves, and what it answers."""

    def __init__(self, mock: requests_mock.Mocker, jitter: float = 1.0) -> None:
        self.mock = mock
        self.clock = Clock()
        self.limiter = Limiter(100_000, self.clock)
        self.shared = Shared(requests.Session(), self.limiter, self.clock, jitter=lambda: jitter)
        self.api = Api("some_token", URL, "Basic example", self.shared, "/probe")

    def answers(self, *answers: Answer, path: str = "/things/1") -> None:
        """Give these answers one after the other, the last for ever."""
        self.mock.register_uri(requests_mock.ANY, URL + path, list(answers))

    def sent(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.mock.request_history]
