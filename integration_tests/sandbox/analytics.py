"""The Analytics half: messages that create, update, link or append, confirmed only as a whole."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha1
from typing import Any

import orjson

from integration_tests.sandbox.data.rules import (
    as_stored,
    fed_attributes,
    is_utc,
    known_traits,
    moment,
    refuse_readonly,
    revived,
)
from integration_tests.sandbox.data.workspace import Workspace
from integration_tests.sandbox.resources import RESOURCES
from integration_tests.sandbox.wire.clock import EPOCH, iso
from integration_tests.sandbox.wire.messages import ApiError, Reply, Request, Row
from integration_tests.sandbox.wire.switches import Switches

MAX_BATCH = 100
SUCCESS = {"message": "Success."}
# Of each message type: the ids it must have, of which groups at least one, and the object it must have.
REQUIRED: dict[str, tuple[tuple[str, ...], tuple[str, ...], str | None]] = {
    "organization": (("organizationId",), (), None),
    "account": (("accountId",), (), None),
    "user": (("userId",), ("accountId", "organizationId"), "traits"),
    "track": (("event",), ("userId", "accountId", "organizationId"), "properties"),
    "customobjectinstance": (("externalId", "customObjectId"), ("accountId", "organizationId"), "traits"),
    "unlink": (("userId", "accountId"), (), None),
}
MEMBERS: dict[str, tuple[str, ...]] = {
    "organization": ("organizationId", "traits"),
    "account": ("accountId", "organizationId", "traits"),
    "user": ("userId", "accountId", "organizationId", "traits"),
    "track": ("event", "userId", "accountId", "organizationId", "properties"),
    "customobjectinstance": ("externalId", "customObjectId", "name", "accountId", "organizationId", "traits"),
    "unlink": ("userId", "accountId"),
}
"""What is read of each message type besides `type`, `timestamp` and `messageId`; the rest is dropped in silence."""
# Ids here are the sender's own: externalIds of these resources.
KEYS = {"organizationId": "organizations", "accountId": "accounts", "userId": "users"}
OWN_KEY = {"organization": "organizationId", "account": "accountId", "user": "userId"}
SPECIAL_TRAITS: dict[str, dict[str, str]] = {
    "organizations": {"name": "name", "avatar": "avatar"},
    "accounts": {"name": "name", "avatar": "avatar"},
    "users": {"name": "name", "avatar": "avatar", "email": "email", "createdAt": "joinDate"},
}
"""The traits with a meaning, and the attribute of the row that they are, where it has such a one."""
Known = set[tuple[str, str]]


class OrphanError(Exception):
    """A message that names a parent the workspace does not have."""


class Analytics:
    """Answers requests below `/analytics/v1`. Hold the workspace's lock while it does."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._seen: dict[str, datetime] = {}
        self._random = random.Random("delays")
        self._delayed = 0
        self._last_effect = EPOCH
        self._newest: dict[tuple[str, str], str] = {}

    @property
    def switches(self) -> Switches:
        return self.workspace.switches

    def handle(self, request: Request, path: str) -> Reply:
        """Answer a request; `path` is relative to the base. A refusal is raised."""
        kind = path.strip("/")
        if request.method != "POST" or kind not in (*REQUIRED, "batch"):
            raise ApiError(404, f"Not found: {request.method} {path}")
        if self.switches.discard_messages:
            return Reply(200, SUCCESS)
        messages, refusal = self._batch(request.body) if kind == "batch" else (self._single(kind, request.body), None)
        self._take(messages)
        if refusal is not None:
            raise refusal
        return Reply(200, SUCCESS)

    def _take(self, messages: list[Row]) -> None:
        """Let accepted messages of one request take effect, now or later."""
        now = self.workspace.clock.now()
        if self.switches.batch_order == "shuffled":
            self._random.shuffle(messages)
        effect = self._effect_at(now)
        for message in messages:
            message_id = self._new_id(message, now)
            if message_id is None or (self.switches.drops and self.switches.drops(message)):
                continue
            if effect > now:
                self.workspace.later(effect, partial(self._apply, message, message_id, now))
            else:
                self._apply(message, message_id, now)

    def pending(self) -> list[Row]:
        """Return the messages that were accepted and have not taken effect yet."""
        return [effect.args[0] for effect in self.workspace.to_come() if isinstance(effect, partial)]

    # Which messages are accepted

    def _single(self, kind: str, body: Any) -> list[Row]:
        if kind in self.switches.blocked_types:
            raise ApiError(400, f"Messages of type {kind} are blocked.")
        if not isinstance(body, dict):
            raise ApiError(400, "The body must be a JSON object.")
        message = {**body, "type": kind}
        self._check(message, set())
        return [message]

    def _batch(self, body: Any) -> tuple[list[Row], ApiError | None]:
        """Return the messages to take, and with what the batch is refused nevertheless."""
        if not isinstance(body, list) or not 1 <= len(body) <= MAX_BATCH:
            raise ApiError(400, f"The body must be an array of 1 to {MAX_BATCH} messages.")
        blocked = self.switches.blocked_types
        kinds = [message.get("type") if isinstance(message, dict) else None for message in body]
        if blocked and all(kind in blocked for kind in kinds):
            raise ApiError(400, "Every message of the batch is of a blocked type.")
        accepted: list[Row] = []
        known: Known = set()
        refusal: ApiError | None = None
        for number, (kind, message) in enumerate(zip(kinds, body, strict=True)):
            if kind in blocked:
                continue
            try:
                if kind not in REQUIRED:
                    raise ApiError(400, f"type must be one of {', '.join(REQUIRED)}.")
                self._check(message, known)
            except ApiError as error:
                refusal = refusal or ApiError(400, f"Message {number}: {error.error}")
                continue
            if kind in OWN_KEY:
                known.add((OWN_KEY[kind], message[OWN_KEY[kind]]))
            accepted.append(message)
        if refusal is not None and self.switches.batch_invalid == "reject_all":
            raise refusal
        return accepted, refusal if self.switches.batch_invalid == "reject_after_the_rest" else None

    def _check(self, message: Row, known: Known) -> None:
        """Refuse an invalid message. `known` are the ids that earlier messages of the batch will create."""
        ids, one_of, needed = REQUIRED[message["type"]]
        for name in (*ids, *KEYS):
            value = message.get(name)
            if not (isinstance(value, str) and value) and (name in ids or value is not None):
                raise ApiError(400, f"{name} must be a non-empty string.")
        if one_of and not any(message.get(name) for name in one_of):
            raise ApiError(400, f"One of {', '.join(one_of)} is required.")
        for name in ("traits", "properties"):
            if not isinstance(message.get(name, None if name == needed else {}), dict):
                raise ApiError(400, f"{name} must be an object.")
        self._check_identity(message)
        if message["type"] == "customobjectinstance":
            self._check_instance(message)
        if self.switches.orphans != "reject":
            return
        for name in self._parents(message):
            if (name, message[name]) not in known and self._row(KEYS[name], message[name]) is None:
                raise ApiError(400, f"{name}: no such row in {KEYS[name]}: {message[name]}.")

    def _check_identity(self, message: Row) -> None:
        timestamp, message_id = message.get("timestamp"), message.get("messageId")
        if timestamp is None and message_id in (None, ""):
            raise ApiError(400, "timestamp or messageId is required.")
        if timestamp is not None and not is_utc(timestamp):
            raise ApiError(400, "timestamp must be an ISO 8601 date-time in UTC.")
        if message_id is not None and not isinstance(message_id, str):
            raise ApiError(400, "messageId must be a string.")

    def _check_instance(self, message: Row) -> None:
        custom_object = message["customObjectId"]
        definition = self.workspace.tables["customObjects"].get(custom_object)
        if definition is None:
            if self.switches.unknown_custom_object == "reject":
                raise ApiError(400, f"customObjectId: no such custom object: {custom_object}.")
            return
        refuse_readonly(self.workspace, definition)
        known_traits(self.workspace, "customObjects", message["traits"], custom_object)

    def _parents(self, message: Row) -> Iterable[str]:
        own = OWN_KEY.get(message["type"])
        return [name for name in KEYS if name != own and message.get(name)]

    # When an accepted message does something, and what

    def _effect_at(self, now: datetime) -> datetime:
        """Return when the messages of one request take effect."""
        most, part = self.switches.effect_delay, 1.0
        if self.switches.effect_delays == "random":
            part = self._random.random()
        elif self.switches.effect_delays == "growing":
            part = min(1.0, self._delayed / 10)
            self._delayed += 1
        effect = now + timedelta(seconds=most * part)
        if not self.switches.effects_overtake:
            effect = max(effect, self._last_effect)
        self._last_effect = max(effect, self._last_effect)
        return effect

    def _new_id(self, message: Row, now: datetime) -> str | None:
        """Return the id of a message, a hash where it has none; None when it is to be ignored as a repetition."""
        message_id = message.get("messageId")
        if message_id is None:
            message_id = sha1(orjson.dumps(message, option=orjson.OPT_SORT_KEYS), usedforsecurity=False).hexdigest()
        seen, window = self._seen.get(str(message_id)), self.switches.message_id_window
        if seen is not None and (window is None or now - seen <= timedelta(seconds=window)):
            return None
        self._seen[str(message_id)] = now
        return str(message_id)

    def _apply(self, message: Row, message_id: str, accepted: datetime) -> None:
        message = {name: message[name] for name in ("type", "timestamp", *MEMBERS[message["type"]]) if name in message}
        if self.switches.drops_value and isinstance(message.get("traits"), dict):
            kept = {k: v for k, v in message["traits"].items() if not self.switches.drops_value(message, k)}
            message = {**message, "traits": kept}
        timestamp = iso(moment(message["timestamp"]) if message.get("timestamp") else accepted)
        try:
            ids = {name: self._parent_id(name, message[name]) for name in self._parents(message)}
        except OrphanError:
            return
        if message["type"] == "track":
            self._track({**message, "messageId": message_id, "timestamp": timestamp}, ids)
        elif message["type"] == "unlink":
            self._unlink(ids, timestamp)
        elif message["type"] == "customobjectinstance":
            self._instance(message, ids, timestamp)
        else:
            self._upsert(message, ids, timestamp)

    def _parent_id(self, name: str, external_id: str) -> str:
        row = self._row(KEYS[name], external_id)
        if row is None and self.switches.orphans == "create":
            row = self.workspace.insert(KEYS[name], {"externalId": external_id, "name": external_id})
        if row is None:
            raise OrphanError
        return str(row["id"])

    def _upsert(self, message: Row, ids: dict[str, str], timestamp: str) -> None:
        name = OWN_KEY[message["type"]]
        resource, external_id = KEYS[name], message[name]
        row = self._row(resource, external_id)
        values = self._values(resource, message.get("traits") or {}, row is None)
        if row is not None and self._is_late(resource, row["id"], timestamp):
            values = {}
        if resource == "accounts" and "organizationId" in ids:
            values["organizationId"] = ids["organizationId"]
        if resource == "users":
            for parent, links in (("accountId", "accountIds"), ("organizationId", "organizationIds")):
                old = row[links] if row else []
                # The account named last is the one an event without an account is counted for.
                values[links] = [*(i for i in old if i != ids.get(parent)), *filter(None, [ids.get(parent)])]
        if row is None:
            row = self.workspace.insert(resource, {"name": None, **values, "externalId": external_id})
            self._date(resource, row, timestamp)
        else:
            self._change(resource, row, values, timestamp)
        self._remember(resource, row["id"], timestamp)

    def _instance(self, message: Row, ids: dict[str, str], timestamp: str) -> None:
        custom_object = message["customObjectId"]
        if self.workspace.tables["customObjects"].get(custom_object) is None:
            return
        rows = self.workspace.tables["instances"].by_external_id(message["externalId"])
        if self.switches.archived_upsert == "is made anew":
            rows = [row for row in rows if not row["archivedAt"]]
        row = next((row for row in rows if row["customObjectId"] == custom_object), None)
        traits = known_traits(self.workspace, "customObjects", message["traits"], custom_object)
        values: Row = {"traits": self._traits(traits, row is None)}
        if "name" in message or row is None:
            values["name"] = message.get("name") or message["externalId"]
        if row is not None and self._is_late("instances", row["id"], timestamp):
            values = {}
        if "accountId" in ids:
            values["customerId"] = ids["accountId"]
        if "organizationId" in ids:
            values["organizationId"] = ids["organizationId"]
        if row is None:
            key = {"externalId": message["externalId"], "customObjectId": custom_object}
            row = self.workspace.insert("instances", {**values, **key})
            self._date("instances", row, timestamp)
        else:
            self._change("instances", row, {**values, **revived(self.workspace, row)}, timestamp)
        self._remember("instances", row["id"], timestamp)

    def _track(self, message: Row, ids: dict[str, str]) -> None:
        if "userId" in ids and "accountId" not in ids:
            linked = self.workspace.get("users", ids["userId"])["accountIds"]
            if linked:
                message["accountId"] = self.workspace.get("accounts", linked[-1])["externalId"]
        self.workspace.events.append(message)

    def _unlink(self, ids: dict[str, str], timestamp: str) -> None:
        user = self.workspace.get("users", ids["userId"])
        if ids["accountId"] in user["accountIds"]:
            remaining = [i for i in user["accountIds"] if i != ids["accountId"]]
            self._change("users", user, {"accountIds": remaining}, timestamp)

    def _change(self, resource: str, row: Row, values: Row, timestamp: str) -> None:
        """Change a row; what that does to its `updatedAt` is up to a switch."""
        self.workspace.update(resource, row["id"], values, bump=self.switches.updated_at_by_message == "moves")
        self._date(resource, row, timestamp)

    def _date(self, resource: str, row: Row, timestamp: str) -> None:
        """Let the `updatedAt` of a row that was changed move otherwise than at once."""

        def move() -> None:
            if self.workspace.tables[resource].get(row["id"]) is not None:
                self.workspace.update(resource, row["id"], {})

        if self.switches.updated_at_by_message == "to its timestamp":
            self.workspace.update(resource, row["id"], {"updatedAt": timestamp})
        elif self.switches.updated_at_by_message == "a minute later":
            self.workspace.later(self.workspace.clock.now() + timedelta(minutes=1), move)

    # Helpers

    def _row(self, resource: str, external_id: str) -> Row | None:
        rows = self.workspace.tables[resource].by_external_id(external_id)
        return rows[0] if rows else None

    def _values(self, resource: str, traits: Row, new: bool) -> Row:
        """Return the attributes and traits a message sets: a few traits are attributes of the row."""
        known = SPECIAL_TRAITS[resource]
        special = {
            attribute: as_stored(traits[name]) if attribute == "joinDate" else traits[name]
            for name, attribute in known.items()
            if name in traits and attribute in RESOURCES[resource].attributes
        }
        plain = {key: value for key, value in traits.items() if known.get(key) not in special}
        if not self.switches.analytics_null_removes:
            special = {key: value for key, value in special.items() if value is not None}
        plain = self._traits(plain, new)
        return {**special, **fed_attributes(self.workspace, resource, plain), "traits": plain}

    def _traits(self, traits: Row, new: bool) -> Row:
        if new or not self.switches.analytics_null_removes:
            return {key: value for key, value in traits.items() if value is not None}
        return traits

    def _is_late(self, resource: str, identifier: str, timestamp: str) -> bool:
        if self.switches.older_timestamp_overwrites:
            return False
        return timestamp < self._newest.get((resource, identifier), "")

    def _remember(self, resource: str, identifier: str, timestamp: str) -> None:
        self._newest[resource, identifier] = max(timestamp, self._newest.get((resource, identifier), ""))
