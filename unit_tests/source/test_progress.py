"""What long syncs say of themselves, by a clock that the test sets."""

from __future__ import annotations

import logging
from threading import Event, Thread

import pytest

from source_vitally.progress import Progress


def said(progress: Progress, caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.clear()
    with caplog.at_level(logging.INFO, "airbyte"):
        progress.say()
    return [entry.getMessage() for entry in caplog.records]


def test_a_stream_says_each_minute_where_it_is(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    progress = Progress(lambda: now)
    progress.begin(100)
    for _ in range(50):
        progress.sent()
        progress.arrived("tasks", 100)
    now = 59.0
    assert said(progress, caplog) == [], "a sync of less than a minute is quiet"
    now = 60.0
    assert said(progress, caplog) == ["Stream tasks: 5,000 rows received in 1 min. 50 % of the request limit in use."]
    now = 110.0
    progress.arrived("tasks", 1)
    with progress.waiting("an answer", "tasks"), progress.waiting("its turn within the request limit"):
        now = 120.0
        assert said(progress, caplog) == [
            "Stream tasks: 5,001 rows received in 2 min; waiting for its turn within the request limit for 10 s. "
            "0 % of the request limit in use."
        ]
    now = 180.0
    assert said(progress, caplog) == [], "a stream that asks for nothing any longer has ended"


def test_of_several_threads_the_longest_wait_is_said(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    progress = Progress(lambda: now)
    progress.begin(100)
    begun, over = Event(), Event()

    def wait() -> None:
        with progress.waiting("the next try, after HTTP 503,", "notes"):
            begun.set()
            over.wait(30)

    thread = Thread(target=wait)
    thread.start()
    assert begun.wait(30)
    now = 50.0
    with progress.waiting("an answer", "notes"):
        now = 70.0
        [line] = said(progress, caplog)
    over.set()
    thread.join()
    assert line.startswith("Stream notes: 0 rows received in 1 min; waiting for the next try, after HTTP 503, for 70 s")
