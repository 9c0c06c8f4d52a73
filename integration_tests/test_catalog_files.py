"""The output of discover, given as a configured catalog, gets a sentence that helps, from both commands."""

from __future__ import annotations

import pytest

from integration_tests.harness import Json, destination_config, run_process, run_source, source_config
from integration_tests.sandbox import Sandbox


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize(("command", "action"), [("source-vitally", "read"), ("destination-vitally", "write")])
def test_the_output_of_discover_is_no_configured_catalog(
    sandbox: Sandbox, command: str, action: str, lines: bool
) -> None:
    config: Json = source_config(sandbox.url, sandbox.rest_key)
    discovered = run_source("discover", config)
    if command.startswith("destination"):
        config = destination_config(sandbox)
    given = discovered.raw if lines else discovered.catalog
    run = run_process(command, action, config=config, catalog=given)
    assert run.exit_code == 1
    assert run.failure_types == {"config_error"}
    [message] = run.errors
    assert message.startswith("The catalog file holds what discover prints")
