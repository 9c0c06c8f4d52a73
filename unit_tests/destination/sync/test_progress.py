"""Where a long sync is: a line a minute per stream, and what is waited for; a short one says nothing."""

from __future__ import annotations

import pytest

from destination_vitally.objects.table import BY_NAME
from unit_tests.destination.syncs import Sync, account, record, state, status

A = {"GET /accounts/a": {"id": "A", "externalId": "a"}}


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged of the progress since the last look, in order."""
    found = [text for text in caplog.messages if "so far" in text or text.startswith(OTHERS)]
    caplog.clear()
    return found


OTHERS = ("0 requests", "1 requests", "2 requests", "Vitally has yet", "The list of", "Nothing is under way")


def after(sync: Sync, seconds: float, caplog: pytest.LogCaptureFixture) -> list[str]:
    sync.pass_time(seconds)
    return lines(caplog)


def test_a_sync_of_less_than_a_minute_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    sync = Sync(A, "accounts")
    sync.take(account())
    assert after(sync, 59.0, caplog) == []
    sync.done()
    assert lines(caplog) == []


def test_a_minute_later_each_stream_says_what_has_become_of_its_rows(caplog: pytest.LogCaptureFixture) -> None:
    sync = Sync(A, "accounts", "users", requests_per_minute=100)
    sync.take(account(), account(""), state("accounts", 1))
    sync.pass_time(21.0)
    sync.writer._lanes.drain()
    caplog.clear()
    assert after(sync, 40.0, caplog) == [
        "Stream accounts, so far: 2 rows received, 1 accepted, 1 rejected, 0 under way.",
        "1 requests since the last such line, 1 % of Requests per minute (requests_per_minute).",
        "Nothing is under way, and no row has arrived for 0 s.",
    ]
    assert after(sync, 59.0, caplog) == []
    assert after(sync, 1.0, caplog) == [
        "0 requests since the last such line, 0 % of Requests per minute (requests_per_minute).",
        "Nothing is under way, and no row has arrived for 60 s.",
    ]


def test_what_waits_for_another_row_is_said_with_what_it_waits_for(caplog: pytest.LogCaptureFixture) -> None:
    sync = Sync({"GET /accounts/a": 404}, "users", "accounts")
    sync.take(record("users", {"externalId": "u", "accountId": "a"}), state("users", 1))
    sync.take(status("users", "COMPLETE"))
    assert after(sync, 61.0, caplog)[:1] == [
        "Stream users, so far: 1 rows received, 1 under way; all have arrived.",
    ]
    assert after(sync, 61.0, caplog)[0] == (
        "Stream users, so far: 1 rows received, 1 under way, 1 of them waiting for a row of account; all have arrived."
    )


def test_what_vitally_has_yet_to_show_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """Given a note by REST of an account that a batch has brought, when Vitally does not show it, then it is said."""
    note = record("notes", {"externalId": "n", "accountId": "a", "note": "N", "noteDate": "2026-01-01T00:00:00Z"})
    sync = Sync({"GET /accounts/a": 404}, "accounts", "notes")
    with pytest.raises(Exception, match="none of its 1 rows"):
        sync.done(account(), note)
    said = lines(caplog)
    assert any(
        text.startswith("Vitally has yet to show 1 rows of account that it took, the oldest for ") for text in said
    )
    assert sum(text.startswith("Stream notes, so far: 1 rows received, 1 under way") for text in said) >= 9


def test_a_list_that_is_read_for_long_is_said(caplog: pytest.LogCaptureFixture) -> None:
    sync = Sync(A, "accounts")
    asking = sync.writer._rows.asking
    listing = asking.lists.of(BY_NAME["account"]) if asking else None
    assert listing is not None
    listing.pages_read = 7
    assert "The list of /accounts is being read, page 7 of it." in after(sync, 60.0, caplog)
    sync.writer.close()


def test_a_mirror_and_the_wait_for_the_budget_are_said(caplog: pytest.LogCaptureFixture) -> None:
    sync = Sync(A, "accounts")
    sync.writer.mirrors.so_far = lambda: "The list of a mirror."
    with sync.writer._progress._limiter._in_line(is_first=False):
        assert after(sync, 60.0, caplog) == [
            "0 requests since the last such line, 0 % of Requests per minute (requests_per_minute); 1 wait for their "
            "turn.",
            "The list of a mirror.",
        ]
    assert after(sync, 60.0, caplog)[0].endswith("(requests_per_minute).")
    caplog.clear()
    sync.parts.clock.wait(60.0)
    sync.writer.mirrors.beat()
    assert lines(caplog)[-1] == "The list of a mirror.", "it is said while its list is read"
    sync.writer.close()


@pytest.mark.parametrize("pace", [1, 0])
def test_how_long_it_will_take_is_said_where_all_rows_have_arrived(pace: int, caplog: pytest.LogCaptureFixture) -> None:
    sync = Sync(A | {"DELETE /accounts/a": {"success": True}}, "accounts", allow_deletes=True)
    tally = next(iter(sync.writer._ledger.tallies.values()))
    sync.take(status("accounts", "COMPLETE"))
    tally.received, tally.outcomes["accepted"] = 10, pace * 4
    left = f"{10 - pace * 4} under way; all have arrived" + (", about 2 min left at this pace." if pace else ".")
    assert after(sync, 60.0, caplog)[0].endswith(left)
    sync.writer.close()
