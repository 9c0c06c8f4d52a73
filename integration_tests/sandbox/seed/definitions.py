"""What a workspace's admins have set up: people, categories, templates, custom objects, custom fields.

Equal for every seed but for the ids, so a workspace can be written into another.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from integration_tests.sandbox.data.workspace import Workspace
from integration_tests.sandbox.wire.clock import iso
from integration_tests.sandbox.wire.messages import Row

ADMINS = (
    ("Sam Ode", "sam@vendor.example", "active"),
    ("Zoë Müller", "zoe@vendor.example", "active"),
    ("李 娜", "li.na@vendor.example", "active"),
    ("Old Colleague", "old@vendor.example", "deactivated"),
    ("Import Bot", "bot+import@vendor.example", "auto-created"),
    ("Aïcha N'Diaye", "aicha@vendor.example", "active"),
)
CATEGORIES = {
    "noteCategories": ("Meeting", "Call", "Risiko & Chancen"),
    "taskCategories": ("Onboarding", "Renewal", "Follow-up"),
    "projectCategories": ("Implementation", "Expansion"),
}
STATUSES = (("Not started", "inactive"), ("In progress", "active"), ("Done", "complete"))
TEMPLATES = (
    ("Onboarding template", "Onboarding", "Implementation"),
    ("Upsell template", "Upsell", "Expansion"),
)
# model: (label, path below vitally.custom, type). `moonPhase` is a type no client knows; clients have seen both cases.
FIELDS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "accounts": (
        ("Tier", "tier", "string"),
        ("Renewal risk", "renewalRisk", "number"),
        ("Contract date", "contractDate", "datetime"),
        ("Is reference", "isReference", "boolean"),
        ("Moon phase", "moonPhase", "moonPhase"),
    ),
    "organizations": (("NPS score", "npsScore", "number"),),
    "users": (("Role", "role", "string"), ("Champion", "champion", "boolean")),
    "notes": (("Sentiment", "sentiment", "string"),),
    "tasks": (("Effort", "effort", "number"),),
    "projects": (("Next step", "nextStep", "textarea"),),
    "conversations": (("Severity", "severity", "string"),),
    "team": (("Region", "region", "string"),),
}
OBJECT_FIELDS = (
    ("Stage", "stage", "STRING"),
    ("Deal value", "dealValue", "number"),
    ("Due on", "dueOn", "datetime"),
    ("Labels", "labels", "multiselect"),
    ("Aura", "aura", "moonPhase"),
)
EMPTY_OBJECT = "legacyAsset"
# Names to clean, and two that collide once cleaned.
OBJECTS = (
    ("featureRequest", "Feature Request"),
    ("Feature Request (v2)", "Feature Request (v2)"),
    ("dealRoom", "Deal room"),
    ("Deal Room", "Deal Room"),
    (EMPTY_OBJECT, "Legacy asset"),
)


def seed_definitions(workspace: Workspace) -> None:
    """Store the definitions, set up three years ago."""
    start = workspace.clock.now() - timedelta(days=1095)

    def insert(resource: str, **values: Any) -> Row:
        nonlocal start
        start += timedelta(minutes=1)
        return workspace.insert(resource, {"createdAt": iso(start), **values})

    for name, email, status in ADMINS:
        insert("admins", name=name, email=email, licenseStatus=status)
    for resource, names in CATEGORIES.items():
        for name in names:
            insert(resource, name=name)
    for name, kind in STATUSES:
        insert("projectStatuses", name=name, type=kind)
    categories = {row["name"]: row["id"] for row in workspace.rows("projectCategories")}
    for name, project_name, category in TEMPLATES:
        insert("projectTemplates", name=name, projectName=project_name, projectCategoryId=categories[category])
    for model, fields in FIELDS.items():
        for label, path, kind in fields:
            insert("customFields", model=model, label=label, path=f"vitally.custom.{path}", type=kind)
    _seed_objects(insert)


def _seed_objects(insert: Callable[..., Row]) -> None:
    for name, label in OBJECTS:
        row = insert("customObjects", name=name, label=label, writeMode="writableByAll")
        for field, path, kind in OBJECT_FIELDS:
            insert(
                "customFields",
                model="customObjects",
                customObjectId=row["id"],
                label=field,
                path=f"vitally.custom.{path}",
                type=kind,
                options=[{"label": "Planned", "value": "Planned"}] if path == "stage" else [],
            )
