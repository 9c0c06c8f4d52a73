"""Custom fields as columns: their names, and what becomes of values that are not of their field's type."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker

from source_vitally.records import Columns
from source_vitally.schema import TRAIT_TYPES, CustomField, TableSchemaLoader
from source_vitally.trait_columns import trait_columns
from vitally_api.names import LONGEST_NAME

FIELD_TYPES = ("string", "textarea", "number", "boolean", "datetime", "date", "multiselect", "moonPhase", "")


def names(*paths: str) -> list[str]:
    return [column.name for column in trait_columns(dict.fromkeys(paths, "string"))]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("vitally.custom.tier", "trait_tier"),
        ("vitally.custom.renewalRisk", "trait_renewal_risk"),
        ("vitally.custom.renewal_risk", "trait_renewal_risk"),
        ("plan", "trait_plan"),
    ],
)
def test_a_column_is_named_after_the_path_of_its_field(path: str, name: str) -> None:
    assert names(path) == [name]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Plan", "trait_plan"),
        ("sfdc.Customer_Health_Score__c", "trait_sfdc_customer_health_score_c"),
        ("stripe.metadata.credit-discount-percent", "trait_stripe_metadata_credit_discount_percent"),
        ("vitally.custom.dealURL", "trait_deal_url"),
        ("vitally.custom.größe", "trait_grosse"),
        ("", "trait_unnamed"),
    ],
)
def test_a_path_in_no_usual_form_has_a_hash_whatever_stands_beside_it(path: str, name: str) -> None:
    [alone] = names(path)
    assert re.fullmatch(f"{name}_[0-9a-f]{{8}}", alone)
    assert names("plan", path, "vitally.custom.dealUrl")[1] == alone
    assert names(path, "plan", "vitally.custom.dealUrl")[0] == alone


@pytest.mark.parametrize("other", ["Plan", "PLAN", "pl-an", "plan "])
def test_a_column_never_carries_another_field_once_its_own_is_deleted(other: str) -> None:
    assert names("plan", other)[0] == names("plan")[0] == names(other, "plan")[1]
    assert names("plan", other)[1] == names(other)[0] != names("plan")[0]


def test_of_two_usual_spellings_of_a_name_the_form_decides_and_not_the_age() -> None:
    camel, snake = "vitally.custom.dealValue", "vitally.custom.deal_value"
    assert names(camel, snake) == names(snake, camel)[::-1]
    assert names(camel, snake)[0] == "trait_deal_value"


def test_a_long_name_is_cut_where_every_warehouse_takes_it() -> None:
    long = "vitally.custom." + "segment" * 20
    one, other = names(long + "a", long + "b")
    assert len(one) == len(other) == LONGEST_NAME
    assert one != other


@given(st.lists(st.text(max_size=70), unique=True, max_size=30))
def test_any_paths_make_names_that_differ_whatever_the_case(paths: list[str]) -> None:
    found = names(*paths)
    assert len({name.lower() for name in found}) == len(paths)
    assert all(re.fullmatch("trait_[a-z0-9_]+", name) and len(name) <= LONGEST_NAME for name in found)


@pytest.mark.parametrize(
    ("field_type", "value", "expected"),
    [
        ("string", "A", "A"),
        ("string", 5, "5"),
        ("string", True, "true"),
        ("string", ["a", "ü"], '["a", "ü"]'),
        ("moonPhase", {"a": 1}, '{"a": 1}'),
        ("number", 5, 5),
        ("number", 1.5, 1.5),
        ("number", "1.5", 1.5),
        ("number", "27 %", None),
        ("number", "true", None),
        ("number", "NaN", None),
        ("number", True, None),
        ("number", [1], None),
        ("number", "1e400", None),
        ("number", 10**400, 10**400),
        ("boolean", False, False),
        ("boolean", "TRUE", True),
        ("boolean", "yes", None),
        ("boolean", 1, None),
        ("datetime", "2026-02-10T20:03:04+02:00", "2026-02-10T18:03:04.000Z"),
        ("datetime", "2026-02-10", "2026-02-10T00:00:00.000Z"),
        ("datetime", 1767225600000, "2026-01-01T00:00:00.000Z"),
        ("datetime", 1e300, None),
        ("datetime", "soon", None),
        ("datetime", "0001-01-01T00:00:00+05:00", None),
        ("datetime", "0033-04-03", "0033-04-03T00:00:00.000Z"),
        ("datetime", True, None),
        ("date", "2026-02-10", "2026-02-10"),
        ("date", "2026-02-10T20:03:04.384Z", "2026-02-10"),
        ("date", 1767225600000, "2026-01-01"),
        ("date", "2026-05-01T00:00:00+02:00", "2026-05-01"),
        ("date", "2026-05-01T23:00:00-05:00", "2026-05-01"),
        ("date", "2026-02-30T00:00:00+02:00", None),
        ("number", "[" * 200_000, None),
        ("multiselect", ["a", None, 5], ["a", "5"]),
        ("multiselect", "a", ["a"]),
        ("string", None, None),
        ("multiselect", None, None),
    ],
)
def test_a_value_becomes_its_columns_type_or_null(field_type: str, value: Any, expected: Any) -> None:
    [column] = trait_columns({"p": field_type})
    found = column.value({"p": value})
    assert (found, type(found)) == (expected, type(expected))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(types=st.dictionaries(st.text(max_size=8), st.sampled_from(FIELD_TYPES), max_size=8), data=st.data())
def test_any_value_of_any_custom_field_fulfils_the_schema_of_its_column(types: dict[str, str], data: Any) -> None:
    traits = data.draw(st.fixed_dictionaries({path: JSON for path in types}))
    fields = {path: CustomField(kind) for path, kind in types.items()}
    config = {TRAIT_TYPES: {("accounts", ""): fields}, "flatten_traits": True}
    before = repr(traits)
    record = {"id": "a", "updatedAt": "2026-01-01T00:00:00Z", "traits": traits}
    Columns(config=config, parameters={"name": "accounts"}).transform(record)
    assert repr(record["traits"]) == before, "traits stay as they are"
    columns = {name: value for name, value in record.items() if name.startswith("trait_")}
    assert len(columns) == len(types)
    schema = TableSchemaLoader(config=config, parameters={"name": "accounts"}).get_json_schema()
    validator = Draft7Validator(
        {"properties": {name: schema["properties"][name] for name in columns}}, format_checker=FormatChecker()
    )
    assert list(validator.iter_errors(columns)) == []
