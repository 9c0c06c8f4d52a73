"""What of the dbt package is made is as the source's schemas have it, and every model is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from shipping.dbt_package import FOLDER, INSTANCES, files, snake, streams
from shipping.names import ROOT
from unit_tests.pages import Page, names

STREAMS = streams()
WRITTEN = {path.stem for path in (ROOT / "dbt").rglob("vitally__*.sql")}


def test_what_is_made_has_been_made() -> None:
    found = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert found == files(), "the schemas of the source have changed: run `make dbt-models`"


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_model_has_each_column_once(stream: object) -> None:
    columns = [snake(name) for name in getattr(stream, "columns")]  # noqa: B009
    assert len(set(columns)) == len(columns)
    assert not {"is_deleted", "extracted_at"} & set(columns)


def test_descriptions_are_those_of_the_schemas() -> None:
    made = files()
    [source] = yaml.safe_load(made["sources.yml"])["sources"]
    models = yaml.safe_load(made["models.yml"])["models"]
    found = {entry["name"]: entry["columns"] for entry in (*source["tables"], *models)}
    for stream in STREAMS:
        told = [schema.get("description") for schema in stream.columns.values()]
        for name in {stream.name, stream.model} & set(found):
            assert [column.get("description") for column in found[name]][: len(told)] == told, name


def test_every_stream_of_ids_shows_what_is_deleted() -> None:
    used = {ids for text in files().values() for ids in re.findall(r"ids='(\w+)'", text)}
    assert used == {stream.name for stream in STREAMS if stream.is_of_ids}


def test_the_page_names_every_model_and_every_one_that_knows_of_deletions() -> None:
    documented = {name for row in Page("dbt.md").table("Models") for name in names(row[0])}
    history = set(re.findall(r"name: (\w+)", (ROOT / "dbt/snapshots/history.yml").read_text()))
    assert documented == {*WRITTEN, *history, "stg_vitally__<stream>", f"stg_vitally__{INSTANCES}"}
    compared = {name for row in Page("dbt.md").table("Deleted rows") for name in row[0].split(", ")}
    made = {Path(name).stem.removeprefix("stg_vitally__") for name, text in files().items() if "    ids='" in text}
    assert compared == made


def test_every_model_is_described() -> None:
    told = set(re.findall(r"name: (vitally__\w+)", (ROOT / "dbt/models/unpacked/models.yml").read_text()))
    assert told == WRITTEN
