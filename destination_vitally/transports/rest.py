"""The REST transport: one change, one to a few requests, one effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from destination_vitally.api.bodies import encoded
from destination_vitally.api.http import Api, kind_of
from destination_vitally.api.pages import Row, found_row, is_row
from destination_vitally.api.reply import Reply
from destination_vitally.errors import AmbiguousError
from destination_vitally.mapping.mapper import Change, identities_of, lacking
from destination_vitally.objects.model import Kind, Lookup, Object, RestRoute, Verb
from destination_vitally.objects.table import BY_NAME
from destination_vitally.transports.landing import Landing
from destination_vitally.transports.lookups import Finder, Paths, SeveralError
from destination_vitally.transports.references import References

Effect = Literal["created", "updated", "created or updated", "deleted", "superseded", "skipped"]
"""What was done; Vitally does not say whether a POST with a known externalId created or updated."""


class Rest:
    """Makes changes through REST."""

    def __init__(self, api: Api, references: References, landing: Landing, finder: Finder) -> None:
        """Prepare to make changes.

        Args:
            api: the way to Vitally.
            references: translates ids.
            landing: knows what batches have brought and may not be there yet.
            finder: looks rows up.
        """
        self._api = api
        self._landing = landing
        self._references = references
        self._finder = finder
        self._otherwise: set[str] = set()
        """Objects whose new rows Vitally has taken with the other names of their fields."""

    def make(self, change: Change) -> Effect:
        """Make one change.

        Returns:
            What was done; `skipped` when the row to update or delete is not there.

        Raises:
            RejectedError: Vitally, or a rule of its docs, refuses the change.
            NotYetError: it depends on a row that was sent in a batch and is not there yet.
            ConfigError, OutageError, StoppedError: as `Api.send`.
        """
        route = change.route
        assert isinstance(route, RestRoute)
        self._references.people.translate(change)
        self._wait_for_batches(change)
        try:
            return _VERBS[route.verb](self, change, route, Paths(change, self._references))
        finally:
            self._finder.forget_asked(change)

    def _wait_for_batches(self, change: Change) -> None:
        """See that what a batch wrote of the row is there, so that it does not come after this change."""
        for identity in identities_of(change.entry, change.fields):
            sent = self._landing.sent(identity)
            if not sent:
                continue
            row = self._landing.see(change, change.entry, sent)
            if row is None:
                raise change.rejected(self._landing.missing(sent))
            self._references.created(change, row, is_new=False)
        for entry, identity in _mentioned(change):
            sent = self._landing.sent(identity)
            if sent and self._landing.see(change, entry, sent) is None:
                raise change.rejected(self._landing.missing(sent))

    # One method per verb

    def post(self, change: Change, route: RestRoute, paths: Paths) -> Effect:
        if change.operation == "create" and self._is_there(change, paths):
            return "skipped"
        self._create(change, route, paths)
        return "created" if change.operation == "create" else "created or updated"

    def put(self, change: Change, route: RestRoute, paths: Paths) -> Effect:
        address = _address(change)
        if address is not None:
            return self._put_to(change, paths, address) or _missed(change)
        row = self._finder.find(change, paths)
        return (self._put_to(change, paths, row["id"], row) if row else None) or _missed(change)

    def put_or_post(self, change: Change, route: RestRoute, paths: Paths) -> Effect:
        if not self._finder.misses(change):
            path = paths.item(_address(change) or "")
            reply = self._write(change, "PUT", path, self._body(change, creating=False))
            if not reply.is_miss:
                return _done(change, reply, "updated")
        self._create(change, route, paths)
        return "created"

    def find_or_post(self, change: Change, route: RestRoute, paths: Paths) -> Effect:
        row = self._finder.find(change, paths)
        # What a list has shown may be gone since.
        if row and (effect := self._put_to(change, paths, row["id"], row)):
            return effect
        self._create(change, route, paths)
        return "created"

    def delete(self, change: Change, route: RestRoute, paths: Paths) -> Effect:
        address = _address(change)
        if address is None:
            row = self._finder.find(change, paths)
            address = row["id"] if row else None
        if address is None:
            return _missed(change)
        reply = self._write(change, "DELETE", paths.item(address))
        if reply.ok or reply.is_miss:
            self._finder.written(change, paths, address, None)
            self._references.deleted(change, address)
        return _missed(change) if reply.is_miss else _done(change, reply, "deleted")

    # Requests

    def _write(
        self, change: Change, method: str, path: str, body: bytes | None = None, *, repeatable: bool = True
    ) -> Reply:
        """Send a request that changes something; all of them go through here."""
        return self._api.send(method, path, body, repeatable=repeatable)

    def _is_there(self, change: Change, paths: Paths) -> bool:
        """Whether the row of a create exists, as far as there is a way to know."""
        if not change.fields.get("externalId") or not change.entry.can_look_up():
            return False
        try:
            return self._finder.find(change, paths) is not None
        except SeveralError:
            return True

    def _put_to(self, change: Change, paths: Paths, address: str, row: Row | None = None) -> Effect | None:
        """PUT; None when there is no such row."""
        path = paths.item(address)
        lost = self._lost_unless_sent(change, path, row)
        reply = self._write(change, "PUT", path, self._body(change, creating=False, also=lost))
        if reply.is_miss:
            self._finder.written(change, paths, address, None)
            return None
        effect = _done(change, reply, "updated")
        self._finder.written(change, paths, address, (row or {}) | lost | _answered(change, reply))
        return effect

    def _create(self, change: Change, route: RestRoute, paths: Paths) -> Row:
        """POST; the row as Vitally answered it, empty when it did not say.

        When it remains open whether Vitally acted, the row is looked for before it is sent again.
        """
        missing = lacking(change.fields, route.to_create)
        if missing:
            raise change.rejected(f"it does not exist yet, and {missing} is required to create it")
        path = paths.collection()
        external_id = change.fields.get("externalId")
        repeatable = route.repeatable and bool(external_id or not change.entry.field("externalId"))
        backoff, kind = self._api.backoff(), kind_of("POST", path)
        while True:
            try:
                reply = self._post(change, path, repeatable)
                _done(change, reply, "created")
                row = _answered(change, reply)
                self._references.created(change, row)
                self._finder.written(change, paths, row.get("id"), row, created=True)
                return row
            except AmbiguousError as doubt:
                if not external_id or not change.entry.can_look_up():
                    raise change.rejected(
                        f"Vitally may or may not have created it ({doubt}). It was not sent again, because "
                        "that could create it twice: look it up in Vitally"
                    ) from None
                if self._api.gives_up(kind, doubt.reply, backoff):
                    raise change.rejected(f"Vitally refused it: {doubt.reply.reason}", doubt.reply.status) from None
                backoff.wait(str(doubt))
                self._finder.forget(paths)
                if found := self._finder.find(change, paths):
                    return found

    def _post(self, change: Change, path: str, repeatable: bool) -> Reply:
        """POST; where Vitally's pages have two names for a field and one is refused, once more with the other."""
        name = change.entry.name
        otherwise = name in self._otherwise
        body = self._body(change, creating=True, otherwise=otherwise)
        reply = self._write(change, "POST", path, body, repeatable=repeatable)
        if reply.status != 400 or not any(field.otherwise for field in change.entry.fields):
            return reply
        other = self._body(change, creating=True, otherwise=not otherwise)
        if other == body:
            return reply
        second = self._write(change, "POST", path, other, repeatable=repeatable)
        if not second.ok:
            return reply
        (self._otherwise.discard if otherwise else self._otherwise.add)(name)
        return second

    # Bodies

    def _lost_unless_sent(self, change: Change, path: str, row: Row | None) -> Row:
        """The values REST would empty unless they are sent along: those of the row as it is."""
        lost = [name for name in change.entry.resend_on_update if name not in change.fields]
        if not lost:
            return {}
        current = row or self._finder.shown(change) or found_row(change, self._api.send("GET", path)) or {}
        return {name: current[name] for name in lost if current.get(name)}

    def _body(self, change: Change, *, creating: bool, also: Row | None = None, otherwise: bool = False) -> bytes:
        body: dict[str, Any] = dict(also or {})
        for field in change.entry.fields:
            value = change.fields.get(field.name, field.default if creating else None)
            if not field.in_body or (field.create_only and not creating):
                continue
            if value is None and (field.name not in change.fields or change.operation == "create"):
                continue
            if field.refers and value:
                value = self._vitallys(change, field.name, field.refers, value, many=field.kind is Kind.TEXTS)
            body[field.otherwise if otherwise and field.otherwise else field.name] = value
        if change.open_values:
            body["traits"] = change.open_values
        return encoded(change, body)

    def _vitallys(self, change: Change, name: str, target: str, value: Any, *, many: bool) -> Any:
        if many:
            return [self._references.vitallys(change, name, target, entry) for entry in value]
        return self._references.vitallys(change, name, target, value)


