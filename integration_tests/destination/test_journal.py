"""The journal: every change is announced in it before it is sent, with what was there before, and has its outcome."""

from __future__ import annotations

import gzip
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import orjson
import pytest

from destination_vitally import destination
from destination_vitally.errors import OutageError
from destination_vitally.objects.model import Lookup
from destination_vitally.sync import window
from integration_tests.destination.journaled import STORAGE, KeptBucket
from integration_tests.destination.stores import served_store
from integration_tests.destination.test_matrix import FAMILIES, ways_of_family
from integration_tests.destination.ways import Way, record_of
from integration_tests.destination.world import World
from integration_tests.harness import (
    FORKED_DESTINATION,
    Json,
    QuickClock,
    destination_config,
    record,
    run_process,
    state,
    stream,
    write,
    write_chunks,
)
from integration_tests.sandbox import Fault, Maker, Sandbox

UNREAD = ("membership", "event", "meeting_participant", "meeting_transcript")
"""Of these no row can be read."""

HIDDEN = ("avatar", "messages", "participants")
"""What Vitally does not show of a row in a form that tells what was there."""

WAYS = [(way, getattr(family, "SAMPLES", {})) for family in FAMILIES for way in ways_of_family(family)]


@pytest.fixture
def bucket(sandbox: Sandbox) -> Iterator[KeptBucket]:
    """A bucket that each sync of the test writes to."""
    kept = KeptBucket(sandbox)
    with patch.object(destination, "open_bucket", lambda storage: kept):
        yield kept


def journaling(sandbox: Sandbox, how: str = "changes", **more: Any) -> Json:
    """Return settings with a journal."""
    return destination_config(sandbox, object_storage_config=STORAGE, journal=how, allow_deletes=True, **more)


def mapped(name: str, operation: str, **more: Any) -> list[Json]:
    return [{"stream": "rows", "object": name, "operation": operation, "other_columns": "traits", **more}]


@pytest.mark.parametrize(
    ("way", "samples"),
    [one for one in WAYS if not one[0].nothing],
    ids=[str(way) for way, _ in WAYS if not way.nothing],
)
def test_every_way_to_write_a_row_is_announced(way: Way, samples: Any, sandbox: Sandbox, bucket: KeptBucket) -> None:
    world = World(sandbox, way.entry, way.is_there, samples)
    given, _ = record_of(way, world)
    sandbox.clock.advance(3600)
    if way.key and not way.key.documented:
        sandbox.switches.also_by_external_id = frozenset({world.resource})

    result = write(
        journaling(sandbox, mappings=mapped(world.name, way.operation)), [stream("rows")], [record("rows", given)]
    )

    assert result.counts("rows")["accepted"] == 1, result.log
    assert bucket.unannounced() == []
    [intent], [outcome] = bucket.intents(), [one for one in bucket.outcomes() if one.outcome != "waiting"]
    assert (intent.seq, intent.line, intent.stream, intent.object) == (outcome.seq, 1, "rows", world.name)
    assert (outcome.outcome, intent.operation) == ("accepted", way.operation)
    if way.entry.name in UNREAD:
        return
    # A row below another parent than the one that is named is not looked for.
    assert intent.existed in {way.is_there, None if way.entry.can_look_up(Lookup.IN_PARENT) else way.is_there}
    effect = "deleted" if way.operation == "delete" else "updated" if way.is_there else "created"
    assert outcome.effect == (None if intent.route == "batch" else effect)
    if way.operation == "delete":
        assert intent.row
        assert intent.id in (intent.row["id"], None)
    for value in intent.values:
        assert value.known or intent.existed is None or value.name in HIDDEN, value.name


ACCOUNTS = [
    record("accounts", {"externalId": f"a-{n}", "name": f"Name {n}", "plan": "Gold", "secret_remark": f"remark-{n}"})
    for n in range(30)
]


