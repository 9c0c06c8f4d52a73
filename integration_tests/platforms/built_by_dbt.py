"""The dbt package on what PyAirbyte read: two syncs with edits, archived rows and deletions between them.

What the models say happened is what happened in the workspace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any

import pytest

from integration_tests.harness import Json
from integration_tests.platforms import postgres
from integration_tests.platforms.warehouse import ROWS, Warehouse, reader
from integration_tests.round_trip import without_untracked
from integration_tests.sandbox import Sandbox
from integration_tests.source.reference import everything

RESOURCES = {
    "accounts": "accounts",
    "organizations": "organizations",
    "users": "users",
    "conversations": "conversations",
    "messages": "messages",
    "notes": "notes",
    "tasks": "tasks",
    "projects": "projects",
    "meetings": "meetings",
    "meeting_transcripts": "meetingTranscripts",
    "nps_responses": "npsResponses",
}
TRAITS = {"plan name": "Enterprise", "vitally.custom.tier": None}
ARCHIVED = ("notes", "tasks", "projects", "meetings")
TARGETS = ("duckdb", *(["postgres"] if postgres.programs() else []))


class Story:
    """A workspace, what happens in it between two syncs, and what is true before and after."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = without_untracked(sandbox)
        self.workspace = sandbox.workspace
        self.before = {name: self.workspace.rows(table) for name, table in RESOURCES.items()}
        self.instances = self._instances()
        scored = (row["id"] for row in self.before["accounts"] if row["healthScore"] is not None)
        self.gone_account, self.upgraded, self.steady = islice(scored, 3)

    def _instances(self) -> list[Json]:
        read = {
            row["id"] for row in self.workspace.rows("customObjects") if row["name"] in ("dealRoom", "featureRequest")
        }
        return [row for row in self.workspace.rows("instances") if row["customObjectId"] in read]

    def happen(self) -> None:
        """Edit, archive, add and delete."""
        self.sandbox.clock.advance(3600)
        change, delete = self.workspace.update, self.workspace.delete
        change("accounts", self.upgraded, {"name": "Renamed", "healthScore": 1.5, "traits": TRAITS})
        for table in (*ARCHIVED, "instances"):
            live = next(row for row in self.workspace.rows(table) if not row["archivedAt"])
            self.workspace.archive(table, live["id"])
        delete("accounts", self.gone_account)
        for table in ("organizations", "users", "conversations", "notes", "tasks", "projects", "meetings"):
            delete(table, self.workspace.rows(table)[-1]["id"])
        self.workspace.insert("users", {"externalId": "new", "name": "New", "accountIds": [self.upgraded]})
        delete("npsResponses", self.workspace.rows("npsResponses")[0]["id"])
        delete("instances", self._instances()[-1]["id"])
        message = next(row for row in self.workspace.rows("messages") if self._has_others(row))
        delete("messages", message["id"])
        change("conversations", message["conversationId"], {"subject": "One message less"})

    def _has_others(self, message: Json) -> bool:
        return len(self.workspace.scoped("messages", "conversationId", message["conversationId"])) > 1

    def now(self, stream: str) -> list[Json]:
        """The rows that are there after all that."""
        return self._instances() if stream == "custom_object_instances" else self.workspace.rows(RESOURCES[stream])

    def gone(self, stream: str) -> set[str]:
        """The ids of the rows that were there before, and are not any more."""
        before = self.instances if stream == "custom_object_instances" else self.before[stream]
        return {row["id"] for row in before} - {row["id"] for row in self.now(stream)}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Story, dict[str, Warehouse]]]:
    """Read, build, let things happen, read and build again."""
    folder = tmp_path_factory.mktemp("warehouse")
    with ExitStack() as stack:
        story = Story(stack.enter_context(Sandbox(seed=1)))
        sync = reader(story.sandbox, folder / "workspace.duckdb")
        warehouses = {
            name: Warehouse(
                name,
                folder / "workspace.duckdb",
                folder / name,
                stack.enter_context(postgres.served()) if name == "postgres" else None,
            )
            for name in TARGETS
        }
        sync()
        for warehouse in warehouses.values():
            warehouse.prepare()
            warehouse.fill()
            warehouse.dbt("build", "--quiet", "--exclude-resource-type", "test")
        story.happen()
        sync()
        for warehouse in warehouses.values():
            warehouse.fill()
            warehouse.dbt("build", "--quiet")
        yield story, warehouses


@pytest.fixture
def story(built: tuple[Story, dict[str, Warehouse]]) -> Story:
    return built[0]