def looks_up(change: Change) -> bool:
    """Tell whether making a change by REST means to look its row up."""
    route, entry = change.route, change.entry
    if not isinstance(route, RestRoute):
        return False
    if route.verb is Verb.POST:
        return change.operation == "create" and bool(change.fields.get("externalId")) and entry.can_look_up()
    if route.verb in (Verb.PUT, Verb.DELETE) and _address(change) is None:
        return True
    loses = any(name not in change.fields for name in entry.resend_on_update)
    return route.verb is Verb.FIND_OR_POST or (route.verb is Verb.PUT and loses)


_VERBS = {
    Verb.POST: Rest.post,
    Verb.PUT: Rest.put,
    Verb.PUT_OR_POST: Rest.put_or_post,
    Verb.FIND_OR_POST: Rest.find_or_post,
    Verb.DELETE: Rest.delete,
}


def _mentioned(change: Change) -> Iterator[tuple[Object, tuple[str, ...]]]:
    """Yield what tells the rows that a change names by your ids or emails, each with its object."""
    for field in change.entry.fields:
        value = change.fields.get(field.name) if field.mentions else None
        for one in value if isinstance(value, list) else [value] if value else []:
            named = one if isinstance(one, dict) else {f"{field.mentions}Id": one, "email": one}
            keys = {"externalId": named.get(f"{field.mentions}Id"), "email": named.get("email")}
            entry = BY_NAME[field.mentions]
            yield from ((entry, identity) for identity in identities_of(entry, keys))


