"""Odd values, and what each is in each kind of field: this value, refused for this reason, or left alone."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from destination_vitally.mapping.layout import Types
from vitally_api.traits import CustomField

UUID = "0f0d5a52-0000-4000-8000-000000000000"
ZEROS = "00000000-0000-0000-0000-000000000000"
GONE = "__debezium_unavailable_value"
TRAITS = ("text", "number", "boolean", "date", "datetime", "list")
TYPES = Types(lambda: {name: CustomField("string" if name == "text" else name) for name in TRAITS})


class Place(NamedTuple):
    """A field or trait, the record it is put into, and what is wrong with a value that is none of its kind."""

    entry: str
    name: str
    problem: str
    rest: dict[str, Any]


ACCOUNT = {"externalId": "a", "id": UUID}
TASK = {"externalId": "t", "accountId": "x", "name": "N"}
A_DAY, A_TIME, A_LIST = "must be a date such as", "must be a date-time such as", "must be a list"
PLACES: dict[str, tuple[Place, ...]] = {
    "id": (
        Place("account", "externalId", "must be a text", ACCOUNT),
        Place("user", "email", "must be a text", {"externalId": "u", "accountIds": ["x"]}),
        Place("event", "messageId", "must be a text", {"event": "e", "userId": "u", "timestamp": "2026-01-31"}),
    ),
    "reference": (
        Place("account", "organizationId", "must be a text", ACCOUNT),
        Place("task", "assignedToId", "must be a text", TASK),
        Place("event", "userEmail", "must be a text", {"event": "e", "accountId": "a", "timestamp": "2026-01-31"}),
    ),
    "references": (Place("user", "accountIds", "must be a text", {"externalId": "u", "organizationIds": ["x"]}),),
    "text": (Place("account", "name", "must be a text", ACCOUNT), Place("account", "text", "must be a text", ACCOUNT)),
    "tags": (Place("task", "tags", "must be a text", TASK),),
    "any": (Place("account", "any", "", ACCOUNT),),
    "number": (Place("account", "number", "must be a number", ACCOUNT),),
    "boolean": (
        Place("user", "unsubscribedFromConversations", "must be true or false", {"externalId": "u", "accountIds": "x"}),
        Place("account", "boolean", "must be true or false", ACCOUNT),
    ),
    "date": (Place("task", "dueDate", A_DAY, TASK), Place("account", "date", A_DAY, ACCOUNT)),
    "datetime": (Place("task", "completedAt", A_TIME, TASK), Place("account", "datetime", A_TIME, ACCOUNT)),
    "list": (Place("account", "list", A_LIST, ACCOUNT),),
}


class Refused(NamedTuple):
    """Rejected, with these words; else those of the kind."""

    reason: str = ""


LEFT, SAME, NO = object(), object(), Refused()
PLACEHOLDER = Refused("must be an id, and this is a placeholder")
INEXACT, SEVERAL = Refused("must be exact"), Refused("must be one id, and there are several")
BOTH = Refused("could be a Unix time in seconds, or a date with its hour")
UNCLEAR = Refused("must be a list, and this text looks like one")


def row(value: Any, *cells: Any, **others: Any) -> Any:
    """A line of the table: a value, and what it becomes in each kind of field; `others` say which cells differ."""
    return pytest.param(value, {**dict(zip(PLACES, cells, strict=False)), **others}, id=repr(value)[:40])


def text(value: str, **others: Any) -> Any:
    """A text that is none but a text; what is not said is refused."""
    cells = {"id": SAME, "reference": SAME, "references": [value], "text": SAME, "tags": [value], "any": SAME}
    rest = {"number": NO, "boolean": NO, "date": NO, "datetime": NO, "list": [value]}
    return row(value, **{**cells, **rest, **others})


def placeholder(value: str, **others: Any) -> Any:
    return text(value, **{"id": PLACEHOLDER, "reference": PLACEHOLDER, "references": PLACEHOLDER, **others})


def number(value: int | float, digits: str, **others: Any) -> Any:
    """A number; a time only where the line says so."""
    cells = {"id": digits, "reference": digits, "references": [digits], "text": digits, "tags": [digits], "any": SAME}
    rest = {"number": SAME, "boolean": NO, "date": LEFT, "datetime": LEFT, "list": [value]}
    return row(value, **{**cells, **rest, **others})


def nothing(value: Any, **others: Any) -> Any:
    return row(value, **{**dict.fromkeys(PLACES, LEFT), **others})


def no_scalar(value: Any, **others: Any) -> Any:
    return row(value, **{**dict.fromkeys(PLACES, NO), "any": SAME, **others})


DAY, NOON = "2026-01-31", "2026-01-31T12:00:00Z"
TABLE = [
    # Placeholders
    *map(placeholder, ["null", "NULL", "undefined", "None", "nan", "NaN", "[object Object]", "-", "N/A", "#N/A"]),
    *map(placeholder, [r"\N", "NaT", "<NA>", "(null)", "''", "pd.NA", "nil", ZEROS, "{" + ZEROS + "}"]),
    *(placeholder("0" * length, number=0, date=LEFT, datetime=LEFT) for length in (24, 32)),
    text("NA"),
    text("none of them"),
    text("nullable"),
    # Nothing
    nothing(None),
    nothing("", text=SAME, any=SAME),
    nothing(" \t", text=SAME, any=SAME),
    nothing(GONE),
    nothing([GONE]),
    nothing({GONE: GONE}),
    nothing(json.dumps({GONE: GONE})),
    nothing("X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="),
    text(GONE + "s"),
    # Ids and texts
    text("007", number=7, date=LEFT, datetime=LEFT),
    text(" x ", id="x", reference="x", references=["x"]),
    text("\ufeffx\u200b", id="x", reference="x", references=["x"]),
    text("x\u200dy"),
    text("2024_01"),
    text("weiß"),
    text("{" + UUID + "}"),
    text(".", id=Refused("must not be ."), reference=Refused("must not be ."), references=Refused("must not be .")),
    # True and false
    *(text(word, boolean=word.lower() in ("true", "yes")) for word in ("true", "F", "YES", "n", "No")),
    text("on"),
    no_scalar(True, boolean=True, list=[True]),
    no_scalar(False, boolean=False, list=[False]),
    # Numbers
    number(0, "0", boolean=False),
    number(1, "1", boolean=True),
    number(1.0, "1", boolean=True),
    number(7.0, "7"),
    number(-1, "-1"),
    number(0.5, "0.5"),
    number(2**53 + 1, str(2**53 + 1), any=str(2**53 + 1), number=INEXACT, list=[str(2**53 + 1)]),
    number(2**60, str(2**60)),
    number(10**24 + 1, str(10**24 + 1), any=str(10**24 + 1), number=INEXACT, list=[str(10**24 + 1)]),
    number(
        1e20, str(10**20), id=INEXACT, reference=INEXACT, references=INEXACT,
    ),
    text("1e3", number=1000, date=LEFT, datetime=LEFT),
    text("+7", number=7, date=LEFT, datetime=LEFT),
    text("12000.50", number=12000.5, date=LEFT, datetime=LEFT),
    text("0.1234567890123456789", number=0.12345678901234568, date=LEFT, datetime=LEFT),
    text("12345678901234567890.12345", number=INEXACT, date=LEFT, datetime=LEFT),
    text("9007199254740993", number=INEXACT, date=LEFT, datetime=LEFT),
    *map(text, ["1,234.5", "1.234,5", "12,5", "1 234", "12'000", "$5", "50 %", "0x10", "\u0661\u0662", "1e"]),
    text("1e400", date=LEFT, datetime=LEFT),
    # Times
    number(20260131, "20260131", date=DAY, datetime=DAY + "T00:00:00Z"),
    text("20260131", number=20260131, date=DAY, datetime=DAY + "T00:00:00Z"),
    text("10000101", number=10000101, date=LEFT, datetime=LEFT),
    text("20260230", number=20260230, date=LEFT, datetime=LEFT),
    text("19650412", number=19650412, date="1965-04-12", datetime="1965-04-12T00:00:00Z"),
    text("202601311200", number=202601311200, date=DAY, datetime=NOON),
    number(20260131120000, "20260131120000", date=DAY, datetime=NOON),
    text("20260131T120000Z", date=DAY, datetime=NOON),
    text("20260131T1300+0100", date=DAY, datetime=NOON),
    number(1769860800, "1769860800", date=DAY, datetime=NOON),
    number(1769860800000, "1769860800000", date=DAY, datetime=NOON),
    number(1769860800.5, "1769860800.5", date=DAY, datetime=NOON[:-1] + ".500Z"),
    text("1769860800", number=1769860800, date=DAY, datetime=NOON),
    number(631151999, "631151999"),
    number(4102444800, "4102444800"),
    number(46053, "46053"),
    number(1769860800000000, "1769860800000000"),
    number(2026013109, "2026013109", date=BOTH, datetime=BOTH),
    text("2026013109", number=2026013109, date=BOTH, datetime=BOTH),
    number(1769013109, "1769013109", date="2026-01-21", datetime="2026-01-21T16:31:49Z"),
    text(DAY, date=SAME, datetime=DAY + "T00:00:00Z"),
    text(NOON, date=DAY, datetime=SAME),
    text("2026-01-31 12:00", date=DAY, datetime=NOON),
    text("2026-01-31 12:00:00.000000 UTC", date=DAY, datetime=NOON),
    text("2026-01-31t13:00:00+01", date=DAY, datetime=NOON),
    text("2026-01-31T12:00:00,5Z", date=DAY, datetime=NOON[:-1] + ".500Z"),
    text("2026-01-31T23:30:00-01:00", date="2026-02-01", datetime="2026-02-01T00:30:00Z"),
    *map(text, ["2026-02-30", "0000-00-00 00:00:00", "31/01/2026", "31.01.2026", "Jan 31 2026", "2026-01", "2026-W05"]),
    *map(text, ["infinity", "now", "12:00"]),
    # Lists and objects
    no_scalar(["a", "b"], reference=SEVERAL, references=SAME, tags=SAME, list=SAME),
    no_scalar(["a"], reference="a", references=SAME, tags=SAME, list=SAME),
    no_scalar([10001], reference="10001", references=["10001"], tags=["10001"], list=SAME),
    no_scalar([], reference=LEFT, references=SAME, tags=SAME, list=SAME),
    no_scalar([None, ""], reference=LEFT, references=[], tags=[], list=[""]),
    no_scalar(["null"], reference=PLACEHOLDER, references=PLACEHOLDER, tags=SAME, list=SAME),
    no_scalar([["a"]], list=SAME),
    no_scalar(['["a", "b"]'], reference=SEVERAL, references=["a", "b"], tags=["a", "b"], list=["a", "b"]),
    text('["a", "b"]', reference=SEVERAL, references=["a", "b"], tags=["a", "b"], list=["a", "b"]),
    text('["a"]', reference="a", references=["a"], tags=["a"], list=["a"]),
    text(json.dumps('["a", "b"]'), reference=SEVERAL, references=["a", "b"], tags=["a", "b"], list=["a", "b"]),
    text("{a,b}", references=["a", "b"], tags=["a", "b"], list=["a", "b"]),
    text('{"a b",NULL,"c,\\"d"}', references=["a b", 'c,"d'], tags=["a b", 'c,"d'], list=["a b", 'c,"d']),
    text("{10001}", references=["10001"], tags=["10001"], list=["10001"]),
    placeholder("{}", references=[], tags=[], list=[]),
    text("['a', 'b']", references=["a", "b"], tags=["a", "b"], list=["a", "b"]),
    text("[a, b]", references=UNCLEAR, tags=UNCLEAR, list=UNCLEAR),
    text("{a,{b}}", references=UNCLEAR, tags=UNCLEAR, list=UNCLEAR),
    text("[VIP]"),
    text("a,b"),
    no_scalar({"a": 1}),
    text('{"a": 1}', list=NO),
]  # fmt: skip