@pytest.fixture(params=TARGETS)
def warehouse(request: Any, built: tuple[Story, dict[str, Warehouse]]) -> Warehouse:
    return built[1][request.param]


def pairs(rows: list[list[Any]]) -> set[tuple[Any, ...]]:
    found = {tuple(row) for row in rows}
    assert len(found) == len(rows), "a row is there twice"
    return found


def test_deleted_is_what_is_gone_from_the_workspace_and_nothing_else(story: Story, warehouse: Warehouse) -> None:
    for stream in (*RESOURCES, "custom_object_instances"):
        found = warehouse.query(f"select id, is_deleted from stg_vitally__{stream}")
        assert {i for i, deleted in found if deleted} == story.gone(stream), stream
        assert {i for i, deleted in found if not deleted} == {row["id"] for row in story.now(stream)}, stream
        assert story.gone(stream), f"nothing happened to {stream}"


def test_what_hangs_on_a_deleted_account_is_deleted(story: Story, warehouse: Warehouse) -> None:
    rows = warehouse.query("select distinct account_id, is_deleted from stg_vitally__account_health_score_components")
    assert {i for i, deleted in rows if deleted} == story.gone("accounts")


@pytest.mark.parametrize("stream", [*ARCHIVED, "custom_object_instances"])
def test_archived_rows_have_their_time_and_are_not_deleted(story: Story, warehouse: Warehouse, stream: str) -> None:
    rows = warehouse.query(f"select id from stg_vitally__{stream} where archived_at is not null and not is_deleted")
    assert {i for (i,) in rows} == {row["id"] for row in story.now(stream) if row["archivedAt"]}


def test_rows_are_as_they_were_edited(story: Story, warehouse: Warehouse) -> None:
    found = warehouse.query("select id, name, external_id from stg_vitally__accounts where not is_deleted")
    assert pairs(found) == {(row["id"], row["name"], row["externalId"]) for row in story.now("accounts")}


LINKS: dict[str, tuple[str, str, Callable[[Json], list[str]]]] = {
    "user_accounts": ("users", "accounts", lambda row: row["accountIds"]),
    "user_organizations": ("users", "organizations", lambda row: row["organizationIds"]),
    "meeting_accounts": ("meetings", "accounts", lambda row: row["accountIds"]),
    "meeting_organizations": ("meetings", "organizations", lambda row: row["organizationIds"]),
    "task_projects": ("tasks", "projects", lambda row: [project["id"] for project in row["projects"]]),
}


@pytest.mark.parametrize("link", LINKS)
def test_links_are_those_of_the_workspace(story: Story, warehouse: Warehouse, link: str) -> None:
    """But for those to a deleted row, whether or not Vitally goes on naming it."""
    stream, others, of = LINKS[link]
    named = {(i, other) for i, row in everything(story.sandbox, stream).items() for other in of(row)}
    truth = {(i, other) for i, other in named if other not in story.gone(others)}
    assert pairs(warehouse.query(f"select * from vitally__{link}")) == truth
    assert truth


def test_conversations_are_linked_with_those_of_their_messages(story: Story, warehouse: Warehouse) -> None:
    truth = {
        (message["conversationId"], kind, i)
        for message in everything(story.sandbox, "messages").values()
        for kind in ("account", "user", "admin")
        for i in message[f"{kind}Ids"]
        if kind == "admin" or i not in story.gone(f"{kind}s")
    }
    found = pairs(warehouse.query("select * from vitally__conversation_links where object <> 'organization'"))
    assert found == truth


def test_lists_inside_rows_are_unpacked(story: Story, warehouse: Warehouse) -> None:
    accounts = everything(story.sandbox, "accounts").values()
    holders = {
        (row["id"], held["keyRole"]["id"], held["vitallyUser"]["id"]) for row in accounts for held in row["keyRoles"]
    }
    sql = "select object_id, key_role_id, admin_id from vitally__key_role_holders where object = 'account'"
    assert pairs(warehouse.query(sql)) == holders
    segments = {(row["id"], segment["name"]) for row in accounts for segment in row["segments"]}
    sql = "select object_id, segment from vitally__segment_members where object = 'account'"
    assert pairs(warehouse.query(sql)) == segments
    tags = {(row["id"], tag) for row in everything(story.sandbox, "notes").values() for tag in row["tags"]}
    assert pairs(warehouse.query("select object_id, tag from vitally__tags where object = 'note'")) == tags
    people = warehouse.query("select meeting_id, email from vitally__meeting_participants where email like '%nowhere%'")
    assert pairs(people) == {(row["id"], "stranger@nowhere.example") for row in story.now("meetings")}
    heard = {
        (row["id"], role, person["type"], person["id"])
        for row in everything(story.sandbox, "messages").values()
        for role, people in (("sender", [row["from"]]), ("recipients", row["to"]))
        for person in people
    }
    assert pairs(warehouse.query("select * from vitally__message_participants")) == heard
    answers = {row[0] for row in warehouse.query("select distinct answer from vitally__survey_answers")}
    assert {"Gut", "3"} <= answers


