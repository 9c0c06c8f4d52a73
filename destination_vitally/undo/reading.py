"""Files of journals, read as what anybody may have written: bounded, checked line by line, refused in a sentence."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from destination_vitally.errors import ConfigError
from destination_vitally.journal.lines import LONGEST, Header, Intent, Line, Outcome, Trailer
from destination_vitally.mapping.values import moment

GZIPPED = b"\x1f\x8b"

_CURE = "Give files out of the folder journal of the bucket, as they were stored there"


class Trust(NamedTuple):
    """What a file must be to be believed.

    Attributes:
        workspace: the address of the REST API of the workspace that is undone.
        key: the key that files are signed with.
        any_workspace: whether journals of other workspaces are taken too.
        unsigned: whether files are taken that are not whole, or not signed with this key.
    """

    workspace: str
    key: str
    any_workspace: bool = False
    unsigned: bool = False


class Place(NamedTuple):
    """Where a line stands among all lines of all syncs: what is greater came later. `started_at` is in UTC."""

    started_at: str
    sync_id: int
    attempt: int
    seq: int
    run: str = ""


class Entry(NamedTuple):
    """An intent or an outcome, and the path of the file it is from."""

    place: Place
    said: Intent | Outcome
    path: str


def read(paths: Iterable[str], trust: Trust) -> Iterator[Entry]:
    """Yield the intents and outcomes of files, gzipped or not, in the order of the lines.

    All of a file is yielded before it is known whether it may be believed: act when the last one is read.

    Raises:
        ConfigError: a file cannot be read, is no journal that can be undone, or may not be believed.
    """
    for path in paths:
        with _opened(path) as file:
            yield from _entries(path, file, trust)


@contextmanager
def _opened(path: str) -> Iterator[io.BufferedIOBase]:
    """Open a file to be read as it was before it was zipped."""
    try:
        with Path(path).open("rb") as file:
            if file.peek(len(GZIPPED)).startswith(GZIPPED):
                with gzip.GzipFile(fileobj=file) as unzipped:
                    yield unzipped
            else:
                yield file
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "it is not whole; copy it out of the bucket again"
        raise ConfigError(f"The journal cannot be read: {reason}: {path}") from None


def _entries(path: str, file: io.BufferedIOBase, trust: Trust) -> Iterator[Entry]:
    signed = hmac.new(trust.key.encode(), digestmod=hashlib.sha256)
    trailer: Trailer | None = None
    sync: Place | None = None
    number = 0
    while content := file.readline(LONGEST + 1):
        number += 1
        line = _parsed(path, number, content)
        if trailer or (line.header is None) is (sync is None):
            raise _no_journal(path, number)
        if line.header:
            sync = _sync_of(path, line.header, trust)
        elif line.trailer:
            trailer = line.trailer
            if trailer.lines != number - 1:
                trailer = trailer.model_copy(update={"lines": -1})
            continue
        elif sync and (said := line.intent or line.outcome):
            yield Entry(sync._replace(seq=said.seq), said, path)
        signed.update(content)
    if sync is None:
        raise _no_journal(path, 1)
    if not trust.unsigned:
        _check_end(path, trailer, signed.hexdigest())


def _parsed(path: str, number: int, content: bytes) -> Line:
    if len(content) > LONGEST:
        raise ConfigError(f"Line {number} of {path} has more than {LONGEST} bytes, which no line of a journal has.")
    try:
        line = Line.model_validate_json(content)
    except ValidationError:
        raise _no_journal(path, number) from None
    if len(line.model_fields_set) != 1 or None in (getattr(line, name) for name in line.model_fields_set):
        raise _no_journal(path, number)
    return line


def _no_journal(path: str, number: int) -> ConfigError:
    return ConfigError(f"{path} is no journal of a sync, by its line {number}. {_CURE}.")


def _sync_of(path: str, header: Header, trust: Trust) -> Place:
    """Return where the lines of a file stand, without their own number."""
    try:
        started = moment(header.started_at)
    except ValueError:
        raise _no_journal(path, 1) from None
    if header.workspace != trust.workspace and not trust.any_workspace:
        raise ConfigError(
            f"{path} is of another workspace: {header.workspace}, while Data center (data_center) is of "
            f"{trust.workspace}. Undo it with the configuration of that workspace; if both are one and the same, add "
            "--any-workspace."
        )
    if header.dry_run:
        raise ConfigError(f"{path} is of a dry run, which sent nothing: leave it out.")
    if header.journal == "outcomes":
        raise ConfigError(
            f"{path} does not say what was there before, so it cannot be undone: Keep a journal (journal) was set to "
            f"{header.journal}. Only what is synced with changes can."
        )
    return Place(started, header.sync_id, header.attempt, 0, header.run)


def _check_end(path: str, trailer: Trailer | None, signature: str) -> None:
    if trailer is None or trailer.lines < 0:
        raise ConfigError(
            f"{path} is not whole: lines are missing. Copy it out of the bucket again; to undo what is in it, add "
            "--unsigned."
        )
    if not hmac.compare_digest(trailer.hmac or "", signature):
        raise ConfigError(
            f"{path} is not signed with this REST API key (secret_token), or was changed since. If you know where it "
            "comes from, as where the key is a new one, add --unsigned."
        )
