"""A warehouse that PyAirbyte fills and dbt builds: DuckDB as it is, or a Postgres that is given its tables."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration_tests.harness import source_config
from integration_tests.platforms.programs import HERE, connector, run, tool
from integration_tests.sandbox import Sandbox
from shipping.dbt_package import INSTANCES, streams
from shipping.names import ROOT
from unit_tests.pages import Page
from vitally_api.names import STREAM_PREFIX

ROWS = (
    *("accounts", "organizations", "users", "conversations", "messages", "notes", "tasks", "projects", "meetings"),
    *("meeting_transcripts", "nps_responses", "account_health_score_components", "survey_responses", "custom_objects"),
    *("custom_object_deal_room", "custom_object_feature_request"),
)
IDS = tuple(stream.name for stream in streams() if stream.is_of_ids)
SCHEMA = "vitally"
PROFILES = """
warehouse:
  outputs:
    duckdb: {{type: duckdb, path: '{database}', schema: analytics, threads: 2}}
    postgres:
      {{type: postgres, host: '{host}', port: 5432, user: vitally, password: '', dbname: postgres,
       schema: analytics, threads: 2}}
"""


@dataclass
class Warehouse:
    """One of dbt's targets, and a project that uses the package as docs/dbt.md says."""

    target: str
    database: Path
    project: Path
    host: Path | None = None

    def prepare(self) -> None:
        """Write the project and take the package over."""
        packages, settings = re.findall(r"```yaml\n(.*?)```", Page("dbt.md").text, re.DOTALL)[:2]
        local = re.sub(r"- git: .*\n.*revision: .*\n.*subdirectory: dbt\n", f"- local: {ROOT / 'dbt'}\n", packages)
        assert local != packages
        self.project.mkdir()
        (self.project / "packages.yml").write_text(local)
        (self.project / "dbt_project.yml").write_text(f"name: team\nprofile: warehouse\n{settings}")
        (self.project / "profiles.yml").write_text(PROFILES.format(database=self.database, host=self.host))
        self.dbt("deps")

    def dbt(self, *arguments: str) -> str:
        """Run a command of dbt, see it succeed, and return what it printed."""
        quiet = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_PROFILES_DIR": str(self.project)}
        chosen = [] if arguments == ("deps",) else ["--target", self.target]
        return run(tool("dbt") / "dbt", *arguments, *chosen, folder=self.project, **quiet)

    def fill(self) -> None:
        """Bring into it what PyAirbyte wrote."""
        if self.host is not None:
            known = {stream.name: list(stream.columns) for stream in streams()}
            named = {table: known[INSTANCES if table.startswith(STREAM_PREFIX) else table] for table in (*ROWS, *IDS)}
            program = tool("dbt") / "python"
            run(program, HERE / "copy_into_postgres.py", str(self.database), self._address, json.dumps(named))

    def query(self, sql: str) -> list[list[Any]]:
        """Return rows; tables of models need no schema before their names."""
        place = self._address if self.host is not None else str(self.database)
        printed = run(
            tool("dbt") / "python",
            HERE / "query.py",
            place,
            re.sub(r"from (?=(stg_)?vitally__)", "from analytics.", sql),
        )
        rows: list[list[Any]] = json.loads(printed)
        return rows

    @property
    def _address(self) -> str:
        return f"host={self.host} user=vitally dbname=postgres"


def reader(sandbox: Sandbox, database: Path) -> Callable[[], None]:
    """Return what syncs a workspace into a DuckDB file as docs/dbt.md says: rows are merged, ids replaced."""
    surveys = [row["id"] for row in sandbox.workspace.rows("surveys")]
    wish: dict[str, Any] = {
        "source": str(connector("source-vitally")),
        "source_config": source_config(
            sandbox.url,
            sandbox.rest_key,
            requests_per_minute=100_000,
            lookback_minutes=0,
            survey_ids=surveys,
            flatten_traits=True,
        ),
        "database": str(database),
        "streams": ROWS,
        "ids": IDS,
    }
    return lambda: print(run(tool("pyairbyte") / "python", HERE / "read_with_pyairbyte.py", json.dumps(wish)))
