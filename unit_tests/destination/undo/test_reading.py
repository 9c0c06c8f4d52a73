"""Files of journals are read line by line, and refused in a sentence that says what to do."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from destination_vitally.errors import ConfigError
from destination_vitally.journal.lines import LONGEST, Intent, Outcome
from destination_vitally.undo.reading import Place, read
from unit_tests.destination.undo.journals import HEADER, HERE, KEY, TRUST, file_of, intent, outcome, value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "1.jsonl.gz"


@pytest.mark.parametrize("is_zipped", [True, False])
def test_lines_come_in_their_order(path: Path, is_zipped: bool) -> None:
    lines: list[Intent | Outcome] = [intent(3, value()), outcome(2), outcome(3, seen={"name": "b"})]
    name = file_of(path, *lines)
    if not is_zipped:
        path.write_bytes(gzip.decompress(path.read_bytes()))
    found = [*read([name, name], TRUST)]
    assert [one.said for one in found] == lines * 2
    assert found[0].place == Place("2026-01-01T00:00:00.000Z", 7, 0, 3)
    assert {one.path for one in found} == {name}


def test_times_of_other_zones_are_put_in_order(path: Path) -> None:
    later = HEADER.model_copy(update={"started_at": "2026-01-01T01:00:00+02:00"})
    [found] = read([file_of(path, intent(), header=later)], TRUST)
    assert found.place.started_at < HEADER.started_at


def changed(**changes: Any) -> Callable[[Path], Any]:
    """Write a good file with another header."""
    return lambda path: file_of(path, intent(), header=HEADER.model_copy(update=changes))


def plain(edit: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Change the contents of a good file."""

    def write(path: Path) -> None:
        file_of(path, intent(1, value()), outcome())
        path.write_bytes(edit(gzip.decompress(path.read_bytes())))

    return write


def lines(*wanted: int) -> Callable[[Path], None]:
    """Leave only some lines of a good file, in this order."""
    return plain(lambda content: b"".join(content.splitlines(keepends=True)[one] for one in wanted))


REFUSED: list[tuple[str, Callable[[Path], Any], str]] = [
    ("no file", lambda path: None, "The journal cannot be read: No such file or directory"),
    ("a folder", lambda path: path.mkdir(), "The journal cannot be read: Is a directory"),
    ("nothing", lambda path: path.write_bytes(b""), "is no journal of a sync, by its line 1. Give files out of"),
    ("cut gzip", lambda path: path.write_bytes(gzip.compress(b"x" * 99)[:-9]), "it is not whole; copy it out"),
    ("broken gzip", lambda path: path.write_bytes(b"\x1f\x8b\x08\x00" + b"secret" * 9), "it is not whole"),
    ("gzip in gzip", lambda path: path.write_bytes(gzip.compress(gzip.compress(b"secret"))), "by its line 1"),
    ("a picture", lambda path: path.write_bytes(b"\x89PNG\xff\xfe\n"), "by its line 1"),
    ("another file", lambda path: path.write_bytes(b'{"record": {"secret": 1}, "reason": ""}\n'), "by its line 1"),
    ("deep", lambda path: path.write_bytes(b'{"header":' + b"[" * 100_000), "by its line 1"),
    ("no header", lines(1, 2, 3), "by its line 1"),
    ("two headers", lines(0, 0, 1, 3), "by its line 2"),
    ("after the trailer", lines(0, 1, 3, 2), "by its line 4"),
    ("two trailers", lines(0, 1, 2, 3, 3), "by its line 5"),
    ("a line of nothing", plain(lambda content: content.replace(b"\n", b"\n\n", 1)), "by its line 2"),
    ("an empty object", plain(lambda content: content.replace(b"\n", b"\n{}\n", 1)), "by its line 2"),
    ("a null", plain(lambda content: content.replace(b"\n", b'\n{"intent":null}\n', 1)), "by its line 2"),
    ("two members", plain(lambda c: c.replace(b'{"outcome"', b'{"intent":null,"outcome"')), "by its line 3"),
    ("an unknown operation", plain(lambda content: content.replace(b'"update"', b'"destroy"')), "by its line 2"),
    ("another version", plain(lambda content: content.replace(b'"v":1', b'"v":2')), "by its line 1"),
    ("a time that is none", changed(started_at="soon"), "by its line 1"),
    ("dry run", changed(dry_run=True), "is of a dry run, which sent nothing: leave it out."),
    ("outcomes alone", changed(journal="outcomes"), "does not say what was there before, so it cannot be undone"),
    ("another workspace", changed(workspace="https://other.example.com"), "https://other.example.com, while Data"),
    ("no trailer", lines(0, 1, 2), "is not whole: lines are missing"),
    ("a line less", lines(0, 1, 3), "is not whole: lines are missing"),
    ("a value", plain(lambda content: content.replace(b'"before":"a"', b'"before":"x"')), "is not signed with this"),
    ("another key", lambda path: file_of(path, intent(), key="sk_live_other"), "or was changed since"),
    ("no key", lambda path: file_of(path, intent(), key=None), "add --unsigned"),
]


@pytest.mark.parametrize(("write", "words"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_what_is_refused(path: Path, write: Callable[[Path], Any], words: str) -> None:
    write(path)
    with pytest.raises(ConfigError) as caught:
        list(read([str(path)], TRUST))
    assert words in str(caught.value.message)
    assert str(path) in str(caught.value.message)
    assert "secret" not in str(caught.value.message).replace("secret_token", "")
    assert KEY not in str(caught.value.message)


@pytest.mark.parametrize("name", ["no trailer", "a line less", "a value", "another key", "no key"])
def test_what_is_taken_unsigned(path: Path, name: str) -> None:
    next(write for title, write, _ in REFUSED if title == name)(path)
    assert list(read([str(path)], TRUST._replace(unsigned=True)))


@pytest.mark.parametrize("name", ["gzip in gzip", "no header", "two trailers", "dry run", "another workspace"])
def test_what_is_not_even_taken_unsigned(path: Path, name: str) -> None:
    next(write for title, write, _ in REFUSED if title == name)(path)
    with pytest.raises(ConfigError):
        list(read([str(path)], TRUST._replace(unsigned=True)))


def test_another_workspace_is_taken_where_that_is_asked_for(path: Path) -> None:
    name = file_of(path, intent(), header=HEADER.model_copy(update={"workspace": HERE + "x"}))
    assert list(read([name], TRUST._replace(any_workspace=True)))


def test_a_bomb_does_not_fill_memory(path: Path) -> None:
    """Given a small file that is a line of gigabytes, when it is read, no more than a line may have is unzipped."""
    packer = zlib.compressobj(wbits=31)
    million = b"x" * 1_000_000
    path.write_bytes(b"".join([*(packer.compress(million) for _ in range(300)), packer.flush()]))
    tracemalloc.start()
    with pytest.raises(ConfigError, match="more than 10000000 bytes"):
        list(read([str(path)], TRUST))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 * LONGEST


def test_a_line_may_be_as_long_as_that(path: Path) -> None:
    """A line of exactly the longest length is read."""
    empty = len(gzip.decompress(Path(file_of(path, intent(1, value(before="")))).read_bytes()).splitlines()[1]) + 1
    name = file_of(path, intent(1, value(before="x" * (LONGEST - empty))))
    assert len(list(read([name], TRUST))) == 1
    name = file_of(path, intent(1, value(before="x" * (LONGEST - empty + 1))))
    with pytest.raises(ConfigError, match="more than"):
        list(read([name], TRUST))
