"""What a workspace calls its own: its custom objects and custom fields, asked of Vitally when they are needed."""

from __future__ import annotations

from functools import cached_property

from destination_vitally.api.http import Api
from destination_vitally.api.pages import Row, all_rows, pages, quoted, text_of
from destination_vitally.errors import ConfigError, ListError
from destination_vitally.objects.model import Object
from vitally_api.names import STREAM_PREFIX, definition_of_stream, snake_case
from vitally_api.traits import CustomField

_UUID_LENGTH = 36


class Workspace:
    """Reads definitions; with no REST key there are none, since Vitally lists them nowhere else."""

    def __init__(self, rest: Api | None) -> None:
        self._rest = rest
        self._fields: dict[tuple[str, str], dict[str, CustomField]] = {}

    @cached_property
    def definitions(self) -> list[Row]:
        """The definitions of the custom objects, read once.

        Raises:
            ConfigError: Vitally does not list them.
        """
        try:
            return list(all_rows(self._rest, "/customObjects")) if self._rest else []
        except ListError as error:
            raise ConfigError(f"{error}. Custom objects cannot be written without it.") from None

    def named(self, name: str) -> str:
        """Return the id of the custom object of that id, machine name, machine name in snake case, or label.

        Raises:
            ConfigError: there is none, there are several, or it cannot be known.
        """
        found = [d for d in self.definitions if name in (d["id"], d.get("name"))]
        if name and not found:
            wanted = snake_case(name)
            found = [d for d in self.definitions if wanted in (snake_case(text_of(d, n)) for n in ("name", "label"))]
        return self._only(name, found)

    def of_stream(self, stream_name: str) -> str:
        """Return the id of the custom object that the source reads as the stream of that name.

        Raises:
            ConfigError: as `named`, which is asked when the source would call no stream like this.
        """
        found = definition_of_stream(stream_name, self.definitions)
        return str(found["id"]) if found else self.named(stream_name.removeprefix(STREAM_PREFIX))

    def _only(self, name: str, found: list[Row]) -> str:
        if len(found) == 1:
            return str(found[0]["id"])
        if not self._rest and len(name) == _UUID_LENGTH:
            return name
        raise ConfigError(self._why_not(name, found))

    def _why_not(self, name: str, found: list[Row]) -> str:
        if not self._rest:
            return (
                f"To find custom object '{name}', the REST API key (secret_token) is needed; or write "
                "custom_object/<id> with the id from the address of its settings page in Vitally."
            )
        if found:
            return f"Several custom objects could be meant by '{name}': {', '.join(str(d['name']) for d in found)}"
        known = ", ".join(str(d.get("name")) for d in self.definitions) or "none"
        problem = f"There is no custom object '{name}' in Vitally" if name else "Say which: custom_object/<name>"
        return f"{problem}. Custom objects: {known}. The stream custom_objects creates those of another workspace."

    def custom_fields(self, model: str, definition: str = "") -> dict[str, CustomField] | None:
        """Return the custom fields of a model by their path, read once; None when there is no REST key.

        Raises:
            ListError: Vitally does not list them.
            ConfigError, OutageError: as `Api.send`.
        """
        if not self._rest:
            return None
        known = self._fields.get((model, definition))
        if known is None:
            known = self._fields[model, definition] = self._read_fields(self._rest, model, definition)
        return known

    def traits(self, entry: Object) -> frozenset[str]:
        """Return the traits of the hundred rows of an object that changed last; none when there is no REST key.

        Raises:
            ListError: Vitally does not list them.
            ConfigError, OutageError: as `Api.send`.
        """
        page = next(pages(self._rest, entry.path, order="updatedAt", query=entry.lists[0]), []) if self._rest else []
        return frozenset(name for row in page if isinstance(row.get("traits"), dict) for name in row["traits"])

    def _read_fields(self, rest: Api, model: str, definition: str) -> dict[str, CustomField]:
        owner = f"&customObjectId={quoted(definition)}" if definition else ""
        reply = rest.send("GET", f"/customFields?model={quoted(model)}{owner}")
        if not reply.ok or not isinstance(reply.body, list):
            raise ListError("/customFields", reply.reason, reply.status)
        rows = [row for row in reply.body if row.get("path")]  # a bare array by Vitally's docs
        return {str(row["path"]): CustomField(str(row.get("type")), str(row.get("label") or "")) for row in rows}