def there(sandbox: Sandbox, count: int = 10) -> None:
    """Let there be accounts of an hour ago."""
    for n in range(count):
        sandbox.workspace.insert("accounts", {"externalId": f"a-{n}", "name": f"Old {n}", "traits": {"plan": "Silver"}})
    sandbox.clock.advance(3600)


@pytest.mark.parametrize("keys", [{}, {"analytics_token": None}], ids=["both keys", "by REST"])
@pytest.mark.parametrize("verify", ["none", "sample", "all"])
def test_what_was_there_before_and_what_became_of_it(
    keys: Json, verify: str, sandbox: Sandbox, bucket: KeptBucket
) -> None:
    there(sandbox)
    settings = journaling(sandbox, verify=verify, **keys)
    settings = {name: value for name, value in settings.items() if value is not None}
    result = write(settings, [stream("accounts")], [*ACCOUNTS, state("accounts", 1)])

    assert result.error is None, result.log
    assert bucket.unannounced() == []
    intents = bucket.intents()
    assert [one.existed for one in intents] == [n < 10 for n in range(30)]
    values = {(value.name, value.before, value.sent, value.known) for value in intents[3].values}
    assert ("name", "Old 3", "Name 3", True) in values
    assert ("plan", "Silver", "Gold", True) in values
    assert ("secret_remark", None, "remark-3", True) in values
    finished = [one for one in bucket.outcomes() if one.landed_at is None or verify == "all"]
    assert sorted(one.seq for one in finished) == [one.seq for one in intents]
    assert {one.outcome for one in finished} == {"accepted"}
    assert all(one.taken_at for one in finished)
    seen = {one.seq: one.seen for one in bucket.outcomes() if one.seen}
    least = 30 if keys or verify == "all" else 1 if verify == "sample" else 0
    assert len(seen) >= least
    for seq, shown in seen.items():
        assert shown["name"] == f"Name {seq - 1}"
        assert shown["traits.plan"] == "Gold"


