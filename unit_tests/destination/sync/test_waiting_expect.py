"""What of the messages of a sync is kept, since somebody may ask for it."""

from __future__ import annotations

from typing import Any

import pytest

from destination_vitally.objects.table import BY_NAME
from destination_vitally.rows.facts import Taken
from destination_vitally.rows.memory import Memory
from destination_vitally.sync.waiting import expect
from unit_tests.clock import QuickClock
from unit_tests.destination.builders import change, configured, plans, settings
from unit_tests.destination.syncs import GONE

ACCOUNT, USER = BY_NAME["account"], BY_NAME["user"]
SENT = [
    change("account", "upsert", {"externalId": "a", "name": "N"}),
    change("user", "upsert", {"externalId": "u", "accountId": "a"}),
]
COLUMNS = {
    "accounts": ["externalId", "name"],
    "users": ["externalId", "accountId"],
    "notes": ["externalId", "accountId", "note", "noteDate"],
    "links": ["userId", "accountId"],
    "people": ["externalId", "accountId", "unsubscribedFromConversations"],
}
PEOPLE = [{"stream": "people", "object": "user", "other_columns": "traits"}]
LINKS = [{"stream": "links", "object": "membership", "operation": "upsert", "other_columns": "traits"}]


@pytest.mark.parametrize(
    ("streams", "chosen", "compares", "sent", "contents"),
    [
        # Nothing depends on events, and nobody can write an account but by a batch.
        (["accounts"], {"secret_token": None}, False, "", ""),
        (["accounts"], {}, False, "", ""),
        # What compares must know what was sent.
        (["accounts", "users"], {"secret_token": None}, True, "account user", ""),
        # Rows that others refer to.
        (["accounts", "users"], {"secret_token": None}, False, "account", ""),
        (["accounts", "notes"], {}, False, "account", ""),
        (["accounts", "links"], {"mappings": LINKS, "secret_token": None}, False, "account user", ""),
        # What may be written by REST after a batch has to wait until the message has acted.
        (["accounts"], {"allow_deletes": True}, False, "account", "account"),
        (["accounts", "users"], {"allow_deletes": True}, False, "account user", "account user"),
        (["users", "people"], {"mappings": PEOPLE}, False, "user", "user"),
    ],
)
def test_of_messages_is_kept_what_somebody_may_ask_for(
    streams: list[str], chosen: dict[str, Any], compares: bool, sent: str, contents: str
) -> None:
    """Given the streams of a sync, when messages were taken, then it is known which were sent and what was in them."""
    memory = Memory(QuickClock())
    catalog = [configured(name, properties=[*COLUMNS[name], *GONE]) for name in streams]
    expect(memory, list(plans(settings(**chosen), *catalog).values()), compares=compares)
    memory.note(Taken(SENT, None))
    keys = {"account": (ACCOUNT, "a"), "user": (USER, "u")}
    found = {name: memory.ask(entry, (name, "externalId", key)) for name, (entry, key) in keys.items()}
    assert [name for name, answer in found.items() if answer.was_sent] == sent.split()
    assert [name for name, (entry, key) in keys.items() if memory.content(entry, key)] == contents.split()
