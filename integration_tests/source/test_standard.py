"""The CDK's own standard suite, run against this source and a sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.test.models import ConnectorTestScenario
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase

from integration_tests.harness import source_config
from shipping.submission import EMPTY
from source_vitally import SourceVitally


@pytest.fixture
def scenario(make_sandbox: Any) -> ConnectorTestScenario:
    sandbox = make_sandbox(seed=1)

    scenario = ConnectorTestScenario(
        config_dict=source_config(sandbox.url, sandbox.rest_key),
        status="succeed",
        empty_streams=[ConnectorTestScenario.AcceptanceTestEmptyStream(name=name) for name in EMPTY],
    )
    scenario._id = "sandbox"
    return scenario


class TestStandard(SourceTestSuiteBase):
    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return Path(__file__).parents[2]

    @classmethod
    def create_connector(cls, scenario: ConnectorTestScenario | None) -> SourceVitally:
        return SourceVitally(config=scenario.config_dict if scenario else None)


for docker_test in [name for name in dir(TestStandard) if name.startswith("test_docker")]:
    setattr(
        TestStandard, docker_test, None
    )  # these build and run an image, which the project does where it makes images
