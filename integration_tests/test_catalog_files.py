"""The output of discover, given as a configured catalog, gets a sentence that helps, from both commands."""

from __future__ import annotations

import pytest

from integration_tests.harness import destination_config, run_destination, run_source, source_config
from integration_tests.sandbox import Sandbox


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("command", ["read", "write"])
def test_the_output_of_discover_is_no_configured_catalog(sandbox: Sandbox, command: str, lines: bool) -> None:
    config = source_config(sandbox.url, sandbox.rest_key)
    discovered = run_source("discover", config)
    given = discovered.raw if lines else discovered.catalog
    if command == "read":
        run = run_source("read", config, given)
    else:
        run = run_destination("write", destination_config(sandbox), given)
    assert run.exit_code == 1
    assert run.failure_types == {"config_error"}
    [message] = run.errors
    assert message.startswith("The catalog file holds what discover prints")
