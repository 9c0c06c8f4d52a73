"""The table of objects is what Vitally takes: each entry, field by field, against the sandbox.

The sandbox was written from Vitally's pages and knows nothing of the table. Where both differ for a reason, it is here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from destination_vitally.objects.model import BatchRoute, Field, Kind, Lookup, Object, Operation, RestRoute, Verb
from destination_vitally.objects.table import BY_NAME, OBJECTS
from integration_tests.destination.world import resource_of
from integration_tests.sandbox.analytics import MEMBERS, REQUIRED, SPECIAL_TRAITS
from integration_tests.sandbox.data.rules import kind_of
from integration_tests.sandbox.resources import CUSTOM_FIELD_MODELS, RESOURCES
from integration_tests.sandbox.resources.model import STAMPS, Resource, Writing
from integration_tests.sandbox.rest.routes import find

NOT_IN_THE_TABLE = {
    ("note", "update", "accountId"): "whether a note can move is not clear; the field only helps to find it",
    ("note", "update", "organizationId"): "the same",
    ("meeting", "create", "source"): "Vitally's page says it cannot be written; one client writes it",
    ("custom_object/*", "create", "createdByVitallyUserId"): "not among the fields that the page of the POST lists",
}
"""What the sandbox takes and the table leaves out, and why."""

REQUIRED_BESIDES = {
    ("conversation", "externalId"): "whether it is required is not clear, so it is always sent",
    ("meeting", "externalId"): "the same",
}
"""What the table requires and the sandbox may not, and why."""

KINDS = {
    Kind.TEXT: {"text", "id", "write mode"},
    Kind.NUMBER: {"number"},
    Kind.SCORE: {"score"},
    Kind.BOOLEAN: {"flag"},
    Kind.DATETIME: {"datetime"},
    Kind.DATE: {"date"},
    Kind.TEXTS: {"texts"},
    Kind.LIST: {"list"},
    Kind.OBJECT: {"object"},
}
"""What the sandbox calls each kind of value."""

MESSAGE_TYPES = {
    "membership": {"upsert": ("user", {"userId", "accountId"})},
}
"""The part of a message that an object has, where it has not all of it."""

IN_REST = [entry for entry in OBJECTS if resource_of(entry)]
every_object = pytest.mark.parametrize("entry", OBJECTS, ids=lambda entry: entry.name)
every_object_in_rest = pytest.mark.parametrize("entry", IN_REST, ids=lambda entry: entry.name)


def parts(entry: Object) -> tuple[Resource, Writing]:
    """Return what the sandbox says of an object that REST has."""
    resource = resource_of(entry)
    assert resource
    assert resource.writing
    return resource, resource.writing


def rest_fields(entry: Object, operation: Operation) -> set[str]:
    """Return the fields that a POST (create) or PUT (update) of the table sends."""
    passed_over = "create_only" if operation == "update" else "clear_only"
    sent = {f.name for f in entry.fields if f.in_body and not getattr(f, passed_over)}
    return sent | ({"traits"} if entry.open_member == "traits" else set())


def verbs(entry: Object) -> set[Verb]:
    return {route.verb for routes in entry.operations.values() for route in routes if isinstance(route, RestRoute)}


@every_object
def test_an_object_is_known_to_the_sandbox(entry: Object) -> None:
    by_rest = any(isinstance(route, RestRoute) for routes in entry.operations.values() for route in routes)
    resource = resource_of(entry)
    assert not by_rest or (resource and resource.writing), (
        f"The sandbox does not let one POST to {entry.path}. Describe the resource with its Writing in "
        "integration_tests/sandbox/resources/, from Vitally's pages."
    )


@every_object_in_rest
@pytest.mark.parametrize("operation", ["create", "update"])
def test_what_rest_takes_is_in_the_table(entry: Object, operation: Operation) -> None:
    if operation == "update" and not verbs(entry) & {Verb.PUT, Verb.PUT_OR_POST, Verb.FIND_OR_POST}:
        pytest.skip("it cannot be updated")
    resource, writing = parts(entry)
    taken = set(writing.create if operation == "create" else writing.update)
    excused = {name for name_, o, name in NOT_IN_THE_TABLE if (name_, o) == (entry.name, operation)}
    for name in sorted(rest_fields(entry, operation) - (taken - excused)):
        raise AssertionError(
            f"{entry.name}.{name} is in the table of objects, but the sandbox's {resource.name} does not take it in "
            f"{operation}. Correct its name or create_only in destination_vitally/objects/, or, if Vitally's pages say "
            f"that it is taken, add it to {operation} of {resource.name} in integration_tests/sandbox/resources/ "
            "(and take it out of NOT_IN_THE_TABLE)."
        )
    for name in sorted(taken - rest_fields(entry, operation) - excused):
        raise AssertionError(
            f"Vitally takes {name} in {operation} of {resource.name}, but the table of objects does not offer it. Add "
            f"it to the fields of {entry.name} in destination_vitally/objects/, or to NOT_IN_THE_TABLE with the reason."
        )


@every_object_in_rest
def test_a_field_has_the_type_that_rest_wants(entry: Object) -> None:
    resource, writing = parts(entry)
    for field in entry.fields:
        if field.in_body:
            kind = kind_of(writing, field.name)
            assert kind in KINDS[field.kind], (
                f"{entry.name}.{field.name} is {field.kind.value} in the table of objects, and {kind} in the sandbox "
                f"({resource.name}): correct the kind of the field, or Writing.kinds of the resource."
            )


@every_object_in_rest
def test_a_reference_is_one_to_rest(entry: Object) -> None:
    _, writing = parts(entry)
    objects = {target.name: name for name in BY_NAME if (target := resource_of(BY_NAME[name]))}
    for field in entry.fields:
        wanted = objects.get(writing.references.get(field.name, ""))
        if field.in_body:
            assert field.refers == wanted, f"{entry.name}.{field.name} holds ids of {wanted}; set its `refers`"
        elif field.refers and f"{{{field.name}}}" in entry.path:
            segment = entry.path.split("/")[1]
            assert objects[segment] == field.refers, f"{entry.name}.{field.name} is in a path below {segment}"


@every_object_in_rest
def test_what_rest_requires_is_required(entry: Object) -> None:
    _, writing = parts(entry)
    if "create" not in entry.operations and "upsert" not in entry.operations:
        return
    [*_, route] = [r for r in entry.operations.get("create", entry.operations.get("upsert", ())) if r.requires]
    demanded = set(route.requires)
    in_path = set(re.findall(r"{(\w+)}", entry.path))
    with_default = {field.name for field in entry.fields if field.default is not None}
    single = {name for name in demanded if isinstance(name, str)} - in_path
    besides = {name for object_, name in REQUIRED_BESIDES if object_ == entry.name}
    assert (single | with_default) - besides == set(writing.required), f"what {entry.name} requires to be created"
    choice = next((set(names) for names in demanded if isinstance(names, tuple)), set(entry.exactly_one))
    assert choice == set(writing.one_of), f"of what {entry.name} requires one to be created"
    assert bool(entry.exactly_one) == writing.only_one


@every_object_in_rest
def test_what_can_be_done_is_offered(entry: Object) -> None:
    path = entry.path or "/customObjects/{id}/instances"
    item = entry.item or path + "/{key}"
    for method, wanted in (("PUT", "update"), ("DELETE", "delete")):
        there = find(method, item) is not None
        assert (wanted in entry.operations) == there, f"{method} {item} of the sandbox and {wanted} of {entry.name}"


@every_object_in_rest
def test_what_is_known_of_rows_is_what_rest_does(entry: Object) -> None:
    resource, writing = parts(entry)
    is_instance = entry.name == "custom_object/*"
    model = "customObjects" if is_instance else resource.name
    is_definition = resource.name == "customObjects" and not is_instance
    assert entry.model == (model if model in CUSTOM_FIELD_MODELS and not is_definition else ""), (
        "the model of its fields"
    )
    assert (entry.open_member == "traits") == ("traits" in writing.create)
    assert entry.defined_traits == bool(writing.traits_model), "whether an admin defines its traits"
    assert set(entry.resend_on_update) == {"tags"} & set(resource.attributes), "an update without tags empties them"
    posts = [r for routes in entry.operations.values() for r in routes if isinstance(r, RestRoute)]
    repeatable = {r.repeatable for r in posts if r.verb is Verb.POST or (r.verb is Verb.FIND_OR_POST and r.repeatable)}
    if resource.name in ("meetingTranscripts",):
        assert repeatable == {True}, "it replaces what is there"
    else:
        assert repeatable <= {writing.post_existing == "update"}, "whether a POST can be repeated"
    if "delete" in entry.operations and resource.delete != "switch" and resource.name != "meetingParticipants":
        word = "archives" if resource.delete == "soft" else "permanently"
        assert word in entry.on_delete, f"a delete of {resource.name} is {resource.delete}"


@every_object_in_rest
def test_rows_are_found_by_the_keys_that_rest_takes(entry: Object) -> None:
    resource, writing = parts(entry)
    for key in entry.keys:
        if key.by == "externalId" and key.in_path and key.documented:
            assert resource.ids == "either", (
                f"{entry.name} is matched by an externalId in the path, which {resource.name} of the sandbox does not "
                "take: set its `ids` in integration_tests/sandbox/resources/, or give the key a lookup instead."
            )
        if Lookup.IN_PARENT in key.lookups:
            fields = {field.name for field in entry.references()}
            assert fields == set(resource.under.values()), "the lists below its parents"
        if Lookup.BY_EMAIL in key.lookups:
            assert find("GET", f"{entry.path}/search"), f"{resource.name} cannot be searched"
    assert (entry.field("source") is not None) == (resource.ids == "source")
    assert ("externalId" in writing.create) == any("externalId" in key.fields for key in entry.keys), (
        f"{entry.name} has an externalId, or has none, and its keys must say so"
    )
    in_path = any(key.in_path and key.documented for key in entry.keys if key.by == "externalId")
    assert in_path == (resource.ids == resource.delete_ids == "either"), "whether paths take the externalId"


@every_object_in_rest
def test_columns_of_rows_read_from_vitally_have_a_place(entry: Object) -> None:
    resource, _ = parts(entry)
    if not entry.streams and entry.name != "custom_object/*":
        return
    served = {*resource.attributes, *STAMPS, *(inline.name for inline in resource.inlines + resource.detail_inlines)}
    own = {name for field in entry.fields for name in (field.name, field.inlined)}
    for name in sorted(served - set(resource.hidden) - own - entry.read_only - {"traits"}):
        raise AssertionError(
            f"Rows of {resource.name} have {name}, which is neither a field of {entry.name} nor in its read_only: a "
            "row that is read and written back would get a trait of that name."
        )


def batches(entry: Object) -> list[tuple[Operation, BatchRoute]]:
    return [(o, route) for o, routes in entry.operations.items() for route in routes if isinstance(route, BatchRoute)]


@every_object
def test_what_a_message_takes_is_in_the_table(entry: Object) -> None:
    for operation, route in batches(entry):
        resource = {"organization": "organizations", "account": "accounts", "user": "users"}.get(route.type, "")
        special = {f"traits.{name}" for name in SPECIAL_TRAITS.get(resource, ())}
        taken = {*MEMBERS[route.type], *special} - {"traits", "properties", *_constants(entry)}
        taken |= {"timestamp"} if route.type == "track" else set()
        _, excused = MESSAGE_TYPES.get(entry.name, {}).get(operation, ("", taken))
        named = {field.analytics for field in entry.fields if field.analytics}
        assert named == taken & excused, (
            f"{entry.name} in messages of type {route.type}: the names in `analytics` of its fields are not those that "
            f"the sandbox reads (MEMBERS and SPECIAL_TRAITS in integration_tests/sandbox/analytics.py)"
        )
        assert route.carries in (REQUIRED[route.type][2], *({"traits"} & set(MEMBERS[route.type])))


@every_object
def test_what_a_message_requires_is_required(entry: Object) -> None:
    for _, route in batches(entry):
        ids, one_of, _ = REQUIRED[route.type]
        by_message = {field.name: field.analytics for field in entry.fields}
        single = {by_message[name] for name in route.requires if isinstance(name, str)}
        assert set(ids) - _constants(entry) <= single, f"what a message of type {route.type} must have"
        choices = [{str(by_message[name]) for name in names} for names in route.requires if isinstance(names, tuple)]
        assert not one_of or set(one_of) in choices or set(one_of) & single, f"one of {one_of} in {route.type}"


def _constants(entry: Object) -> set[Any]:
    """What every message of the object has without a field: the custom object it is an instance of."""
    return {"customObjectId"} if entry.name == "custom_object/*" else set()


def planted() -> Iterator[tuple[str, Object, dict[str, Any]]]:
    """Yield each entry with each field spoiled in each way in which it could be mistyped."""
    for entry in OBJECTS:
        for field in entry.fields:
            changes: list[dict[str, Any]] = []
            if field.in_body and entry in IN_REST:
                changes += [{"name": field.name + "s"}, {"kind": Kind.LIST if field.kind is Kind.TEXT else Kind.TEXT}]
                changes += [{"kind": Kind.DATE if field.kind is Kind.DATETIME else Kind.DATETIME}]
                changes += [{"create_only": not field.create_only}] if "update" in entry.operations else []
                changes += [{"refers": None if field.refers else "account"}]
            if field.analytics:
                changes += [{"analytics": field.analytics + "s"}, {"analytics": None}]
            for change in changes:
                fields = tuple(replace(f, **change) if f is field else f for f in entry.fields)
                yield f"{entry.name}.{field.name}-{change}", replace(entry, fields=fields), change


@pytest.mark.parametrize(("entry", "change"), [pytest.param(*rest, id=title) for title, *rest in planted()])
def test_a_planted_mistake_is_found(entry: Object, change: dict[str, Any]) -> None:
    checks: list[Callable[[], None]] = [lambda: test_what_a_message_takes_is_in_the_table(entry)]
    if resource_of(entry):
        checks += [lambda: test_what_rest_takes_is_in_the_table(entry, "create")]
        checks += [lambda: test_a_field_has_the_type_that_rest_wants(entry)]
        checks += [lambda: test_a_reference_is_one_to_rest(entry)]
        if "update" in entry.operations:
            checks += [lambda: test_what_rest_takes_is_in_the_table(entry, "update")]
    assert any(_fails(check) for check in checks), f"{change} goes unnoticed"


def _fails(check: Callable[[], None]) -> bool:
    try:
        check()
    except AssertionError:
        return True
    return False


def test_no_difference_is_out_of_date() -> None:
    for name, operation, attribute in NOT_IN_THE_TABLE:
        entry = BY_NAME[name]
        _, writing = parts(entry)
        taken = writing.create if operation == "create" else writing.update
        assert attribute in taken, f"{name}.{attribute} is no difference: the sandbox does not take it"
        assert attribute not in rest_fields(entry, operation), f"{name}.{attribute} is in the table now"  # type: ignore[arg-type]
    for name, field in REQUIRED_BESIDES:
        assert isinstance(BY_NAME[name].field(field), Field)


def test_every_resource_that_can_be_written_has_an_object() -> None:
    known = {resource.name for entry in OBJECTS if (resource := resource_of(entry))}
    missing = {name for name, resource in RESOURCES.items() if resource.writing} - known
    assert not missing, (
        f"Vitally lets one write {', '.join(sorted(missing))}, and no object does: add an entry to "
        "destination_vitally/objects/ (see CONTRIBUTING.md, A new object)."
    )
