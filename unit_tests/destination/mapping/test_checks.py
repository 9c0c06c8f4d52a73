"""What is wrong with a mapping or with the columns of a stream is said in full, along with what there is to choose."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.errors import ConfigError
from unit_tests.destination.builders import configured, plans, settings, warnings
from vitally_api.traits import CustomField

FIELDS = {
    "vitally.custom.stage": CustomField("string", "Stage"),
    "vitally.custom.owner": CustomField("string", "Owner"),
}


def check(name: str, columns: list[str], known: dict[str, CustomField] | None = None, **mapping: Any) -> None:
    """Plan stream `t` with these columns, mapped to an object, in a workspace with these custom fields."""
    entry = {"stream": "t", "object": name, "other_columns": "traits", **mapping}
    plans(settings(mappings=[entry]), configured("t", properties=columns), fields=known)


@pytest.mark.parametrize(
    ("name", "columns", "mapping", "problem"),
    [
        (
            "account", ["id", "seats"], {"fields": {"externalId": "key", "name": "company"}},
            "the mapping names column 'company', column 'key', which the stream does not have. Correct the mapping, or "
            "select the column in the connection. Columns: id, seats",
        ),
        (
            "account", ["plan", "name"], {},
            "no column gives externalId, which is required to upsert account. Map a column to it in Fields. Columns: "
            "name, plan",
        ),
        (
            "account", ["id"], {"fields": {"plan": "id"}},
            "account has no field 'plan'. Fields: id, externalId, name, avatar, organizationId, accountOwnerId, "
            "timestamp, messageId. Anything else is a trait.",
        ),
        (
            "membership", ["id"], {"fields": {"plan": "id"}},
            "membership has no field 'plan'. Fields: userId, userEmail, accountId, timestamp, messageId.",
        ),
        (
            "account", ["id", "n"], {"fields": {"externalId": "id", "NAME": "n"}, "constants": {"name": "A"}},
            "name (NAME and name) is in Fields and in Fixed values (constants); leave one",
        ),
        (
            "account", ["id"],
            {"fields": {"externalId": "id", "external_id": "id"}, "constants": {"name": "A"}},
            "externalId (externalId and external_id) is mapped twice; leave one",
        ),
        (
            "account", ["id"], {"constants": {"name": "A", "Name": "B"}},
            "name (name and Name) is mapped twice; leave one",
        ),
        (
            "task", ["id"], {"traits": {"vitally.custom.stage": "id", "Stages of it": "id"}},
            "task has no custom field 'Stages of it', and takes no other traits. Did you mean vitally.custom.stage? "
            "Custom fields: vitally.custom.owner, vitally.custom.stage",
        ),
        (
            "task", ["id"], {"constant_traits": {"x": "1"}},
            "task has no custom field 'x', and takes no other traits. Custom fields: vitally.custom.owner, "
            "vitally.custom.stage",
        ),
        (
            "note", ["note", "noteDate", "accountId", "account_id"], {},
            "columns 'accountId' and 'account_id' both have the name of accountId: map one to it",
        ),
    ],
)  # fmt: skip
def test_an_error_says_what_there_is_to_choose(name: str, columns: list[str], mapping: Any, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check(name, columns, FIELDS, **mapping)
    assert str(caught.value) == f"stream 't': {problem}"


def test_where_there_is_no_custom_field_none_is_listed() -> None:
    with pytest.raises(ConfigError, match=r"takes no other traits. Custom fields: none$"):
        check("task", ["id"], {}, traits={"x": "id"})


ABOUT_IDS = (
    "Stream 't': rows are matched by column 'id', which is taken for Vitally's own id. If it is your id, map it to "
    "externalId."
)


@pytest.mark.parametrize(
    ("name", "columns", "mapping", "said"),
    [
        ("account", ["id", "name"], {}, [ABOUT_IDS]),
        ("account", ["id", "external_id"], {}, []),
        ("account", ["id", "name"], {"fields": {"id": "id"}}, []),
        ("account", ["id", "name"], {"fields": {"externalId": "id"}}, []),
        ("user", ["email", "accountIds"], {}, []),
        ("project", ["id", "name"], {"operation": "update"}, []),
        (
            "account", ["id", "externalId"], {"traits": {"plan": "id", "vitally.custom.stages": "id"}},
            ["Stream 't': there is no custom field 'vitally.custom.stages' in Vitally yet. Did you mean "
             "vitally.custom.stage?"],
        ),
        (
            "account", ["id", "externalId"], {"constant_traits": {"vitally.custom.": "id"}},
            ["Stream 't': there is no custom field 'vitally.custom.' in Vitally yet. Did you mean "
             "vitally.custom.stage?"],
        ),
    ],
)  # fmt: skip
def test_a_warning_says_what_to_do_about_it(
    name: str, columns: list[str], mapping: Any, said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    check(name, columns, FIELDS, **mapping)
    assert warnings(caplog) == said


def test_a_parent_that_rows_of_vitally_carry_is_a_parent() -> None:
    check("note", ["note", "noteDate", "account"], operation="create")
    with pytest.raises(ConfigError, match="no column gives accountId or organizationId"):
        check("note", ["note", "noteDate"], operation="create")
