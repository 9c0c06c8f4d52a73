"""What may be deleted because a table lacks it, before anything is read or sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destination_vitally.errors import ConfigError, RejectedError
from destination_vitally.mapping.change import identity_of
from destination_vitally.mapping.mirroring import EVERYTHING, is_mirrorable
from destination_vitally.mapping.plan import StreamPlan
from destination_vitally.objects.table import OBJECTS
from unit_tests.destination.builders import configured, mapper, plans, settings

WHOLE: dict[str, Any] = {"generation_id": 3, "minimum_generation_id": 3, "sync_id": 8}


def test_what_can_be_mirrored_has_an_external_id_a_list_and_a_delete() -> None:
    possible = {entry.name for entry in OBJECTS if is_mirrorable(entry)}
    assert possible == {
        *("organization", "account", "user", "custom_object/*"),
        *("note", "task", "nps_response", "conversation", "meeting"),
    }


def test_each_object_that_destroys_what_is_below_says_so() -> None:
    """The second word is asked for wherever a delete takes other objects along."""
    for entry in OBJECTS:
        assert entry.destroys_below == ("everything that belongs only to it" in entry.on_delete)


@pytest.mark.parametrize("entry", [entry for entry in OBJECTS if is_mirrorable(entry)], ids=lambda entry: entry.name)
@pytest.mark.parametrize("word", ["delete", EVERYTHING])
def test_each_object_takes_one_of_the_two_words(entry: Any, word: str) -> None:
    name = entry.name.replace("*", "thing")
    operation = "upsert" if "upsert" in entry.operations else "create"
    mapping = {"stream": "t", "object": name, "operation": operation, "other_columns": "ignore", "missing_rows": word}
    chosen = settings(mappings=[mapping], allow_deletes=True)
    if entry.destroys_below == (word == EVERYTHING):
        [plan] = plans(chosen, configured("t", **WHOLE)).values()
        assert plan.mirror is not None
        assert plan.mirror.doubt == ""
    else:
        with pytest.raises(ConfigError, match=r"Missing rows \(missing_rows\) is"):
            plans(chosen, configured("t", **WHOLE))


def test_nothing_is_mirrored_unless_a_mapping_says_so() -> None:
    mapping = {"stream": "t", "object": "note", "other_columns": "ignore"}
    streams = [configured("t", **WHOLE), configured("accounts", **WHOLE)]
    assert all(
        plan.mirror is None for plan in plans(settings(mappings=[mapping], allow_deletes=True), *streams).values()
    )


ALLOWED: dict[str, Any] = {"allow_deletes": True}


def planned(
    name: str, word: str, operation: str = "upsert", stream: dict[str, Any] = WHOLE, **more: Any
) -> dict[Any, StreamPlan]:
    mapping = {"stream": "t", "object": name, "operation": operation, "other_columns": "ignore", "missing_rows": word}
    return plans(settings(mappings=[mapping], **more), configured("t", **stream))


@pytest.mark.parametrize(
    ("asked", "chosen", "problem"),
    [
        (
            ("project", "delete", "create"), ALLOWED,
            "is delete, but which rows of project are missing cannot be known. Set it to keep. Possible for: "
            "organization, account, user, custom_object/<name>, note, task, nps_response, conversation, meeting",
        ),
        (
            ("note", "delete", "delete"), ALLOWED,
            "is delete, but the rows of the stream are deleted themselves. Set it to keep, or choose another operation",
        ),
        (
            ("note", "delete", "upsert"), {},
            "is delete, but deletes are switched off. Switch Allow deletes (allow_deletes) on if you mean it, or "
            "set Missing rows (missing_rows) to "
            "keep",
        ),
        (
            ("user", "delete", "upsert"), {**ALLOWED, "secret_token": None},
            "is delete, and to delete user, the REST API key (secret_token) is needed",
        ),
        (
            ("account", "delete", "upsert"), ALLOWED,
            "is delete, and each delete permanently destroys the account and everything that belongs only to it. Set "
            "it to delete_with_everything_below if that is what you want, or to keep",
        ),
        (
            ("note", EVERYTHING, "upsert"), ALLOWED,
            "is delete_with_everything_below, but nothing else is below note. Set it to delete, or to keep",
        ),
        (
            ("account", EVERYTHING, "upsert"), {**ALLOWED, "unknown_parents": "create"},
            "is delete_with_everything_below, and Unknown accounts and organizations (unknown_parents) is create, "
            "so a row of account is created "
            "and deleted in turn. Change one",
        ),
    ],
)  # fmt: skip
def test_what_keeps_missing_rows_from_being_deleted_is_said(asked: Any, chosen: Any, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        planned(*asked, **chosen)
    assert caught.value.message == f"stream 't': Missing rows (missing_rows) {problem}"


@pytest.mark.parametrize("name", ["note", "user"])
def test_what_is_no_parent_may_be_mirrored_while_unknown_parents_are_made(name: str) -> None:
    [plan] = planned(name, "delete", unknown_parents="create", **ALLOWED).values()
    assert plan.mirror is not None


def test_what_will_be_deleted_is_said_before(caplog: pytest.LogCaptureFixture) -> None:
    planned("note", "delete", max_deletes_percent=7, **ALLOWED)
    assert (
        "Stream t: after a full refresh, rows of note in Vitally that have an externalId and are not in it are "
        "deleted, if they are 7 % at most. Each delete archives the note, which stays in Vitally "
        "with archivedAt set."
    ) in caplog.messages


NO_IDS = "the platform gives no generation ids, which would say that the whole table is read"
APPENDS = "its generation ids do not ask to replace what earlier syncs wrote: choose Full refresh and Overwrite"


@pytest.mark.parametrize(
    ("ids", "mode", "doubt"),
    [
        ((3, 3, 8), "full_refresh", ""),
        ((2, 2, 1), "full_refresh", ""),
        ((1, 1, 2), "full_refresh", ""),
        ((3, 3, 8), "incremental", "it is read incrementally, not as a full refresh"),
        ((None, 3, 8), "full_refresh", NO_IDS),
        ((3, None, 8), "full_refresh", NO_IDS),
        ((3, 3, None), "full_refresh", NO_IDS),
        ((1, 1, 1), "full_refresh", "its generation ids are all 1, as PyAirbyte fills them in where it knows nothing"),
        ((3, 0, 8), "full_refresh", APPENDS),
        ((0, 0, 8), "full_refresh", APPENDS),
        ((3, 2, 8), "full_refresh", APPENDS),
    ],
)
def test_whether_the_whole_table_is_read_the_catalog_says(ids: tuple[Any, ...], mode: str, doubt: str) -> None:
    stream = dict(zip(WHOLE, ids, strict=True)) | {"sync_mode": mode}
    [plan] = planned("note", "delete", stream=stream, **ALLOWED).values()
    assert plan.mirror
    assert plan.mirror.doubt == doubt


@pytest.mark.parametrize("order", [("t", "other"), ("other", "t")])
def test_streams_of_one_object_must_agree_on_what_becomes_of_missing_rows(order: tuple[str, str]) -> None:
    words = {"t": "delete", "other": "keep"}
    mappings = [
        {"stream": name, "object": "note", "other_columns": "ignore", "missing_rows": words[name]} for name in order
    ]
    streams = [configured(name, **WHOLE) for name in (*order, "events", "tasks")]
    with pytest.raises(ConfigError) as caught:
        plans(settings(mappings=mappings, **ALLOWED), *streams)
    assert caught.value.message == (
        "stream 't': Missing rows (missing_rows) deletes rows of note that are in no stream, but stream 'other' "
        "writes note too and "
        "does not say so. Set it in the mappings of both, or of none: a row counts as missing only if it is "
        "in neither."
    )


# The key of a row, whatever else is wrong with it

TWO_PARENTS = {"externalId": "n", "accountId": "a", "account_id": "a"}
NATIVE = {"id": "0f0d5a52-0000-4000-8000-000000000000", "createdAt": "2026-01-01", "updatedAt": "2026-01-01"}


@pytest.mark.parametrize(
    ("name", "mapping", "data", "identity"),
    [
        ("account", None, {"externalId": 7, "name": {"a": 1}}, ("account", "externalId", "7")),
        ("account", None, {"externalId": " A ", "id": "b"}, ("account", "externalId", "A")),
        ("account", None, {"id": "b", "name": {}}, ("account", "id", "b")),
        ("account", None, {"externalId": "..", "id": "b"}, None),
        ("account", None, {"id": "b", "externalId": ".."}, None),
        ("account", None, {"externalId": None, "name": "A"}, None),
        ("account", None, {"externalId": 1e300, "name": "A"}, None),
        ("account", None, {}, None),
        ("user", None, {"email": "A@B.c", "joinDate": "no"}, ("user", "email", "a@b.c")),
        (
            "note",
            {"fields": {"externalId": "key.inner"}},
            {"key": {"inner": "k"}, "noteDate": "?"},
            ("note", "externalId", "k"),
        ),
        ("note", {"fields": {"externalId": "key"}}, {"KEY": "k", "Key": "l"}, None),
        ("note", {"fields": {"externalId": "key"}}, {"KEY": "k", "Key": "l", "id": "b"}, None),
        ("note", {"constants": {"externalId": "always"}}, {"noteDate": "?"}, ("note", "externalId", "always")),
        (
            "account",
            {"fields": {"externalId": "key"}, "traits": [{"trait": "id", "column": "age", "cast": "number"}]},
            {"key": "k", "age": "no number"},
            ("account", "externalId", "k"),
        ),
        # Two columns have the name of one field, unless the row is Vitally's: there one of them may be inlined.
        ("note", None, TWO_PARENTS, None),
        ("note", None, {**TWO_PARENTS, **NATIVE}, ("note", "externalId", "n")),
        ("note", {"fields": {"externalId": "key"}}, {**TWO_PARENTS, **NATIVE, "key": "k"}, None),
    ],
)
def test_the_key_of_a_row(name: str, mapping: Any, data: dict[str, Any], identity: Any) -> None:
    assert mapper(name, "upsert", mapping).identity(data) == identity


VALUES = st.one_of(st.none(), st.text(max_size=3), st.integers(), st.floats(), st.booleans(), st.just({"a": 1}))


@given(
    name=st.sampled_from(["account", "user", "note"]),
    data=st.dictionaries(st.sampled_from(["externalId", "id", "email", "name", "accountId", "note"]), VALUES),
)
def test_it_is_the_key_that_the_row_is_written_by(name: str, data: dict[str, Any]) -> None:
    made = mapper(name, "upsert")
    try:
        change = made.change(data)
    except RejectedError:
        made.identity(data)
        return
    assert made.identity(data) == identity_of(change.entry, change.fields)
