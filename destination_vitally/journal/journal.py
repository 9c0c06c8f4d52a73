"""The journal of a sync, on its way into the bucket."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

from destination_vitally.clock import Clock
from destination_vitally.config import Config
from destination_vitally.journal.lines import VERSION, signature
from destination_vitally.lines import dumps
from destination_vitally.mapping.values import moment_of
from destination_vitally.outcomes.files import Files, folder_of, stamp

if TYPE_CHECKING:
    from destination_vitally.outcomes.bucket import Bucket

ATTEMPT = "WORKER_JOB_ATTEMPT"
"""The variable in which Airbyte gives the number of the attempt, from 0. A later one may go on where another ended."""

FOLDER = "journal"


def attempt() -> int:
    """Return the number of this attempt of the sync, from 0."""
    given = os.environ.get(ATTEMPT, "")
    return int(given) if given.isdecimal() else 0


class Journal:
    """Takes intents and outcomes, numbers them, and stores them in a folder, `journal/<sync_id>/<time>-<attempt>`.

    What was taken is durable after `flush`, and not before. Safe to use from several threads.

    Attributes:
        how: what is kept, as it is set.
        is_dry_run: whether nothing is sent.
    """

    def __init__(self, bucket: Bucket, clock: Clock, config: Config, sync_id: int) -> None:
        header = {
            "v": VERSION,
            "workspace": config.data_center.rest,
            "sync_id": sync_id,
            "attempt": attempt(),
            "started_at": moment_of(clock.now() * 1000),
            "run": uuid.uuid4().hex[:12],
            "journal": config.journal,
            "dry_run": config.dry_run,
        }
        self.how = config.journal
        self.is_dry_run = config.dry_run
        self._files = Files(bucket, clock, "jsonl", framed(header, config.secret_token))
        self._folder = folder_of(FOLDER, sync_id, f"{stamp(clock)}-{attempt()}")
        self._seq = count(1)

    def number(self) -> int:
        """Return a number that no other intent or outcome has."""
        return next(self._seq)

    def intend(self, intent: dict[str, Any]) -> int:
        """Take an intent without its number; returns that."""
        seq = self.number()
        self._files.add(self._folder, dumps({"intent": {"seq": seq, **intent}}) + b"\n")
        return seq

    def outcome(self, outcome: dict[str, Any]) -> None:
        """Take an outcome."""
        self._files.add(self._folder, dumps({"outcome": outcome}) + b"\n")

    @property
    def is_full(self) -> bool:
        """Whether so much was taken that it should be stored without waiting."""
        return self._files.is_full

    def flush(self) -> None:
        """Store what was taken; raises as `Bucket.put`, and then still has what is not stored."""
        self._files.flush()


def framed(header: dict[str, Any], key: str | None) -> Callable[[list[bytes]], bytes]:
    """Return what puts a header and a signed trailer around the lines of a file."""
    first = dumps({"header": header}) + b"\n"

    def frame(lines: list[bytes]) -> bytes:
        content = b"".join([first, *lines])
        trailer = {"lines": len(lines) + 1, "hmac": signature(content, key)}
        return content + dumps({"trailer": trailer}) + b"\n"

    return frame
