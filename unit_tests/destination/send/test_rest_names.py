"""Fields of which Vitally's pages have two names: the one that is refused is not the end of a new row."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from destination_vitally.errors import RejectedError
from destination_vitally.mapping.change import Change
from unit_tests.destination.builders import DEFINITION
from unit_tests.destination.scripted import BASE, BROKEN, Parts, asks

WHEN = "2026-01-01T00:00:00.000Z"
MADE = {"id": "new"}
A = {"GET /accounts/a": {"id": "A", "externalId": "a"}}
PROJECT = {"templateId": DEFINITION, "name": "N"}


def project(parent: str, **more: Any) -> Change:
    return asks("project", "create", {**PROJECT, parent: "a", **more})


def test_a_field_of_two_names_goes_by_the_one_that_vitally_takes() -> None:
    """By whichever was taken last, until that is refused."""
    parts = Parts({**A, "GET /organizations/a": {"id": "O"}, "POST /projects": (400, MADE, MADE, 400, MADE, 400, 400)})
    for _ in range(3):
        assert parts.rest.make(project("accountId")).effect == "created"
    with pytest.raises(RejectedError, match="Vitally refused it"):
        parts.rest.make(project("accountId"))
    named = ["accountId", "customerId", "customerId", "customerId", "accountId", "accountId", "customerId"]
    assert parts.vitally.written == [("POST /projects", {**PROJECT, name: "A"}) for name in named]


@pytest.mark.parametrize(
    ("wanted", "script"),
    [
        (project("accountId"), {"POST /projects": 422}),
        (project("organizationId"), {"POST /projects": 400, "GET /organizations/a": {"id": "O"}}),
        (asks("note", "create", {"note": "N", "noteDate": WHEN, "accountId": "a"}), {"POST /notes": 400}),
    ],
)
def test_what_has_no_other_name_or_is_refused_otherwise_is_sent_once(wanted: Change, script: dict[str, Any]) -> None:
    parts = Parts(A | script)
    with pytest.raises(RejectedError, match="Vitally refused it"):
        parts.rest.make(wanted)
    assert len(parts.vitally.written) == 1


def test_the_other_name_is_not_tried_twice_either() -> None:
    parts = Parts({**A, "POST /projects": (400, BROKEN)})
    with pytest.raises(RejectedError, match="It was not sent again"):
        parts.rest.make(project("accountId"))
    assert len(parts.vitally.written) == 2


def test_the_names_of_one_object_say_nothing_of_others() -> None:
    parts = Parts({**A, "POST /projects": (400, MADE), "PUT /projects/p": MADE, "POST /notes": MADE})
    parts.rest.make(project("accountId"))
    parts.rest.make(asks("note", "create", {"note": "N", "noteDate": WHEN, "accountId": "a"}))
    assert parts.vitally.written[-1] == ("POST /notes", {"note": "N", "noteDate": WHEN, "accountId": "A"})


def test_what_several_find_out_at_once_holds_for_all_that_follow() -> None:
    parts, both = Parts(A), threading.Barrier(2)
    named: list[str] = []

    def answer(request: Any, context: Any) -> dict[str, str]:
        named.append("accountId" if "accountId" in request.json() else "customerId")
        if named[-1] == "customerId":
            return MADE
        both.wait(30)
        context.status_code = 400
        return {"error": "No."}

    parts.vitally.adapter.register_uri("POST", f"{BASE}/projects", json=answer)
    with ThreadPoolExecutor(2) as pool:
        assert [made.effect for made in pool.map(parts.rest.make, [project("accountId")] * 2)] == ["created"] * 2
    assert parts.rest.make(project("accountId")).effect == "created"
    assert named == ["accountId"] * 2 + ["customerId"] * 3
