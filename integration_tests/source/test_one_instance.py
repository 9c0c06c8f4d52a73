"""A source that is made without a config takes the one each command is given, as hosts of several connections do."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteMessageSerializer,
    ConfiguredAirbyteCatalogSerializer,
    Status,
    Type,
)
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from integration_tests.harness import Json, configured, run_source, source_config
from integration_tests.sandbox import Sandbox
from source_vitally import SourceVitally

LOGGER = logging.getLogger("airbyte")


@pytest.fixture
def config(make_sandbox: Any) -> Json:
    sandbox: Sandbox = make_sandbox(seed=1)
    return source_config(sandbox.url, sandbox.rest_key)


def as_json(message: AirbyteMessage) -> Json:
    found: Json = json.loads(json.dumps(AirbyteMessageSerializer.dump(message), default=str))
    return found


def data(messages: list[AirbyteMessage]) -> list[Json]:
    return [as_json(message)["record"]["data"] for message in messages if message.type == Type.RECORD]


def test_one_instance_does_what_the_command_line_does(config: Json) -> None:
    source = SourceVitally()
    assert source.check(LOGGER, config).status == Status.SUCCEEDED

    catalog = run_source("discover", config).catalog
    found = source.discover(LOGGER, config)
    assert [stream.name for stream in found.streams] == [stream["name"] for stream in catalog["streams"]]

    selected = configured(catalog, ["users", "notes"])
    run = run_source("read", config, selected)
    read = list(source.read(LOGGER, config, ConfiguredAirbyteCatalogSerializer.load(selected)))
    assert sorted(row["id"] for row in data(read)) == sorted(
        row["id"] for name in ("users", "notes") for row in run.records(name)
    )

    states = [message.state for message in read if message.type == Type.STATE and message.state]
    again = source.read(LOGGER, config, ConfiguredAirbyteCatalogSerializer.load(selected), states)
    assert len(data(list(again))) < len(data(read)), "the state that is given counts as well"


def test_each_command_takes_its_own_config(config: Json, make_sandbox: Any) -> None:
    source = SourceVitally()
    wrong = {**config, "secret_token": "sk_live_wrong_example"}
    assert source.check(LOGGER, wrong).status == Status.FAILED
    assert source.check(LOGGER, config).status == Status.SUCCEEDED


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({}, "Data center (data_center) is missing; REST API key (secret_token) is missing"),
        ({"secret": "98765"}, "secret: there is no such"),
    ],
)
def test_a_config_that_cannot_be_used_is_said_to_be_wrong(config: Json, sentence: str) -> None:
    source = SourceVitally()
    answer = source.check(LOGGER, config)
    assert answer.status == Status.FAILED
    assert sentence in (answer.message or "")
    nothing = ConfiguredAirbyteCatalogSerializer.load({"streams": []})
    for command in (lambda: source.discover(LOGGER, config), lambda: list(source.read(LOGGER, config, nothing))):
        with pytest.raises(AirbyteTracedException) as caught:
            command()
        assert sentence in (caught.value.message or "")
        assert "98765" not in str(caught.value)
