"""Airbyte's platform as far as a destination can tell: what its menu offers, and what a job then sends.

    accounts = SourceStream("accounts", {"id": {"type": "string"}}, source_defined_primary_key=[["id"]])
    registry = Destination.from_registry(spec["supported_destination_sync_modes"])
    job = Connection(registry, Selected(accounts, FULL_REFRESH_OVERWRITE)).job("sync")
    job.catalog                      # the configured catalog, as `--catalog` has it
    job.delivered(source_messages)   # what then arrives on stdin

A mode that nobody can choose raises `NotOffered`, so no test can stand on it. Each rule names the classes of
github.com/airbytehq/airbyte-platform (read in August 2026) that it was read in; none of it is Airbyte's code.
"""

from integration_tests.airbyte_platform.connection import CLEAR, JOBS, MERGE, SYNC, TRUNCATE, Connection, Job, Selected
from integration_tests.airbyte_platform.modes import (
    FULL_REFRESH_APPEND,
    FULL_REFRESH_OVERWRITE,
    FULL_REFRESH_OVERWRITE_DEDUP,
    INCREMENTAL_APPEND,
    INCREMENTAL_APPEND_DEDUP,
    MENU,
    Destination,
    Mode,
    NotOffered,
    SourceStream,
    accepted_by_api,
    offered,
)
from integration_tests.airbyte_platform.replication import Renaming

__all__ = [
    "CLEAR",
    "FULL_REFRESH_APPEND",
    "FULL_REFRESH_OVERWRITE",
    "FULL_REFRESH_OVERWRITE_DEDUP",
    "INCREMENTAL_APPEND",
    "INCREMENTAL_APPEND_DEDUP",
    "JOBS",
    "MENU",
    "MERGE",
    "SYNC",
    "TRUNCATE",
    "Connection",
    "Destination",
    "Job",
    "Mode",
    "NotOffered",
    "Renaming",
    "Selected",
    "SourceStream",
    "accepted_by_api",
    "offered",
]
