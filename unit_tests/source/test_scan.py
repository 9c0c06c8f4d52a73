"""The six rules of reading a mutable, newest-first list, driven against a model of such a list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_vitally.failures import Failure
from source_vitally.scan import (
    MAX_RESTARTS,
    Scan,
    ScanError,
    ScanState,
    ServerClock,
)
from unit_tests.source.feed_model import EPOCH, NO_LOOK_BACK, FeedModel, read, step, time_of

CHANGES = st.lists(
    st.tuples(st.integers(1, 8), st.sampled_from(["edit", "insert", "delete"]), st.integers(0, 40)), max_size=25
)


def apply(model: FeedModel, changes: list[Any], page: int, deleted: set[int]) -> None:
    for at, what, index in changes:
        alive = [key for key in model.rows if key not in deleted]
        if at != page or (what != "insert" and not alive):
            continue
        if what == "insert":
            model.insert()
        elif what == "edit":
            model.edit(alive[index % len(alive)])
        else:
            key = alive[index % len(alive)]
            deleted.add(key)
            model.rows[key] = (-1, -1, 0)


def latest(copy: dict[int, int], rows: list[Any]) -> None:
    for key, _, version in rows:
        copy[key] = max(version, copy.get(key, 0))


def alive(model: FeedModel, deleted: set[int]) -> dict[int, int]:
    return {key: version for key, (_, _, version) in model.rows.items() if key not in deleted}


@given(size=st.integers(0, 30), limit=st.integers(1, 5), syncs=st.lists(CHANGES, min_size=1, max_size=4))
def test_no_row_and_no_edit_is_lost_however_the_list_changes(size: int, limit: int, syncs: list[list[Any]]) -> None:
    model, deleted, copy, state = FeedModel(limit=limit), set[int](), dict[int, int](), ScanState()
    for _ in range(size):
        model.insert()
    before = set(alive(model, deleted))
    for number, changes in enumerate(syncs):
        rows, state = read(model, state, lambda page, _, c=changes: apply(model, c, page, deleted))
        latest(copy, rows)
        if number == 0:
            assert before - deleted <= copy.keys(), "a row that lived through the first scan is missing from it"
    rows, state = read(model, state)
    latest(copy, rows)
    assert {key: copy.get(key) for key in alive(model, deleted)} == alive(model, deleted)


@given(
    size=st.integers(0, 30),
    limit=st.integers(1, 5),
    syncs=st.lists(CHANGES, min_size=1, max_size=4),
    order=st.sampled_from(["as asked", "created", "updated", "other"]),
)
def test_a_list_of_unknown_order_loses_nothing_whatever_its_order_is(
    size: int, limit: int, syncs: list[list[Any]], order: str
) -> None:
    model, deleted, copy, state = FeedModel(limit=limit, order=order), set[int](), dict[int, int](), ScanState()
    for _ in range(size):
        model.insert()
    for changes in syncs:
        rows, state = read(
            model, state, lambda page, _, c=changes: apply(model, c, page, deleted), is_order_known=False
        )
        latest(copy, rows)
    rows, _ = read(model, state, is_order_known=False)
    latest(copy, rows)
    assert {key: copy.get(key) for key in alive(model, deleted)} == alive(model, deleted)


@given(
    size=st.integers(0, 30),
    limit=st.integers(1, 5),
    edits=st.lists(st.integers(0, 40), max_size=12),
    order=st.sampled_from(["created", "other"]),
)
def test_a_list_that_is_seen_to_ignore_the_order_is_read_to_its_end(
    size: int, limit: int, edits: list[int], order: str
) -> None:
    model, copy = FeedModel(limit=limit, order=order), dict[int, int]()
    for _ in range(size):
        model.insert()
    rows, state = read(model, ScanState())
    latest(copy, rows)
    for index in edits[:size]:
        model.edit(1 + index % size)
    scans: list[Scan] = []
    rows, after = read(model, state, lambda _, scan: scans.append(scan))
    latest(copy, rows)
    if not scans[-1].in_order:
        assert {key: copy.get(key) for key in model.rows} == alive(model, set())
        assert after.watermark is not None
        assert after.watermark <= time_of(model.now)


def test_an_edit_deep_in_a_list_that_ignores_the_order_is_found() -> None:
    model = FeedModel(limit=3, order="created")
    for _ in range(12):
        model.insert()
    model.edit(11)
    model.edit(12)  # now the first page is not in order by update
    model.edit(11)
    _, state = read(model, ScanState())
    model.edit(1)
    started = model.now
    rows, state = read(model, state)
    assert 1 in {key for key, _, _ in rows}
    assert state.watermark is not None
    assert state.watermark <= time_of(started + 100), "the scan's start: what it passed may have been edited since"


def test_a_list_of_unknown_order_never_stops_early_and_is_asked_for_by_creation() -> None:
    scan = Scan(ScanState(EPOCH), timedelta(), is_order_known=False)
    assert scan.sort_by == "createdAt"
    scan.page([EPOCH - timedelta(days=1)], "more", ServerClock(EPOCH, EPOCH))
    assert not scan.finished
    scan.page([EPOCH + timedelta(hours=1)], None, ServerClock(EPOCH, EPOCH))
    assert scan.result().watermark == EPOCH


@given(
    size=st.integers(1, 30),
    kill_after=st.integers(1, 12),
    before=CHANGES,
    after=CHANGES,
    expired=st.booleans(),
)
def test_an_interrupted_first_scan_goes_on_and_loses_nothing(
    size: int, kill_after: int, before: list[Any], after: list[Any], expired: bool
) -> None:
    model, deleted, copy, kept = FeedModel(), set[int](), dict[int, int](), [ScanState()]
    for _ in range(size):
        model.insert()

    class Killed(Exception):  # noqa: N818
        pass

    def until_killed(page: int, scan: Scan) -> None:
        apply(model, before, page, deleted)
        kept.append(scan.checkpoint())
        if page == kill_after:
            raise Killed

    first: list[Any] = []
    try:
        rows, state = read_into(first, model, until_killed)
    except Killed:
        state = ScanState.from_json(kept[-1].as_json("updatedAt"), "updatedAt")
        if expired:
            model.rejections = 1
        rows, state = read(model, state, lambda page, _: apply(model, after, page, deleted))
    latest(copy, first)
    latest(copy, rows)
    rows, _ = read(model, state)
    latest(copy, rows)
    assert {key: copy.get(key) for key in alive(model, deleted)} == alive(model, deleted)


def read_into(rows: list[Any], model: FeedModel, between: Any) -> tuple[list[Any], ScanState]:
    """Read, keeping what was emitted before an interruption."""
    page = model.page
    model.page = lambda *args: keep(rows, page(*args))  # type: ignore[method-assign]
    try:
        return read(model, ScanState(), between)
    finally:
        model.page = page  # type: ignore[method-assign]


def keep(rows: list[Any], answer: Any) -> Any:
    rows += answer[0]
    return answer


def test_a_first_scan_is_ordered_by_creation_and_leaves_its_start() -> None:
    model = FeedModel()
    for _ in range(7):
        model.insert()
    asked: list[str | None] = []
    started = model.now

    def edit_a_row_that_was_read_then_one_that_was_not(page: int, scan: Scan) -> None:
        asked.append(scan.sort_by)
        model.edit(7, tick=1)
        model.edit(1, tick=1)  # too soon to be dated after the server's clock

    _, state = read(model, ScanState(), edit_a_row_that_was_read_then_one_that_was_not)
    assert set(asked) == {"createdAt"}
    assert state.watermark is not None
    assert state.watermark <= time_of(started + 200)
    rows, _ = read(model, state)
    assert (7, model.rows[7][1], 4) in rows


def test_an_incremental_scan_takes_pages_for_the_changes_only() -> None:
    model = FeedModel(limit=10)
    for _ in range(500):
        model.insert()
    _, state = read(model, ScanState())
    model.tick(60_000)
    for key in range(1, 13):
        model.edit(key)
    model.requests = 0
    rows, state = read(model, state)
    assert {key for key, _, _ in rows} - {500, 499} == set(range(1, 13))
    assert model.requests == 2
    assert state.watermark == time_of(model.rows[12][1])


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (timedelta(days=1), "the server's clock"),
        (timedelta(seconds=1), "the server's clock"),
        (timedelta(milliseconds=999), "the row"),
    ],
)
def test_only_a_row_dated_after_the_servers_clock_is_no_watermark(ahead: timedelta, expected: str) -> None:
    clock = ServerClock(EPOCH - timedelta(milliseconds=80), EPOCH)
    scan = Scan(ScanState(EPOCH - timedelta(days=3)), timedelta())
    scan.page([EPOCH + ahead, EPOCH - timedelta(days=4)], "next", clock)
    assert scan.finished
    assert scan.result().watermark == (clock.asked if expected == "the server's clock" else EPOCH + ahead)


def test_the_newest_row_is_the_watermark_when_it_is_older_than_the_scan() -> None:
    scan = Scan(ScanState(), timedelta())
    scan.page([EPOCH - timedelta(days=9)], None, ServerClock(EPOCH, EPOCH))
    assert scan.result().watermark == EPOCH - timedelta(days=9)


def test_without_a_server_clock_the_first_page_dates_the_scan() -> None:
    scan = Scan(ScanState(), timedelta())
    scan.page([EPOCH], "a", None)
    scan.page([EPOCH + timedelta(hours=1)], None, None)
    assert scan.result().watermark == EPOCH


def test_an_empty_list_leaves_no_watermark() -> None:
    scan = Scan(ScanState(), timedelta())
    scan.page([], None, ServerClock(EPOCH, EPOCH))
    assert scan.result() == ScanState()
    assert scan.result().as_json("updatedAt") == {}


def test_a_watermark_never_moves_back_or_before_the_scan_has_finished() -> None:
    scan = Scan(ScanState(EPOCH), timedelta(minutes=10))
    with pytest.raises(ScanError):
        scan.result()
    scan.page([EPOCH - timedelta(minutes=5)], None, ServerClock(EPOCH, EPOCH))
    assert scan.result().watermark == EPOCH


def test_rows_without_a_time_are_kept_and_stop_nothing() -> None:
    scan = Scan(ScanState(EPOCH), timedelta())
    assert scan.wants(None)
    scan.page([None], "next", None)
    assert not scan.finished


def test_short_and_empty_pages_do_not_end_a_scan_while_next_says_otherwise() -> None:
    scan = Scan(ScanState(), timedelta())
    for token in ("a", "b", "c"):
        scan.page([], token, None)
        assert not scan.finished
    scan.page([EPOCH], None, None)
    assert scan.finished


def test_a_page_that_ends_with_the_floor_may_go_on_with_rows_of_the_same_instant() -> None:
    scan = Scan(ScanState(EPOCH), timedelta())
    scan.page([EPOCH, EPOCH], "more", None)
    assert not scan.finished
    scan.page([EPOCH, EPOCH - timedelta(milliseconds=1)], "more", None)
    assert scan.finished


def test_after_a_restart_the_list_has_its_cursors_again_and_the_scan_its_first_start() -> None:
    scan = Scan(ScanState(), timedelta())
    scan.page([EPOCH], "a", ServerClock(EPOCH, EPOCH))
    scan.restart()
    later = EPOCH + timedelta(hours=1)
    scan.page([later], "a", ServerClock(later, later))
    scan.page([later], None, ServerClock(later, later))
    assert scan.result().watermark == EPOCH


def test_only_a_first_scan_is_resumed() -> None:
    scan = Scan(ScanState(EPOCH, failed={"x": Failure()}), timedelta())
    del scan.failed["x"]
    scan.page([EPOCH + timedelta(hours=1)], "more", None)
    assert scan.checkpoint() == scan.state == ScanState(EPOCH, failed={"x": Failure()})


@pytest.mark.parametrize("tokens", [["a", "a"], ["a", "b", "a"]])
def test_a_repeated_cursor_is_an_error(tokens: list[str]) -> None:
    scan = Scan(ScanState(), timedelta())
    for token in tokens[:-1]:
        scan.page([EPOCH], token, None)
    with pytest.raises(ScanError, match="already given"):
        scan.page([EPOCH], tokens[-1], None)


def test_a_list_that_rejects_its_cursors_for_ever_is_an_error() -> None:
    scan = Scan(ScanState(), timedelta())
    for _ in range(MAX_RESTARTS):
        scan.restart()
    with pytest.raises(ScanError, match="rejected"):
        scan.restart()


def test_the_look_back_and_the_start_date_bound_what_is_wanted() -> None:
    incremental = Scan(ScanState(EPOCH), timedelta(minutes=10))
    assert incremental.wants(EPOCH - timedelta(minutes=10))
    assert not incremental.wants(EPOCH - timedelta(minutes=10, milliseconds=1))
    bounded = Scan(ScanState(EPOCH), timedelta(days=9), start=EPOCH - timedelta(days=1))
    assert bounded.floor == EPOCH - timedelta(days=1)
    first = Scan(ScanState(), timedelta(minutes=10), start=EPOCH)
    assert first.wants(EPOCH)
    assert not first.wants(EPOCH - timedelta(milliseconds=1))


def test_a_list_that_refuses_an_order_is_read_whole_and_leaves_its_start() -> None:
    scan = Scan(ScanState(EPOCH - timedelta(days=2)), timedelta())
    scan.restart(sorted_by_server=False)
    assert scan.sort_by is None
    scan.page([EPOCH - timedelta(days=3)], "more", ServerClock(EPOCH, EPOCH))
    assert not scan.finished
    scan.page([EPOCH + timedelta(hours=1)], None, ServerClock(EPOCH + timedelta(hours=2), EPOCH + timedelta(hours=2)))
    assert scan.result().watermark == EPOCH


def test_a_clock_that_only_a_later_page_tells_is_not_that_of_the_start() -> None:
    model = FeedModel(limit=1)
    model.insert()
    model.insert()
    scan = Scan(ScanState(), NO_LOOK_BACK)
    step(model, scan, clock=False)
    model.insert(0)
    model.edit(1)
    while not scan.finished:
        step(model, scan)
    watermark = scan.result().watermark
    assert watermark is not None
    assert watermark <= time_of(model.rows[3][1]), "the row that came after the first page is not claimed"
