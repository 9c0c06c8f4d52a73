"""What a body must look like: types, references, trait keys. A refusal names the attribute."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from integration_tests.sandbox.data.markup import cleaned
from integration_tests.sandbox.data.workspace import Workspace
from integration_tests.sandbox.resources.model import Resource, Writing
from integration_tests.sandbox.wire.clock import iso
from integration_tests.sandbox.wire.messages import ApiError, Row

# Which trait feeds which attribute is a setting of a workspace; here it is the trait of the same name.
FED_ATTRIBUTES = ("mrr", "churnedAt", "nextRenewalDate", "trialEndDate")


# Narrower than datetime.fromisoformat, which reads more with every version of Python.
ISO_8601 = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d))?")


def moment(value: str) -> datetime:
    """Return the moment of an ISO 8601 date (midnight UTC) or date-time with zone; else ValueError."""
    match = ISO_8601.fullmatch(value)
    if match is None:
        raise ValueError(f"not ISO 8601: {value}")
    day, clock, fraction, zone = match.groups()
    zone = "+00:00" if zone in (None, "Z") else zone
    return datetime.fromisoformat(f"{day}T{clock or '00:00:00'}.{(fraction or '0')[:6].ljust(6, '0')}{zone}")


def is_datetime(value: Any) -> bool:
    """Return whether this is ISO 8601, a date or a date-time with its zone."""
    try:
        moment(value)
    except (TypeError, ValueError):
        return False
    return True


def is_utc(value: Any) -> bool:
    """Return whether this is an ISO 8601 date-time in UTC, with `Z`."""
    return is_datetime(value) and str(value).endswith("Z")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_score(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10


Check = tuple[Callable[[Any], bool], str]
CHECKS: dict[str, Check] = {
    "text": (_is_text, "a string"),
    "id": (_is_id, "a non-empty string"),
    "number": (_is_number, "a number"),
    "score": (_is_score, "a whole number from 0 to 10"),
    "flag": (_is_flag, "a boolean"),
    "datetime": (is_datetime, "an ISO 8601 date-time"),
    "date": (is_datetime, "an ISO 8601 date"),
    "texts": (_is_texts, "an array of strings"),
    "list": (_is_list, "an array"),
    "object": (_is_object, "an object"),
    "write mode": (lambda v: v in ("writable", "writableByAll", "readonly"), "a write mode"),
}
"""By the kind of an attribute, as `Writing.kinds` names it."""
EVERYWHERE = {"externalId": "id", "traits": "object"}


def as_object(body: Any) -> Row:
    """Return a copy of a body that must be a JSON object."""
    if not isinstance(body, dict):
        raise ApiError(400, "The body must be a JSON object.")
    return dict(body)


def known_fields(workspace: Workspace, body: Row, names: Iterable[str]) -> Row:
    """Return the body without attributes that cannot be written here; those are refused, or dropped by switch."""
    unknown = sorted(set(body) - set(names))
    if unknown and workspace.switches.unknown_fields_rejected:
        raise ApiError(400, f"{unknown[0]} cannot be written.")
    return {name: value for name, value in body.items() if name not in unknown}


def require(body: Row, names: Iterable[str]) -> None:
    for name in names:
        if body.get(name) is None or body[name] == "":
            raise ApiError(400, f"{name} is required.")


def kind_of(writing: Writing, name: str) -> str:
    """Return what the value of an attribute must be: a name of CHECKS."""
    return writing.kinds.get(name) or EVERYWHERE.get(name, "text")


def check_values(writing: Writing, body: Row) -> None:
    """Refuse values of other types. Null empties an attribute, unless it is required."""
    for name, value in body.items():
        if value is None and name not in writing.required:
            continue
        check, wanted = CHECKS[kind_of(writing, name)]
        if not check(value):
            raise ApiError(400, f"{name} must be {wanted}.")


def check_references(workspace: Workspace, writing: Writing, body: Row) -> None:
    """Refuse a Vitally id in the body that does not exist."""
    for name, table in writing.references.items():
        value = body.get(name)
        for identifier in value if isinstance(value, list) else [value]:
            if identifier is not None and workspace.tables[table].get(identifier) is None:
                raise ApiError(400, f"{name}: no such row in {table}: {identifier}.")


def refuse_readonly(workspace: Workspace, definition: Row) -> None:
    """Refuse to write instances of a custom object that is readonly, unless that holds for people only."""
    if definition["writeMode"] == "readonly" and workspace.switches.readonly_objects_refuse:
        raise ApiError(400, f"The custom object {definition['name']} is readonly.")


def known_traits(workspace: Workspace, model: str, traits: Mapping[str, Any], custom_object_id: str | None) -> Row:
    """Return the traits whose key is a custom field of the model; unknown keys are refused, or dropped by switch."""
    if model == "customObjects":
        fields = workspace.tables["customFields"].scoped("customObjectId", custom_object_id or "")
    else:
        fields = workspace.tables["customFields"].scoped("model", model)
    paths = {field["path"] for field in fields}
    unknown = [key for key in traits if key not in paths]
    if unknown and workspace.switches.unknown_traits_rejected:
        raise ApiError(400, f"traits: no custom field {unknown[0]} in {model}.")
    return {key: value for key, value in traits.items() if key in paths}


def normalised(resource: Resource, body: Row) -> Row:
    """Return the values as they are stored: HTML stripped, times in Vitally's form, empty lists for null."""
    out = dict(body)
    for name in resource.writing.html if resource.writing else ():
        if out.get(name) is not None:
            out[name] = cleaned(out[name])
    for name, kind in resource.writing.kinds.items() if resource.writing else ():
        if kind == "date" and out.get(name) is not None:
            out[name] = out[name][:10]
        if kind == "datetime" and name in out:
            out[name] = as_stored(out[name])
    for name, default in resource.attributes.items():
        if isinstance(default, (list, dict)) and name in out and out[name] is None:
            out[name] = type(default)()
    return out


def exists(workspace: Workspace, key: Any, name: str = "externalId") -> ApiError:
    """Return the refusal of a row whose key another row has."""
    switches = workspace.switches
    return ApiError(switches.exists_status, switches.exists_words.format(name=name, key=key))


def revived(workspace: Workspace, row: Row) -> Row:
    """Return what a write changes of a row that is archived."""
    is_back = bool(row.get("archivedAt")) and workspace.switches.archived_upsert == "comes back"
    return {"archivedAt": None} if is_back else {}


def as_stored(value: Any) -> Any:
    """Return a time as Vitally writes times, whatever form it came in; anything else as it is."""
    return iso(moment(value)) if is_datetime(value) else value


def fed_attributes(workspace: Workspace, resource: str, traits: Mapping[str, Any]) -> Row:
    """Return the attributes that these traits set on an account or organization."""
    if resource not in ("accounts", "organizations") or not workspace.switches.traits_feed_attributes:
        return {}
    return {name: as_stored(traits[name]) for name in FED_ATTRIBUTES if name in traits}