def _address(change: Change) -> str | None:
    """The id by which the path of the row can be written down at once."""
    keys = sorted((key for key in change.entry.keys if key.in_path), key=lambda key: not key.documented)
    return next((str(change.fields[name]) for key in keys for name in key.fields if change.fields.get(name)), None)


def _answered(change: Change, reply: Reply) -> Row:
    """What is known of a row after it was written: what was sent, and what Vitally answered."""
    sent = {name: value for name, value in change.fields.items() if name in change.entry.resend_on_update}
    row: Row = reply.body if is_row(reply.body) else {}
    return sent | row


def _missed(change: Change) -> Effect:
    """What it means that the row is not there: nothing to do, unless it could have been overlooked."""
    fields, entry = change.fields, change.entry
    if change.operation == "upsert":
        raise change.rejected("Vitally has no row with this id; only rows matched by externalId can be created")
    if any(fields.get(name) for key in entry.keys if key.in_path and key.documented for name in key.fields):
        return "skipped"
    parents = [f.name for f in entry.references() if entry.can_look_up(Lookup.IN_PARENT)]
    if not all(key.documented for key in entry.keys) or (parents and not any(fields.get(name) for name in parents)):
        also = f", or {' or '.join(parents)} along with externalId" if parents else ""
        raise change.rejected(f"not found by externalId; to {change.operation} it, map Vitally's id to id{also}")
    return "skipped"


def _done(change: Change, reply: Reply, effect: Effect) -> Effect:
    if reply.ok:
        return effect
    raise change.rejected(f"Vitally refused it: {reply.reason}", reply.status)
