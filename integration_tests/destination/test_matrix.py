"""The families of objects together hold every object, operation, transport, field and key of the table."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from destination_vitally.objects.model import BatchRoute, RestRoute
from destination_vitally.objects.table import OBJECTS
from integration_tests.destination import objects
from integration_tests.destination.cases import Case
from integration_tests.destination.ways import Way

FAMILIES = [import_module(f"{objects.__name__}.{module.name}") for module in iter_modules(objects.__path__)]
CASES: list[Case] = [case for family in FAMILIES for case in family.CASES]


def test_the_families_hold_every_operation_of_the_table() -> None:
    held = {(case.object, case.operation, case.transport) for case in CASES}
    for entry in OBJECTS:
        for operation, routes in entry.operations.items():
            for route in routes:
                name = entry.name.replace("*", "featureRequest")
                transport = "analytics" if isinstance(route, BatchRoute) else "rest"
                assert (name, operation, transport) in held, (
                    f"Add a Case of {name}, {operation}, {transport} to the file of its family in "
                    "integration_tests/destination/objects/: the exact requests, and the row after them."
                )


def test_the_families_try_every_way_to_write_every_object() -> None:
    tried = {way.entry.name for family in FAMILIES for way in ways_of_family(family)}
    for entry in OBJECTS:
        assert entry.name in tried, (
            f'Name "{entry.name}" in @every_way of the file of its family in integration_tests/destination/objects/.'
        )


def test_the_ways_hold_every_field_of_every_operation_and_route() -> None:
    ways = [way for family in FAMILIES for way in ways_of_family(family)]
    for entry in OBJECTS:
        for operation, routes in entry.operations.items():
            mine = [way for way in ways if way.entry is entry and way.operation == operation]
            assert {way.route for way in mine} == set(routes), (
                f"{entry.name}, {operation}: a route that no record takes"
            )
            written = {field.name for way in mine for field in way.fields if field.name not in way.left_out}
            for field in entry.fields if operation != "delete" else ():
                if field.clear_only or field.of_deletes:
                    continue
                by_batch = any(isinstance(route, BatchRoute) for route in routes) and field.analytics
                by_rest = any(isinstance(route, RestRoute) for route in routes) and field.in_body
                if (by_batch or by_rest) and not (operation == "update" and field.create_only):
                    assert field.name in written, f"{entry.name}.{field.name} is never written by {operation}"


def ways_of_family(family: Any) -> list[Way]:
    [mark] = [m for m in family.test_every_field_and_key_arrives.pytestmark if m.name == "parametrize"]
    return list(mark.args[1])
