"""Where the row of a change is in the REST API."""

from __future__ import annotations

from collections.abc import Iterator

from destination_vitally.api.pages import Row, quoted, text_of
from destination_vitally.compare.comparison import refers_to
from destination_vitally.mapping.change import Change, listed
from destination_vitally.objects.model import Field
from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.references import References


class Paths:
    """The paths of one change; ids of parents in them are translated when a path is asked for."""

    def __init__(self, change: Change, references: References) -> None:
        self._change = change
        self._references = references

    def collection(self) -> str:
        """Where rows of the object are listed and created."""
        return self._filled(self._change.entry.path)

    def item(self, key: str) -> str:
        """One row of the object."""
        return self._filled(self._change.entry.item_path.replace("{key}", quoted(key)))

    def reading(self, key: str) -> str:
        """Where one row is read by Vitally's id."""
        path = self._change.entry.read_path
        return path.format(collection=self.collection(), key=quoted(key)) if path else self.item(key)

    def below_parents(self, *, known: bool = False) -> Iterator[str]:
        """The lists that hold the row of the change, one per parent that it names; sends nothing if all is `known`."""
        for field in self._named():
            target, value = str(field.refers), self._change.fields[field.name]
            parent = (self._references.id_of(target, value) or "") if known else self._parent(field)
            yield f"{BY_NAME[target].path}/{quoted(parent) if parent else ''}{self._change.entry.path}"

    def lead_to(self, row: Row) -> bool:
        """Tell whether a row belongs to one of the parents, or comes from the source, that the change names."""
        fields = self._change.fields
        if fields.get("source") and str(fields["source"]).lower() == text_of(row, "source").lower():
            return True
        return any(refers_to(field, fields[field.name], row, self._references.id_of) for field in self._named())

    def are_listed(self, *, needed: bool) -> bool:
        """Tell whether Vitally shows all that the change refers to in lists, of which there must be one if `needed`.

        What belongs to an account that Vitally ignores may be in no list, as the account itself is in none.
        """
        named = named_parents(self._change)
        return bool(named or not needed) and all(self._references.is_listed(*parent) for parent in named)

    def known_parents(self, *, creating: bool) -> dict[str, list[str | None]]:
        """Vitally's ids of what a write of the change makes the row refer to, as far as they are known."""
        return {
            field.name: [
                self._references.id_of(str(field.refers), one) for one in listed(self._change.fields[field.name])
            ]
            for field in self._change.entry.references()
            if field.name in self._change.fields and (creating or not field.create_only)
        }

    def _named(self) -> list[Field]:
        return [field for field in self._change.entry.references() if self._change.fields.get(field.name)]

    def _parent(self, field: Field) -> str:
        """Vitally's id of the object that a field refers to."""
        return self._references.get(self._change, field.name, str(field.refers), self._change.fields[field.name]).id

    def _filled(self, template: str) -> str:
        for field in self._change.entry.references():
            mark = f"{{{field.name}}}"
            if mark in template:
                template = template.replace(mark, quoted(self._parent(field)))
        return template


def named_parents(change: Change) -> tuple[tuple[str, str], ...]:
    """Return what a row refers to: each the name of an object and an id of it."""
    return tuple((str(field.refers), one) for field, one in change.references())