def test_history_says_what_was_when(story: Story, warehouse: Warehouse) -> None:
    before = {row["id"]: row for row in story.before["accounts"]}

    def history(table: str, account: str, what: str, column: str) -> list[list[Any]]:
        return warehouse.query(
            f"select {what}, valid_to is null from vitally__{table} where object = 'account'"
            f" and object_id = '{account}' and {column} order by valid_from"
        )

    def scores(account: str) -> list[tuple[float, bool]]:
        found = history("health_score_history", account, "score", "component is null")
        return [(float(score), is_current) for score, is_current in found]

    old = [before[i]["healthScore"] for i in (story.upgraded, story.steady, story.gone_account)]
    assert scores(story.upgraded) == [(old[0], False), (1.5, True)]
    assert scores(story.steady) == [(old[1], True)]
    assert scores(story.gone_account) == [(old[2], False)]
    assert len(history("health_score_history", story.upgraded, "score", "component is not null")) == 4

    plans = history("trait_history", story.upgraded, "value", "trait = 'plan name'")
    assert plans == [["Team", False], ["Enterprise", True]]
    tiers = history("trait_history", story.upgraded, "value", "trait = 'vitally.custom.tier'")
    assert tiers == [[before[story.upgraded]["traits"]["vitally.custom.tier"], False]]
    assert not any(is_current for _, is_current in history("trait_history", story.gone_account, "value", "true"))


def test_a_stream_that_is_not_read_has_a_model_without_rows(warehouse: Warehouse) -> None:
    assert "admins" not in ROWS
    assert warehouse.query("select id, license_status from stg_vitally__admins") == []


def test_columns_of_custom_fields_are_passed_on(story: Story, built: tuple[Story, dict[str, Warehouse]]) -> None:
    found = built[1]["duckdb"].query("select id, trait_tier from stg_vitally__accounts where not is_deleted")
    assert pairs(found) == {(row["id"], row["traits"].get("vitally.custom.tier")) for row in story.now("accounts")}


# The last ones write into tables of DuckDB, where models are views and show it at once.


def test_a_row_is_deleted_only_if_it_arrived_before_the_ids(built: tuple[Story, dict[str, Warehouse]]) -> None:
    duckdb = built[1]["duckdb"]
    rows = "('late', '2999-01-01'), ('early', '2001-01-01')"
    duckdb.query(f"insert into vitally.accounts (id, _airbyte_extracted_at) values {rows}")
    found = duckdb.query("select id, is_deleted from stg_vitally__accounts where id in ('late', 'early')")
    assert pairs(found) == {("late", False), ("early", True)}
    duckdb.query("delete from vitally.account_ids")
    assert duckdb.query("select id from stg_vitally__accounts where is_deleted") == [], "no ids at all are no proof"


def test_of_several_versions_of_a_row_the_newest_counts(built: tuple[Story, dict[str, Warehouse]]) -> None:
    duckdb = built[1]["duckdb"]
    before = duckdb.query("select * from stg_vitally__notes order by id")
    older = "select id, 'older', timestamp '2001-01-01' from vitally.notes"
    duckdb.query(f"insert into vitally.notes (id, subject, _airbyte_extracted_at) {older}")
    assert duckdb.query("select * from stg_vitally__notes order by id") == before != []


def test_ids_are_fresh_and_those_that_stay_from_an_older_sync_are_found(
    built: tuple[Story, dict[str, Warehouse]],
) -> None:
    warehouse = built[1]["duckdb"]
    warehouse.dbt("source", "freshness", "--select", "source:vitally.user_ids")
    older = "* replace (_airbyte_extracted_at - interval 1 day as _airbyte_extracted_at)"
    warehouse.query(f"insert into vitally.user_ids (select {older} from vitally.user_ids limit 1)")
    with pytest.raises(AssertionError, match="read_at_once"):
        warehouse.dbt("test", "--select", "source:vitally.user_ids")