def test_the_value_before_is_the_one_of_the_moment(
    sandbox: Sandbox, bucket: KeptBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a list that was read for the first slice, when somebody edits a row before the second, that is known."""
    there(sandbox, 30)
    monkeypatch.setattr(window, "SLICE", 15)
    clock = QuickClock()
    [row] = [one for one in sandbox.workspace.rows("accounts") if one["externalId"] == "a-20"]

    def edit(_: Any) -> None:
        sandbox.workspace.update("accounts", row["id"], {"name": "By hand"})
        clock.wait(60)

    sandbox.makers.add(Maker(edit, "accounts/a-0", "PUT", "after", 1))
    settings = journaling(sandbox, num_workers=1)
    del settings["analytics_token"]
    write(settings, [stream("accounts")], ACCOUNTS, clock=clock)

    before = {one.key["externalId"]: one.values[0].before for one in bucket.intents()}
    assert (before["a-19"], before["a-20"], before["a-21"]) == ("Old 19", "By hand", "Old 21")
    assert sandbox.journal.count("accounts/a-20$", "GET") == 0, "the list has shown it"


def test_a_state_never_passes_an_outcome_that_is_not_stored(sandbox: Sandbox, bucket: KeptBucket) -> None:
    settings = journaling(sandbox, "outcomes")
    lines: list[Json] = []
    for number, row in enumerate(ACCOUNTS):
        lines += [row, state("accounts", number)]
    covered = 0

    def at_each_state(given: Json) -> None:
        nonlocal covered
        covered += 1
        assert len({one.seq for one in bucket.outcomes()}) >= given["state"]["id"] + 1

    chunks = ([orjson.dumps(line)] for line in lines)
    for given in write_chunks(settings, [stream("accounts")], chunks):
        at_each_state(given)
    assert covered == 30


def test_outcomes_alone_have_no_values(sandbox: Sandbox, bucket: KeptBucket) -> None:
    there(sandbox)
    bad = record("accounts", {"name": "no key"})
    result = write(journaling(sandbox, "outcomes"), [stream("accounts")], [*ACCOUNTS[:12], bad, ACCOUNTS[0]])
    assert bucket.unannounced() == []
    assert all(not one.values and not one.links and one.existed is None for one in bucket.intents())
    assert sandbox.journal.count("accounts", "GET") <= 12, "nothing is read for it but what landed"
    outcomes = Counter(one.outcome for one in bucket.outcomes() if one.landed_at is None)
    counts = result.counts("accounts")
    assert outcomes == {name: counts[name] for name in ("accepted", "superseded", "rejected")}
    [rejected] = [one for one in bucket.outcomes() if one.outcome == "rejected"]
    assert rejected.record == bad["record"]
    assert "externalId" in str(rejected.reason)
    contents = b"".join(gzip.decompress(body) for key, body in bucket.files.items() if key.startswith("journal/"))
    assert b"remark-" not in contents


def test_what_cannot_be_announced_is_not_sent(sandbox: Sandbox, bucket: KeptBucket) -> None:
    bucket.fails = OutageError("The store fails. Try again later.")
    result = write(journaling(sandbox), [stream("accounts")], [*ACCOUNTS, state("accounts", 1)])
    assert result.errors == ["The store fails. Try again later."]
    assert not sandbox.journal.matching(method="POST")
    assert not result.states()


def test_a_dry_run_announces_and_shows_the_first_rows_without_values(sandbox: Sandbox, bucket: KeptBucket) -> None:
    there(sandbox)
    result = write(journaling(sandbox, dry_run=True), [stream("accounts")], [*ACCOUNTS, state("accounts", 1)])
    assert result.error is None
    assert [one.existed for one in bucket.intents()] == [n < 10 for n in range(30)]
    assert bucket.outcomes() == []
    assert not [request for request in sandbox.journal if request.method != "GET"]
    shown = [line for line in result.logs() if line.startswith("Dry run, stream accounts: ")]
    updated = "Dry run, stream accounts: account 'a-0' would be updated: name, traits.plan, traits.secret_remark."
    assert updated in shown
    assert Counter(line.split(" would be ")[1].split(":")[0] for line in shown) == {"updated": 5, "created": 5}
    assert "remark-" not in result.log
    assert "Name " not in result.log


def test_a_dry_run_without_a_journal_stores_nothing(sandbox: Sandbox, bucket: KeptBucket) -> None:
    result = write(journaling(sandbox, "none", dry_run=True), [stream("accounts")], ACCOUNTS)
    assert not bucket.files
    assert any("account 'a-0' would be created: name, traits.plan" in line for line in result.logs())


def test_parents_that_are_created_for_rows_are_announced(sandbox: Sandbox, bucket: KeptBucket) -> None:
    note = record("notes", {"externalId": "n", "note": "x", "noteDate": "2026-01-01", "accountId": "nobody"})
    result = write(journaling(sandbox, unknown_parents="create"), [stream("notes")], [note])
    assert result.counts("notes")["accepted"] == 1
    assert bucket.unannounced() == []
    [parent] = [one for one in bucket.intents() if one.object == "account"]
    assert (parent.operation, parent.existed, parent.line, parent.stream) == ("create", False, None, None)
    [created] = [one for one in bucket.outcomes() if one.seq == parent.seq]
    row = sandbox.workspace.find("accounts", "nobody")
    assert row
    assert (created.effect, created.id) == ("created", row["id"])


def test_rows_that_wait_for_their_parents_are_announced_anew(sandbox: Sandbox, bucket: KeptBucket) -> None:
    user = record("users", {"externalId": "u", "name": "Ada", "accountIds": ["a-0"]})
    streams = [stream("users"), stream("accounts")]
    result = write(journaling(sandbox), streams, [user, *ACCOUNTS[:1]])
    assert result.counts("users")["accepted"] == 1
    assert bucket.unannounced() == []


def test_only_what_is_not_as_sent_is_announced_where_only_changes_are_sent(
    sandbox: Sandbox, bucket: KeptBucket
) -> None:
    there(sandbox)
    same = [record("accounts", {"externalId": f"a-{n}", "name": f"Old {n}", "plan": "Silver"}) for n in range(9)]
    settings = journaling(sandbox, skip_unchanged=True)
    result = write(settings, [stream("accounts")], [*same, ACCOUNTS[9], ACCOUNTS[0], same[0]])
    assert result.counts("accounts")["unchanged"] == 9, result.log
    assert bucket.unannounced() == []
    assert Counter(one.outcome for one in bucket.outcomes()).get("unchanged") == 9
    assert [one.line for one in bucket.intents()] == [10, 11, 12]


def test_an_analytics_key_alone_keeps_outcomes(sandbox: Sandbox, bucket: KeptBucket) -> None:
    settings = journaling(sandbox, "outcomes")
    del settings["secret_token"]
    write(settings, [stream("accounts")], ACCOUNTS)
    assert bucket.unannounced() == []
    assert len({one.seq for one in bucket.outcomes()}) == 30
    trailers = [line.trailer for key in bucket.journals() for line in bucket.lines(key) if line.trailer]
    assert {trailer.hmac for trailer in trailers} == {None}


@pytest.mark.parametrize("status", [400, 500])
def test_a_rejection_has_its_status(status: int, sandbox: Sandbox, bucket: KeptBucket) -> None:
    there(sandbox)
    sandbox.faults.add(Fault(path="accounts/a-3", method="PUT", status=status, times=None))
    settings = journaling(sandbox)
    del settings["analytics_token"]
    write(settings, [stream("accounts")], ACCOUNTS[:6])
    [rejected] = [one for one in bucket.outcomes() if one.outcome == "rejected"]
    assert (rejected.label, rejected.status, rejected.effect) == ("account 'a-3'", status, None)


def test_a_process_that_is_killed_has_announced_what_it_sent(sandbox: Sandbox) -> None:
    """Given a process that is killed while it writes, whatever it has sent is in the bucket."""
    there(sandbox)
    sandbox.switches.latency = 0.1  # so that it is not done before it is killed
    with served_store() as store:
        settings = {**journaling(sandbox, num_workers=4), "object_storage_config": store.settings()}
        del settings["analytics_token"]
        run = run_process(
            FORKED_DESTINATION,
            "write",
            config=settings,
            catalog={"streams": [stream("accounts")]},
            stdin=[orjson.dumps(one) for one in ACCOUNTS],
            when=lambda: len(sandbox.journal.matching(method="PUT")) >= 6,
            ending=signal.SIGKILL,
        )
        assert run.exit_code == -signal.SIGKILL
        bucket = KeptBucket(sandbox)
        for key, body in store.files().items():
            bucket.put(key.removeprefix("airbyte/vitally/"), body)
    bucket.answered = dict.fromkeys(bucket.answered, 0)
    assert len(sandbox.journal.matching(method="PUT")) >= 6
    assert bucket.unannounced() == []
    assert len(bucket.intents()) == len(ACCOUNTS)


@pytest.mark.parametrize("is_batch", [True, False])
def test_nobody_claims_to_know_a_row_that_the_slice_itself_deletes(
    is_batch: bool, sandbox: Sandbox, bucket: KeptBucket
) -> None:
    there(sandbox)
    settings = journaling(sandbox)
    if not is_batch:
        del settings["analytics_token"]
    deleted = record("accounts", {"externalId": "a-1", "_ab_cdc_deleted_at": "2026-01-01T00:00:00Z"})
    write(settings, [stream("accounts")], [deleted, ACCOUNTS[1], ACCOUNTS[2]])
    delete, again, other = bucket.intents()
    assert (delete.existed, again.existed, other.existed) == (True, None, True)
    assert not any(value.known for value in again.values)
    effects = {one.seq: one.effect for one in bucket.outcomes() if one.landed_at is None}
    assert effects == {1: "deleted", 2: None if is_batch else "created", 3: None if is_batch else "updated"}
