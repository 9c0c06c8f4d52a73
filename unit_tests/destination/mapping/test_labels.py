"""A trait is a path, else a plain trait that rows have, else the label of one custom field; near names are no guess."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.errors import ConfigError
from destination_vitally.mapping.mapper import Mapper
from unit_tests.destination.builders import OneDefinition, configured, plans, settings, warnings
from vitally_api.traits import CustomField

RISK, TIER = "vitally.custom.renewalRisk", "vitally.custom.tier"
FIELDS = {
    RISK: CustomField("number", "Renewal risk"),
    TIER: CustomField("string", "Tier"),
    "vitally.custom.east": CustomField("string", "Region"),
    "vitally.custom.west": CustomField("string", "Region"),
    "vitally.custom.bare": CustomField("string"),
}
"""Custom fields by path; two of them have one label, and one has none."""


def mapper(workspace: OneDefinition, traits: dict[str, str], *, is_check: bool = False, **more: Any) -> Mapper:
    """What makes rows of an account of columns `id`, `c` and `d`, of which `traits` names some."""
    entry = {"stream": "T", "object": "account", "fields": {"externalId": "id"}, "traits": traits, **more}
    stream = configured("T", properties=["id", "c", "d"])
    [plan] = plans(settings(mappings=[entry]), stream, workspace=workspace, is_check=is_check).values()
    return plan.mapper


def sent(trait: str, plain: tuple[str, ...], *, is_check: bool = False) -> list[str]:
    """The traits of an account whose column `c` is mapped to a trait, where rows have plain traits."""
    made = mapper(OneDefinition(FIELDS, plain), {trait: "c"}, is_check=is_check)
    return list(made.change({"id": "a", "c": "3"}).open_values)


@pytest.mark.parametrize(
    ("trait", "plain", "name"),
    [
        (RISK, (), RISK),                                    # its path
        (TIER, ("Tier", TIER), TIER),
        ("Renewal risk", (), RISK),                          # the label of one
        ("Tier", (), TIER),
        ("Tier", ("Tier",), "Tier"),                         # a plain trait that rows have goes before a label
        ("tier", ("tier",), "tier"),
        ("TIER", ("TIER", "tier"), "TIER"),
        ("plan", (), "plan"),                                # like none of them
        ("traits.Tier", (), "Tier"),                         # said in words
        ("traits.TIER", (), "TIER"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_check", [True, False])
def test_a_name_stands_for_one_trait(
    trait: str, plain: tuple[str, ...], name: str, is_check: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert sent(trait, plain, is_check=is_check) == [name]
    assert warnings(caplog) == []


@pytest.mark.parametrize(
    ("trait", "near"),
    [
        ("TIER", TIER), ("tier", TIER), ("renewal_risk", RISK), ("RENEWAL RISK", RISK), ("renewalRisk", RISK),
        ("VITALLY.CUSTOM.TIER", TIER), ("Region", "vitally.custom.east and vitally.custom.west"),
        ("bare", "vitally.custom.bare"),
    ],
)  # fmt: skip
def test_a_near_name_fails_the_check_and_no_sync(trait: str, near: str, caplog: pytest.LogCaptureFixture) -> None:
    path = near.partition(" ")[0]
    problem = (
        f"tream 'T': trait '{trait}' is nearly the custom field {near}. Write {path} to mean that, or traits.{trait} "
        "to mean a trait of its own"
    )
    with pytest.raises(ConfigError) as caught:
        sent(trait, (), is_check=True)
    assert caught.value.message == "s" + problem

    assert sent(trait, ()) == [trait]
    assert warnings(caplog) == [f"S{problem}; until then it is a trait of its own."]


def test_what_a_label_stands_for_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    sent("Renewal risk", ())
    assert [m for m in caplog.messages if "Renewal risk" in m] == [
        f"Stream 'T': trait 'Renewal risk' is the custom field {RISK}."
    ]


@pytest.mark.parametrize(("traits", "is_asked"), [({"plan": "c"}, False), ({RISK: "c"}, False), ({"Tier": "c"}, True)])
def test_rows_are_read_only_where_a_label_could_be_meant(traits: dict[str, str], is_asked: bool) -> None:
    workspace = OneDefinition(FIELDS)
    mapper(workspace, traits)
    assert (("traits", "account") in workspace.asked) is is_asked


def test_two_names_of_one_custom_field_are_an_error() -> None:
    with pytest.raises(ConfigError, match=f"trait '{TIER}' is mapped twice"):
        mapper(OneDefinition(FIELDS), {"Tier": "c", TIER: "d"})


@pytest.mark.parametrize("trait", ["Tier", TIER])
def test_a_task_takes_labels_and_has_no_plain_traits(trait: str) -> None:
    task: dict[str, Any] = {"object": "task", "operation": "update", "fields": {"id": "id"}}
    made = mapper(OneDefinition(FIELDS, ["Tier"]), {trait: "c"}, **task)
    assert list(made.change({"id": "1", "c": "x"}).open_values) == [TIER]


def test_a_column_left_over_with_a_near_name_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    made = mapper(OneDefinition(FIELDS), {}, other_columns="traits")
    for _ in range(2):
        assert made.change({"id": "a", "TIER": "B", "plan": "x", TIER: "C"}).open_values["TIER"] == "B"
    assert warnings(caplog) == [
        f"Rows of account: column 'TIER' becomes a trait of its own, though Vitally has the custom field {TIER}. Map "
        f"it to the trait {TIER} to write that, or to the trait traits.TIER to mean its own."
    ]


def test_without_a_list_of_custom_fields_a_name_is_what_it_is() -> None:
    made = mapper(OneDefinition(), {"Tier": "c", "traits.x": "d"})
    assert list(made.change({"id": "a", "c": "1", "d": "2"}).open_values) == ["Tier", "x"]
