"""Rejected records become messages again."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from destination_vitally.commands.replay import replay
from destination_vitally.destination import DestinationVitally
from destination_vitally.errors import ConfigError
from destination_vitally.lines import dumps


def rejected(name: str) -> dict[str, Any]:
    record = {"stream": "accounts", "namespace": "public", "data": {"name": name}, "emitted_at": 1}
    return {
        "record": record,
        "reason": "externalId is missing",
        "status": None,
        "rejected_at": "2026-11-25T00:00:00.000Z",
    }


def test_files_become_records_in_their_order(tmp_path: Path) -> None:
    zipped, plain = tmp_path / "1.jsonl.gz", tmp_path / "2.jsonl"
    lines = [json.dumps(rejected(name)) + "\n" for name in ("a", "b", "ç")]
    zipped.write_bytes(gzip.compress("".join(lines[:2]).encode()))
    plain.write_text(lines[2] + "\n")
    destination = DestinationVitally()
    lines_out = destination.run_cmd(destination.parse_args(["replay", str(zipped), str(plain)]))
    messages = [json.loads(line) for line in lines_out]
    assert messages == [{"type": "RECORD", "record": rejected(name)["record"]} for name in ("a", "b", "ç")]


def test_an_id_of_any_length_keeps_its_digits(tmp_path: Path) -> None:
    path = tmp_path / "1.jsonl"
    path.write_text('{"record": {"stream": "a", "data": {"id": 123456789012345678901234}}}\n')
    [message] = replay([str(path)])
    assert message["record"]["data"]["id"] == 123456789012345678901234
    path.write_text('{"record": {"stream": "a", "data": {"n": 12345678901234567.12345678}}}\n')
    assert b'"n":"12345678901234567.12345678"' in dumps(next(iter(replay([str(path)]))))


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        (b'{"record": {"stream": "a", "data": {}}}\nsecret\n', "Row 2 of "),
        (b"[]\n", "Row 1 of "),
        (b'{"record": {"stream": "a", "data": "secret"}}\n', "Row 1 of "),
        (gzip.compress(b"secret", mtime=0)[:-9], "it is not whole"),
        (b"\x1f\x8bsecret", "it is not whole"),
        (None, "No such file or directory"),
    ],
)
def test_what_is_no_file_of_rejected_records_is_named_and_not_quoted(
    tmp_path: Path, contents: bytes | None, problem: str
) -> None:
    path = tmp_path / "file"
    if contents is not None:
        path.write_bytes(contents)
    with pytest.raises(ConfigError) as raised:
        list(replay([str(path)]))
    assert problem in str(raised.value)
    assert "secret" not in str(raised.value)
