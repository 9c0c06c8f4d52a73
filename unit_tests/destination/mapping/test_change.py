"""A change: what tells its row from others, what a later one adds, and why it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.errors import RejectedError
from destination_vitally.mapping.change import identities_of, problem_of
from destination_vitally.objects.table import BY_NAME
from unit_tests.destination.builders import change, mapper


def test_of_two_changes_of_one_row_the_later_values_win() -> None:
    first = change(
        "account", "upsert", {"externalId": "a", "name": "A", "organizationId": "o", "plan": "x", "seats": 1}
    )
    later = change("account", "upsert", {"externalId": "a", "name": "B", "plan": "y", "avatar": "z"})
    both = first.followed_by(later)
    assert both.fields == {"externalId": "a", "name": "B", "organizationId": "o", "avatar": "z"}
    assert both.open_values == {"plan": "y", "seats": 1}


def test_what_is_refused_is_named_along_with_its_key_and_the_answer() -> None:
    refused = change("account", "upsert", {"externalId": "a"}).rejected("it is there", 409)
    assert (str(refused), refused.status) == ("account 'a': it is there", 409)
    assert change("account", "upsert", {"externalId": "a"}).rejected("it is there").status is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("must be a text"), "must be a text"),
        (KeyError("secret"), "cannot be read (KeyError)"),
        (UnicodeEncodeError("utf-8", "secret", 0, 1, "no"), "cannot be read (UnicodeEncodeError)"),
    ],
)
def test_only_our_own_words_are_said_of_a_value(error: Exception, said: str) -> None:
    assert problem_of(error) == said


@pytest.mark.parametrize(
    ("name", "row", "identities"),
    [
        ("account", {"externalId": "A", "id": "b"}, [("account", "externalId", "A"), ("account", "id", "b")]),
        ("user", {"externalId": "", "email": "Ida@X.com"}, [("user", "email", "ida@x.com")]),
        ("user", {"externalId": None, "id": 7}, [("user", "id", "7")]),
        ("membership", {"userId": "u", "accountId": ""}, []),
        ("membership", {"userId": "u", "accountId": "a"}, [("membership", "userId", "accountId", "u", "a")]),
    ],
)
def test_a_row_is_told_by_each_of_its_keys_that_has_a_value(name: str, row: dict[str, Any], identities: Any) -> None:
    assert list(identities_of(BY_NAME[name], row)) == identities


@pytest.mark.parametrize(
    ("clear", "traits", "kept"),
    [
        (False, None, {}),
        (True, None, {}),
        (True, "red", {"traits": "red"}),
        (False, {"a": 1, "b": None}, {"a": 1}),
        (True, {"a": 1, "b": None}, {"a": 1, "b": None}),
    ],
)
def test_an_object_of_traits_is_no_trait_of_its_own(clear: bool, traits: Any, kept: dict[str, Any]) -> None:
    made = change("account", "upsert", {"externalId": "a", "traits": traits}, clear_nulls=clear)
    assert made.open_values == kept


def test_a_delete_that_needs_another_key_says_which() -> None:
    made = mapper("account", "upsert", tokens=frozenset({"analytics_token"}), allow_deletes=True)
    with pytest.raises(RejectedError) as caught:
        made.change({"externalId": "a", "_ab_cdc_deleted_at": "2026-01-01"})
    assert str(caught.value) == "account 'a': deleting needs the REST API key (secret_token)"
