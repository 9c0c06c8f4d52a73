"""The manifest and the table of fields say only what the CDK and the components understand."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

from airbyte_cdk.sources.declarative.concurrent_declarative_source import get_declarative_component_schema

from source_vitally import SourceVitally

COMPONENTS = get_declarative_component_schema()["definitions"]
MANIFEST = SourceVitally().resolved_manifest
STREAMS = [stream["name"] for stream in MANIFEST["streams"]]
# What the CDK hands to a component beyond its own entry in the manifest, and what it spreads over nested components.
HANDED_OVER = {"type", "class_name", "$parameters", "name", "path", "cursor_field", "url_base", "envelope"}
HANDED_OVER |= {
    "optional",
    "absent_if_rejected",
    "sort_optional",
    "retries",
    "partition_router",
    "table",
    "custom_object_id",
    "item_path",
}


def components(node: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        if isinstance(node.get("type"), str) and node["type"] in COMPONENTS:
            yield place, node
        for key, value in node.items():
            if key not in ("$parameters", "connection_specification"):
                yield from components(value, f"{place}.{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from components(value, f"{place}[{index}]")


def known_keys(component: dict[str, Any]) -> set[str]:
    if "class_name" not in component:
        return set(COMPONENTS[component["type"]]["properties"])
    module, name = component["class_name"].rsplit(".", 1)
    return set(inspect.signature(getattr(importlib.import_module(module), name)).parameters)


def test_no_key_of_the_manifest_is_a_typing_mistake() -> None:
    parts = ("check", "streams", "dynamic_streams", "api_budget", "spec")
    found = list(components({key: MANIFEST[key] for key in parts}, "manifest"))
    assert len(found) > 100
    for place, component in found:
        unknown = set(component) - known_keys(component) - HANDED_OVER
        assert not unknown, f"{place} ({component['type']}): {unknown}"


def test_modules_of_components_evaluate_their_annotations() -> None:
    """The CDK reads a component's type hints, and Python 3.10 cannot evaluate an `InitVar` that is a text."""
    found = components({key: MANIFEST[key] for key in ("streams", "dynamic_streams")}, "manifest")
    modules = {entry["class_name"].rsplit(".", 1)[0] for _, entry in found if "class_name" in entry}
    assert len(modules) >= 4
    for module in modules:
        assert not hasattr(importlib.import_module(module), "annotations"), f"{module} imports annotations"
