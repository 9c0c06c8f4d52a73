"""What a row asks for: deletes, keys, left-over columns, paths; each is done, refused, or logged."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.compare.equality import same, unchanged
from destination_vitally.errors import ConfigError, RejectedError
from destination_vitally.mapping.change import REPEATED_PERCENT, REPEATED_ROWS, RepeatedKeys, identity_of
from destination_vitally.objects.table import BY_NAME
from unit_tests.destination.builders import change, configured, mapper, plans, settings, warnings
from vitally_api.traits import CustomField

NOW = 1_790_000_000.0  # 2026-09-21T14:13:20Z
UUID = "0f0d5a52-0000-4000-8000-000000000000"
GONE = "_ab_cdc_deleted_at"
MARKER = "__debezium_unavailable_value"
ACCOUNT = {"externalId": "a", "name": "A"}


def now() -> float:
    return NOW


# Deletes


@pytest.mark.parametrize(
    "when", ["2026-01-31T09:30:00Z", "2026-01-31 09:30:00.123", 1769860800, 1769860800000, 20260131]
)
def test_a_row_whose_mark_is_a_time_is_a_delete(when: Any) -> None:
    assert change("account", "upsert", {**ACCOUNT, GONE: when}, allow_deletes=True).operation == "delete"


@pytest.mark.parametrize("when", [None, "", "  ", "\t"])
def test_a_row_whose_mark_is_empty_is_none(when: Any) -> None:
    assert change("account", "upsert", {**ACCOUNT, GONE: when}, allow_deletes=True).operation == "upsert"


@pytest.mark.parametrize(
    ("mark", "kind"),
    [
        *((text, "a text") for text in ("null", "None", "false", "0", r"\N", "0000-00-00 00:00:00", "true", "gone")),
        *((text, "a text") for text in ("0001-01-01T00:00:00Z", "1970-01-01", "9999-12-31 23:59:59", MARKER, "-")),
        *((number, "a number") for number in (0, 1, -1, 46053, 2026013109)),
        *((flag, "true or false") for flag in (True, False)),
        ([], "a list"),
        ({}, "an object"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("operation", ["upsert", "update", "delete"])
def test_any_other_mark_is_a_rejection_that_names_the_kind_of_value(operation: Any, mark: Any, kind: str) -> None:
    with pytest.raises(RejectedError) as caught:
        change("account", operation, {**ACCOUNT, GONE: mark}, allow_deletes=True)
    reason = f"{GONE} must be empty, or the time of the delete (1990 to 2100); it is {kind}"
    assert str(caught.value) == f"account 'a': {reason}"


USER = {"externalId": "u", GONE: "2026-01-31T09:30:00Z"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [("2026-12-01", "2026-12-01"), (20261201, "2026-12-01"), ("2026-12-01 10:00", "2026-12-01T10:00:00Z"),
     (1_800_000_000, "2027-01-15T08:00:00Z"), (None, None), ("", None)],
)  # fmt: skip
@pytest.mark.parametrize("column", ["deleteOn", "delete_on", "purge"])
def test_the_delete_of_a_user_can_be_scheduled(column: str, given: Any, sent: str | None) -> None:
    mapping = {"fields": {"deleteOn": "purge"}} if column == "purge" else None
    made = change("user", "upsert", {**USER, column: given}, mapping=mapping, allow_deletes=True, now=now)
    assert (made.operation, made.fields.get("deleteOn")) == ("delete", sent)
    assert made.query == (f"deleteOn={sent.replace(':', '%3A')}" if sent else "")


@pytest.mark.parametrize(
    ("given", "reason"),
    [("2026-09-01", "must be in the future"), ("soon", "must be a date-time"), (0, "must be a day or a time"),
     (MARKER, "did not come along"), (2026013109, "could be a Unix time"), (True, "must be a date-time")],
)  # fmt: skip
def test_a_day_that_cannot_be_read_never_deletes_a_user_at_once(given: Any, reason: str) -> None:
    with pytest.raises(RejectedError, match=f"user 'u': deleteOn.* {reason}"):
        change("user", "delete", {"externalId": "u", "deleteOn": given}, allow_deletes=True, now=now)


@pytest.mark.parametrize("name", ["account", "organization", "task", "conversation"])
def test_only_users_can_be_deleted_later(name: str) -> None:
    row = {"externalId": "x", "delete_on": "2026-12-01"}
    with pytest.raises(RejectedError, match="delete_on is given, and Vitally can delete nothing but users later"):
        change(name, "delete", row, allow_deletes=True, now=now)
    assert change(name, "delete", {**row, "delete_on": None}, allow_deletes=True).operation == "delete"


def test_a_row_that_is_not_deleted_keeps_its_day_to_itself(caplog: pytest.LogCaptureFixture) -> None:
    users = mapper("user", "upsert", now=now)
    for day in ("2026-12-01", "soon", None):
        made = users.change({"externalId": "u", "accountId": "a", "deleteOn": day})
        assert "deleteOn" not in {**made.fields, **made.open_values}
    assert warnings(caplog) == ["user: deleteOn is left out of rows that are not deleted."]


# Keys


def test_emails_are_one_in_lower_case_and_not_in_folded_case() -> None:
    user = BY_NAME["user"]
    identities = [identity_of(user, {"email": email}) for email in ("weiß@x.de", "WEIß@X.de", "weiss@x.de")]
    assert identities[0] == identities[1] != identities[2]
    assert same("Ida@x.de", "ida@X.de", any_case=True)
    assert not same("weiß@x.de", "weiss@x.de", any_case=True)
    assert not unchanged("weiß@x.de", "weiss@x.de", any_case=True)


def shared(rows: int, of: int, contents: int) -> RepeatedKeys:
    keys = RepeatedKeys()
    for number in range(of - rows):
        keys.add(("account", "externalId", f"a{number}"), "same")
    for number in range(rows):
        keys.add(("account", "externalId", "0"), number % contents)
    return keys


@pytest.mark.parametrize(
    ("rows", "of", "contents", "is_found"),
    [
        (REPEATED_ROWS + 1, 100, 1000, True),
        (REPEATED_ROWS + 1, 100 * (REPEATED_ROWS + 1) // REPEATED_PERCENT, 1000, False),
        (REPEATED_ROWS, 100, 1000, False),
        (90, 100, REPEATED_ROWS, False),
        (2_000, 20_000, 1000, True),
    ],
)
def test_a_key_with_many_contents_is_pointed_out(rows: int, of: int, contents: int, is_found: bool) -> None:
    sentences = shared(rows, of, contents).sentences("accounts")
    assert bool(sentences) is is_found
    if is_found:
        assert f"rows of {of} have the same key, externalId '0', and differ otherwise." in sentences[0]
        assert shared(rows, of, contents).found()[0][1] >= rows - of // 1000


# Columns that are left over


@pytest.mark.parametrize(
    ("name", "row", "mapping", "left_out"),
    [
        ("account", {"company": "A", "name": "Ida"}, {"name": "company"}, "name"),
        ("account", {"company": "A", "NAME": "Ida"}, {"name": "company"}, "NAME"),
        ("account", {"company": None, "name": "Ida"}, {"name": "company"}, "name"),
        ("user", {"mail": "a@x", "e-mail": "b@x", "accountId": "a"}, {"email": "mail"}, "e-mail"),
        ("user", {"createdAt": "2026-01-01", "accountId": "a"}, {}, "createdAt"),
        ("organization", {"pic": "p", "avatar": "q"}, {"avatar": "pic"}, "avatar"),
        ("account", {"traits": {"name": "Ida", "plan": "x"}}, {}, "traits.name"),
    ],
)
def test_a_column_that_is_left_over_never_overwrites_a_field(
    name: str, row: Any, mapping: dict[str, str], left_out: str, caplog: pytest.LogCaptureFixture
) -> None:
    chosen = {"fields": {"externalId": "key", **mapping}}
    streams = mapper(name, "upsert", mapping=chosen)
    for _ in range(2):
        made = streams.change({"key": "a", **row})
        assert not {"name", "NAME", "e-mail", "createdAt", "avatar"} & made.open_values.keys()
    assert f"column '{left_out}' is left out: as a trait it would overwrite the field" in caplog.text
    assert len(warnings(caplog)) == 1


def test_a_mapped_trait_wins_over_a_member_of_its_name() -> None:
    mapping = {"fields": {"externalId": "key"}, "traits": {"plan": "p"}}
    row = {"key": "a", "p": None, "traits": {"plan": "old", "seats": 3}}
    assert change("account", "upsert", row, mapping=mapping).open_values == {"seats": 3}


@pytest.mark.parametrize(("name", "trait"), [("account", "name"), ("user", "email"), ("user", "createdAt")])
def test_a_mapped_trait_with_the_name_of_a_field_is_an_error(name: str, trait: str) -> None:
    mapping = {"stream": "t", "object": name, "traits": {trait: "x"}}
    with pytest.raises(ConfigError, match=f"trait '{trait}' would overwrite the field"):
        plans(settings(mappings=[mapping]), configured("t"))


def test_a_trait_of_a_task_may_be_called_as_it_likes() -> None:
    mapping = {"stream": "t", "object": "project", "operation": "create", "traits": {"email": "x"}}
    assert plans(settings(mappings=[mapping]), configured("t"), fields={"email": CustomField("string")})


@pytest.mark.parametrize("clears", [False, True])
def test_a_value_that_the_pipeline_does_not_have_leaves_the_field_alone(clears: bool) -> None:
    row = {"externalId": "a", "name": MARKER, "notes": MARKER, "big": [MARKER], "traits": {"x": MARKER, "y": 1}}
    made = change("account", "upsert", row, clear_nulls=clears)
    assert (made.fields, made.open_values) == ({"externalId": "a"}, {"y": 1})
    with pytest.raises(RejectedError, match="externalId is required"):
        change("account", "upsert", {**row, "externalId": MARKER})


@pytest.mark.parametrize(
    ("name", "operation", "column", "hint"),
    [
        ("nps_response", "create", "comment", " Did you mean feedback?"),
        ("nps_response", "create", "feedbck", " Did you mean feedback?"),
        ("message", "create", "body", " Did you mean message?"),
        ("message", "create", "sentAt", " Did you mean timestamp?"),
        ("membership", "upsert", "email", " Did you mean userEmail?"),
        ("membership", "upsert", "role", ""),
        ("meeting_participant", "create", "status", " Did you mean responseStatus?"),
        ("meeting_transcript", "upsert", "text", " Did you mean transcript?"),
        ("custom_object_definition", "create", "fields", " Did you mean customFields?"),
    ],
)
def test_a_column_that_an_object_cannot_take_is_logged_with_the_nearest_field(
    name: str, operation: Any, column: str, hint: str, caplog: pytest.LogCaptureFixture
) -> None:
    layouts = mapper(name, operation).layouts
    layouts.of([column])
    layouts.of([column, "x"])
    said = f"column '{column}' is left out: {name} has no field of that name to write.{hint}"
    assert caplog.text.count(said) == 1
    mapper(name, operation, mapping={"fields": {"id": "id"}, "other_columns": "ignore"}).layouts.of(["y"])
    mapper(name, operation, mapping={"constants": {"type": "x"}}).layouts.of(["z"], native=True)
    assert "column 'y'" not in caplog.text


def test_what_vitally_sets_itself_is_left_out_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    mapper("nps_response", "create").layouts.of(["createdAt", "user"])
    assert not warnings(caplog), "it is no surprise to who copies rows of Vitally"
    assert [entry.getMessage() for entry in caplog.records] == [
        f"Rows of nps_response: column '{name}' is left out: Vitally sets it itself." for name in ("createdAt", "user")
    ]


@pytest.mark.parametrize("name", ["nps_response", "message"])
def test_a_delete_needs_no_other_columns(name: str, caplog: pytest.LogCaptureFixture) -> None:
    mapper(name, "delete").layouts.of(["comment", "body"])
    assert not warnings(caplog)


def test_messages_in_a_conversation_are_held_to_the_fields_of_a_message(caplog: pytest.LogCaptureFixture) -> None:
    message = {
        "external_id": 5, "Message": "Hi", "body": "lost", "sentAt": "lost", "timestamp": 1769860800, "type": "inbound",
        "from": '{"type": "user", "id": "u"}', "to": [], "id": UUID,
    }  # fmt: skip
    row = {"externalId": "c", "subject": "S", "messages": [message]}
    made = change("conversation", "create", row)
    assert made.fields["messages"] == [
        {"externalId": "5", "message": "Hi", "timestamp": "2026-01-31T12:00:00Z", "from": {"type": "user", "id": "u"},
         "to": [], "id": UUID}
    ]  # fmt: skip
    assert "column 'messages.body' is left out: message has no field of that name to write. Did you mean" in caplog.text
    assert "column 'messages.sentAt'" in caplog.text
    for key, value in {"timestamp": "soon", "externalId": "null", "to": "x"}.items():
        with pytest.raises(RejectedError, match=f"conversation 'c': messages {key} must be"):
            change("conversation", "create", {**row, "messages": [{**message, key: value, "external_id": None}]})


# Paths

SCHEMA = {
    "id": {},
    "properties": {"type": "object", "properties": {"amount": {}, "to": {"properties": {"city": {}}}}},
    "open": {"properties": {"a": {}}, "additionalProperties": True},
    "free": {"type": "object"},
    "list": {"type": "array"},
}


def path(column: str) -> Any:
    stream = configured("t")
    stream["stream"]["json_schema"] = {"properties": SCHEMA}
    mapping = {"stream": "t", "object": "account", "fields": {"externalId": "id"}, "traits": {"x": column}}
    return next(iter(plans(settings(mappings=[mapping]), stream).values()))


@pytest.mark.parametrize(
    "column", ["properties.amount", "properties.to.city", "open.b", "free.x.y", "list.0", "Properties.TO.City"]
)
def test_a_path_is_taken_as_far_as_the_schema_does_not_speak_against_it(column: str) -> None:
    assert path(column)


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ("properties.ammount", "properties has no member 'ammount'. Did you mean amount? Members: amount, to"),
        ("properties.to.town", "properties.to has no member 'town'. Members: city"),
    ],
)
def test_a_path_that_the_schema_does_not_have_is_an_error(column: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        path(column)
    assert f"the mapping names '{column}', and {problem}" in str(caught.value)


def test_a_path_that_finds_nothing_is_logged_after_the_first_rows(caplog: pytest.LogCaptureFixture) -> None:
    plan, found = path("free.x"), path("free.y")
    for number in range(30):
        plan.mapper.change({"id": number, "free": {"y": 1}})
        found.mapper.change({"id": number, "free": {"y": 1} if number == 9 else None})
    assert [text for text in warnings(caplog) if "has found nothing" in text] == [
        "account: 'free.x' has found nothing in the first 10 rows. If it is no typing mistake, it is a member that few "
        "rows have."
    ]


@pytest.mark.parametrize(
    ("row", "column", "wanted"),
    [
        ({"companies": ["10001", "10002"]}, "companies.0", "10001"),
        ({"companies": '["10001"]'}, "companies.0", "10001"),
        ({"companies": [{"id": 5}]}, "companies.0.id", "5"),
        ({"traits": {"vitally.custom.owner": "o"}}, "traits.vitally.custom.owner", "o"),
        ({"address": '{"city": "Riga"}'}, "address.city", "Riga"),
    ],
)
def test_a_path_leads_into_lists_texts_and_names_with_dots(row: Any, column: str, wanted: str) -> None:
    mapping = {"fields": {"externalId": "id", "organizationId": column}}
    assert change("account", "upsert", {"id": 1, **row}, mapping=mapping).fields["organizationId"] == wanted
    with pytest.raises(RejectedError, match="externalId is required"):
        change("account", "upsert", {"companies": []}, mapping={"fields": {"externalId": "companies.0"}})


def test_traits_of_a_crm_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    accounts = mapper("account", "upsert", mapping={"fields": {"externalId": "id"}, "traits": {"hspot.state": "s"}})
    for _ in range(2):
        made = accounts.change({"id": 1, "s": "NL", "sfdc.Tier__c": "A", "traits": {"sfdc.x": 1}})
    assert made.open_values == {"hspot.state": "NL", "sfdc.Tier__c": "A", "sfdc.x": 1}
    assert [text for text in warnings(caplog) if "CRM" in text] == [
        "Rows of account: column 's' becomes a trait of a CRM integration (hspot.), which overwrites it with its next "
        "sync."
    ]
