"""Scans that go on where an earlier one was broken off, and what a state remembers for them."""

from __future__ import annotations

from datetime import timedelta

from source_vitally.failures import Failure
from source_vitally.scan import Scan, ScanState, ServerClock
from unit_tests.source.feed_model import EPOCH


def resumed(query: str = "") -> Scan:
    scan = Scan(ScanState(), timedelta(), query=query)
    scan.page([EPOCH], "here", ServerClock(EPOCH, EPOCH))
    return Scan(ScanState.from_json(scan.checkpoint().as_json("updatedAt"), "updatedAt"), timedelta(), query=query)


def test_an_empty_page_is_not_the_end_of_a_resumed_scan() -> None:
    scan = resumed()
    assert scan.resumes
    scan.page([], None, ServerClock(EPOCH, EPOCH))
    assert (scan.finished, scan.token, scan.resumes) == (False, None, False)
    scan.page([], None, ServerClock(EPOCH, EPOCH))
    assert scan.finished, "the list is empty now"


def test_empty_pages_that_lead_nowhere_are_not_the_end_of_a_resumed_scan() -> None:
    scan = resumed()
    scan.page([], "there", None)
    assert not scan.resumes
    scan.page([], None, None)
    assert (scan.finished, scan.token) == (False, None)


def test_a_resumed_scan_that_finds_rows_ends_where_the_list_does() -> None:
    scan = resumed()
    scan.page([EPOCH], None, None)
    assert scan.finished


def test_rows_whose_details_failed_are_in_the_state_until_they_are_read() -> None:
    scan = Scan(ScanState(EPOCH), timedelta())
    scan.failed["x"] = Failure("2026-01-01T00:00:00.000Z", "HTTP 500")
    scan.page([EPOCH], None, None)
    saved = scan.result().as_json("updatedAt")
    assert saved == {"updatedAt": "2026-01-01T00:00:00.000Z", "failed": {"x": scan.failed["x"].as_json()}}
    again = Scan(ScanState.from_json(saved, "updatedAt"), timedelta())
    del again.failed["x"]
    again.page([EPOCH], None, None)
    assert again.result().as_json("updatedAt") == {"updatedAt": "2026-01-01T00:00:00.000Z"}


def test_an_unfinished_first_scan_remembers_the_newest_row_and_those_whose_details_failed() -> None:
    scan = Scan(ScanState(), timedelta())
    scan.failed["x"] = Failure()
    scan.page([EPOCH - timedelta(days=1)], "here", ServerClock(EPOCH, EPOCH))
    saved = scan.checkpoint().as_json("updatedAt")
    again = Scan(ScanState.from_json(saved, "updatedAt"), timedelta())
    again.page([EPOCH - timedelta(days=9)], None, ServerClock(EPOCH, EPOCH))
    assert again.result() == ScanState(EPOCH - timedelta(days=1), failed={"x": Failure()})


def test_a_list_that_is_empty_now_leaves_the_watermark_and_what_failed() -> None:
    scan = Scan(ScanState(EPOCH, failed={"x": Failure()}), timedelta())
    scan.page([], None, ServerClock(EPOCH, EPOCH))
    assert scan.result() == ScanState(EPOCH, failed={"x": Failure()})


def test_a_scan_that_is_given_up_leaves_the_state_as_it_was() -> None:
    scan = Scan(ScanState(EPOCH), timedelta())
    scan.page([EPOCH + timedelta(days=1)], None, None)
    scan.give_up()
    assert scan.result() == ScanState(EPOCH)


def test_a_page_cursor_of_other_filters_is_not_used() -> None:
    scan = Scan(ScanState(), timedelta(), query="status=active")
    scan.page([EPOCH], "here", None)
    saved = ScanState.from_json(scan.checkpoint().as_json("updatedAt"), "updatedAt")
    assert Scan(saved, timedelta(), query="status=active").token == "here"
    assert Scan(saved, timedelta(), query="status=churned").token is None


def test_a_page_cursor_that_names_no_filters_is_of_a_list_without_any() -> None:
    assert Scan(ScanState.from_json({"resume": {"from": "here"}}, "updatedAt"), timedelta()).token == "here"
