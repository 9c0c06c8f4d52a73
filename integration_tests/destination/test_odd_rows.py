"""One odd row: it is written as far as it means anything, or rejected by itself with the field named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from destination_vitally import DestinationVitally
from destination_vitally.compare.equality import same
from destination_vitally.mapping import change, mapper
from destination_vitally.protocol import AirbyteMessage, AirbyteMessageSerializer, ConfiguredAirbyteCatalogSerializer
from integration_tests.harness import QuickClock, destination_config, record, state, stream, write
from integration_tests.sandbox import Sandbox
from unit_tests.destination.odd_values import LEFT, SAME, TABLE, Refused

UUID = "00000000-0000-4000-8000-000000000001"
READ_FROM_VITALLY = {"id": UUID, "updatedAt": "2026-01-01T00:00:00Z", "createdAt": "2026-01-01T00:00:00Z"}
WHEN = "2026-01-01T00:00:00Z"


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def line(name: str, data: str) -> bytes:
    """A RECORD whose data are JSON as they stand there."""
    return b'{"type":"RECORD","record":{"stream":"%b","emitted_at":1,"data":%b}}' % (name.encode(), data.encode())


REJECTED: list[tuple[str, str, str]] = [
    ("users", '{"externalId":"u","accountId":"a","joinDate":"9999-12-31T23:59:59-08:00"}', "joinDate must be"),
    ("users", '{"externalId":"u","accountId":"a","joinDate":"0001-01-01T00:00:00+01:00"}', "joinDate must be"),
    ("users", f'{{"externalId":"u","accountId":"a","joinDate":"{"9" * 400}Z"}}', "joinDate must be"),
    ("accounts", '{"externalId":"undefined","name":"N"}', "externalId must be an id, and this is a placeholder"),
    ("users", '{"externalId":"u","accountId":"N/A"}', "accountIds must be an id, and this is a placeholder"),
    ("accounts", '{"externalId":"b","_ab_cdc_deleted_at":"null"}', "_ab_cdc_deleted_at must be empty, or the time"),
    (
        "users",
        json.dumps({"externalId": "u", "accounts": 3, "id": UUID, "createdAt": WHEN, "updatedAt": WHEN}),
        "accountIds must be a list",
    ),
    ("accounts", json.dumps({"externalId": "x", "name": "N", "plan": deep(300)}), "plan is nested too deeply"),
    ("accounts", f'{{"externalId":"x","plan":{"[" * 5000}{"]" * 5000}}}', "plan is nested too deeply"),
    ("accounts", f'{{"externalId":"x","traits":{{"a":{json.dumps(deep(250))}}}}}', "traits is nested too deeply"),
    ("accounts", '{"externalId":1234567890123456789.0,"name":"N"}', "externalId must be exact"),
    ("accounts", '{"externalId":1e30,"name":"N"}', "externalId must be exact"),
    ("accounts", '{"externalId":0.12345678901234567,"name":"N"}', "externalId must be exact"),
    ("accounts", '{"externalId":"..","name":"N"}', "externalId must not be . or .."),
    ("accounts", '{"externalId":" . ","name":"N"}', "externalId must not be"),
    ("users", '{"externalId":"u","accountIds":["a",".."]}', "accountIds must not be . or .."),
    ("accounts", '{"externalId":"  ","name":"N"}', "externalId is required"),
    ("accounts", '{"externalId":NaN,"name":"N"}', "externalId is required"),
    ("accounts", f'{{"externalId":{"9" * 5000},"name":"N"}}', "externalId is required"),
]  # fmt: skip


@pytest.mark.parametrize("keys", ["both", "secret_token"])
@pytest.mark.parametrize(("name", "data", "reason"), REJECTED)
def test_a_row_that_means_nothing_is_rejected_by_itself_with_its_field(
    sandbox: Sandbox, name: str, data: str, reason: str, keys: str
) -> None:
    settings = destination_config(sandbox)
    if keys != "both":
        del settings["analytics_token"]
    good = [
        record("accounts", {"externalId": "a", "name": "A"}),
        record("users", {"externalId": "v", "accountId": "a"}),
    ]
    lines: list[Any] = [good[0], line(name, data), good[1], state("accounts", 1), state("users", 2)]

    result = write(settings, [stream("accounts"), stream("users")], lines)

    assert result.unforeseen is None
    assert result.counts(name)["rejected"] == 1
    assert reason in result.log
    assert [row["externalId"] for row in sandbox.workspace.rows("accounts")] == ["a"]
    assert [row["externalId"] for row in sandbox.workspace.rows("users")] == ["v"]
    assert result.state_ids == [1, 2]


TYPE_OF = {"text": "string", "any": "moonPhase"}
KINDS = ("text", "any", "number", "boolean", "date", "datetime", "list")


def test_what_is_written_read_back_and_compared_with_the_row_is_the_same_thing(sandbox: Sandbox) -> None:
    """Given the table of odd values, when each is sent as a trait of each type, then Vitally has what its cell says."""
    # What Vitally may make of values by itself is another matter: a text like <NA> is one tag.
    sandbox.switches.html, sandbox.switches.decimals = "as documented", None
    sandbox.switches.texts_trimmed = sandbox.switches.lists_sorted = False
    expected: dict[str, Any] = {}
    rows = []
    for kind in KINDS:
        sandbox.workspace.insert(
            "customFields", {"model": "accounts", "label": kind, "path": f"odd.{kind}", "type": TYPE_OF.get(kind, kind)}
        )
        for number, (value, cells) in enumerate(case.values for case in TABLE):
            expected[f"{kind} {number}"] = value if cells[kind] is SAME else cells[kind]
            data = {"externalId": f"{kind} {number}", "name": "N", "any" if kind == "any" else f"odd.{kind}": value}
            rows.append(json.dumps(record("accounts", data)).encode())

    result = write(destination_config(sandbox), [stream("accounts")], rows)

    assert result.counts("accounts")["rejected"] == sum(isinstance(cell, Refused) for cell in expected.values())
    shown = {row["externalId"]: row["traits"] for row in sandbox.workspace.rows("accounts")}
    for key, cell in expected.items():
        if isinstance(cell, Refused):
            assert key not in shown, key
        else:
            kind = key.split()[0]
            found = shown[key].get("any" if kind == "any" else f"odd.{kind}")
            assert same(None if cell is LEFT else cell, found), f"{key}: {cell!r} is {found!r}"


WRITTEN: list[tuple[str, str, Any]] = [
    ('{"externalId":"x","name":"cut \\ud83d"}', "x", {"name": "cut \ufffd"}),
    ('{"externalId":"x","name":"N","mrrs":NaN,"big":Infinity}', "x", {"traits": {}}),
    ('{"externalId":"x","name":"N","small":-Infinity,"huge":1e999}', "x", {"traits": {}}),
    ('\ufeff{"externalId":"x","name":"N"}', "x", {"name": "N"}),
    ('{"externalId":123456789012345678901234,"name":"N"}', "123456789012345678901234", {"name": "N"}),
    ('{"externalId":-123456789012345678901234,"name":"N"}', "-123456789012345678901234", {"name": "N"}),
    ('{"externalId":18446744073709551616,"name":"N"}', "18446744073709551616", {"name": "N"}),
    ('{"externalId":1234567890123456789,"name":"N"}', "1234567890123456789", {"name": "N"}),
    ('{"externalId":123.0,"name":"N"}', "123", {"name": "N"}),
    ('{"externalId":12.5,"name":"N"}', "12.5", {"name": "N"}),
    ('{"externalId":"007","name":"N"}', "007", {"name": "N"}),
    ('{"externalId":"  x \\n","name":"N"}', "x", {"name": "N"}),
    ('{"externalId":"a/../b","name":"N"}', "a/../b", {"name": "N"}),
    ('{"externalId":"...","name":"N"}', "...", {"name": "N"}),
    ('{"externalId":"%2e%2e","name":"N"}', "%2e%2e", {"name": "N"}),
    ('{"externalId":"x?y=1#z","name":"N"}', "x?y=1#z", {"name": "N"}),
    (f'{{"externalId":"x","name":"N","plan":{json.dumps(deep(150))}}}', "x", {"traits": {"plan": deep(150)}}),
]


@pytest.mark.parametrize("keys", ["both", "secret_token"])
@pytest.mark.parametrize(("data", "key", "expected"), WRITTEN)
def test_what_only_a_lenient_parser_reads_is_written(
    sandbox: Sandbox, data: str, key: str, expected: Any, keys: str
) -> None:
    settings = destination_config(sandbox)
    if keys != "both":
        del settings["analytics_token"]
    bom, _, plain = data.rpartition("\ufeff")
    raw = line("accounts", plain)

    result = write(settings, [stream("accounts")], [("\ufeff".encode() if data != plain else b"") + raw])

    assert (result.error, bom) == (None, "")
    [row] = sandbox.workspace.rows("accounts")
    assert row["externalId"] == key
    assert {name: row[name] for name in expected} == expected


def test_long_numbers_are_not_the_same_id_because_a_float_cannot_tell_them_apart(sandbox: Sandbox) -> None:
    ids = (123456789012345678901234, 123456789012345678901235, 1234567890123456789, 1234567890123456788, 2**70)
    rows = [record("accounts", {"externalId": number, "name": "N", "n": number}) for number in ids]

    result = write(destination_config(sandbox), [stream("accounts")], [json.dumps(row).encode() for row in rows])

    assert result.counts("accounts")["accepted"] == len(ids)
    assert {row["externalId"] for row in sandbox.workspace.rows("accounts")} == set(map(str, ids))


def test_a_failure_of_our_own_code_is_the_rejection_of_its_record(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = change.label_of

    def failing(entry: Any, fields: dict[str, Any]) -> str:
        if fields.get("externalId") == "bad":
            raise ZeroDivisionError
        return label(entry, fields)

    monkeypatch.setattr(mapper, "label_of", failing)
    rows = [record("accounts", {"externalId": key, "name": "N"}) for key in ("a", "bad", "b")]

    result = write(destination_config(sandbox), [stream("accounts")], [*rows, state("accounts", 1)])

    assert result.error is None
    assert "account: it cannot be written (ZeroDivisionError)" in result.log
    assert result.counts("accounts") == {"records": 3, "accepted": 2, "superseded": 0, "skipped": 0, "rejected": 1}


def test_no_memory_is_nobodys_rejection(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: Any) -> str:
        raise MemoryError

    monkeypatch.setattr(mapper, "label_of", exhausted)
    result = write(destination_config(sandbox), [stream("accounts")], [record("accounts", {"externalId": "a"})])
    assert isinstance(result.error, MemoryError)


STATES = [
    b'{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"accounts"},"stream_state":'
    b'{"cursor":123456789012345678901234,"f":1.50,"e":1E5,"text":"\\u00fc\\ud83d\\/"}},"id":9007199254740993}}',
    b'{ "state" : {"id":1, "stream":{"stream_descriptor":{"name":"accounts"}} , "z":null}, "type":"STATE" ,"m":[1,{}]}',
    b'{"type":"STATE","state":{"stream":{"stream_descriptor":{"name":"accounts"},"stream_state":{"nan":NaN}}}}',
    b'{"type":"STATE","state":{"data":{"a":"}]\\"{"}}}',
]


@pytest.mark.parametrize("given", STATES)
def test_a_state_is_given_back_byte_for_byte(sandbox: Sandbox, given: bytes) -> None:
    result = write(destination_config(sandbox), [stream("accounts")], [given])

    [back] = [text.encode() for text in result.lines if '"STATE"' in text]
    stats = b'"destinationStats":{"recordCount":0.0,"rejectedRecordCount":0.0}'
    assert back.count(stats) == 1
    assert back.replace(b"," + stats, b"") == given


def test_statistics_that_came_along_are_replaced(sandbox: Sandbox) -> None:
    given = state("accounts", 1)
    given["state"] = {"destinationStats": {"recordCount": 9.0, "deep": [{}]}, **given["state"]}
    row = record("accounts", {"externalId": "a", "name": "A"})
    result = write(destination_config(sandbox), [stream("accounts")], [row, given])
    assert result.states()[0]["destinationStats"] == {"recordCount": 1.0, "rejectedRecordCount": 0.0}
    assert list(result.states()[0]) == list(given["state"])


def test_messages_handed_over_as_objects_are_written_as_lines_are(sandbox: Sandbox) -> None:
    messages: list[AirbyteMessage] = [
        AirbyteMessageSerializer.load(message)
        for message in (
            record("accounts", {"externalId": 2**70, "name": "cut \ud83d"}),
            record("accounts", {"externalId": "x", "name": "N", "plan": deep(300)}),
            state("accounts", 1, cursor=2**70),
        )
    ]
    catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": [stream("accounts")]})
    [back] = DestinationVitally(QuickClock()).write(destination_config(sandbox), catalog, messages)
    assert back.state is not None
    assert back.state.stream is not None
    assert vars(back.state.stream.stream_state)["cursor"] == 2**70
    [row] = sandbox.workspace.rows("accounts")
    assert (row["externalId"], row["name"]) == (str(2**70), "cut \ufffd")


def named(namespace: str | None, name: str = "accounts") -> dict[str, Any]:
    found = stream(name)
    found["stream"]["namespace"] = namespace
    return found


def within(namespace: str | None, key: str, name: str = "accounts") -> dict[str, Any]:
    message = record(name, {"externalId": key, "name": "N"})
    message["record"]["namespace"] = namespace
    return message


@pytest.mark.parametrize("of_catalog", [None, "", "crm"])
@pytest.mark.parametrize("of_record", [None, "", "crm"])
def test_a_namespace_that_is_missing_or_extra_finds_its_stream(
    sandbox: Sandbox, of_catalog: str | None, of_record: str | None
) -> None:
    given = state("accounts", 1)
    given["state"]["stream"]["stream_descriptor"]["namespace"] = of_record
    result = write(destination_config(sandbox), [named(of_catalog)], [within(of_record, "a"), given])
    assert result.error is None
    assert result.states()[0]["destinationStats"]["recordCount"] == 1.0


@pytest.mark.parametrize("namespaces", [["crm"], ["crm", "erp"], ["crm", None]])
def test_a_stream_that_could_be_another_is_named_with_its_namespace(
    sandbox: Sandbox, namespaces: list[str | None]
) -> None:
    settings = destination_config(sandbox)
    result = write(settings, [named(one) for one in namespaces], [within("shop", "a")])
    assert (
        "Line 1 of the input is of stream 'accounts' of namespace 'shop', which is not in the catalog." in result.errors
    )


def test_a_state_of_a_stream_that_is_not_in_the_catalog_is_passed_back(sandbox: Sandbox) -> None:
    messages = [record("accounts", {"externalId": "a", "name": "A"}), state("others", 1), state("accounts", 2)]
    result = write(destination_config(sandbox), [stream("accounts")], messages)
    assert result.error is None
    assert result.state_ids == [1, 2]
    assert result.states()[0] == state("others", 1)["state"]


def test_an_id_of_spaces_is_none_and_one_within_spaces_is_the_same(sandbox: Sandbox) -> None:
    settings = destination_config(sandbox)
    rows = [record("accounts", {"externalId": key, "name": key}) for key in ("a", " a ", "a\t", 7, 7.0, "7")]
    result = write(settings, [stream("accounts")], rows)
    assert result.counts("accounts") == {"records": 6, "accepted": 2, "superseded": 4, "skipped": 0, "rejected": 0}


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_a_row_may_be_as_large_as_what_vitally_takes_at_once(sandbox: Sandbox, beyond: int) -> None:
    most = sandbox.switches.max_body_bytes
    assert most
    settings = destination_config(sandbox)
    write(settings, [stream("accounts")], [record("accounts", {"externalId": "a", "text": ""})])
    [bare] = [request.size for request in sandbox.journal.matching("batch")]
    rows = [
        record("accounts", {"externalId": key, "text": "x" * n}) for key, n in (("a", most - bare + beyond), ("b", 1))
    ]

    result = write(settings, [stream("accounts")], rows)

    assert result.counts("accounts")["accepted"] == (2 if beyond <= 0 else 1)
    assert ("account 'a': it is larger than the 500000 bytes that Vitally takes at once" in result.log) == (beyond > 0)
