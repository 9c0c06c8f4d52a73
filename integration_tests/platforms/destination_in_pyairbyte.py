"""The destination driven by PyAirbyte, fed by source-faker, both as published.

Each needs an environment of its own, since their dependencies differ: `make test-platforms` makes both from their
locks and names them in PYAIRBYTE_ENV and SOURCE_FAKER_ENV.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from integration_tests.sandbox import Sandbox

ENVIRONMENTS = [os.environ[name] for name in ("PYAIRBYTE_ENV", "SOURCE_FAKER_ENV")]
COUNT = 200


def test_users_and_purchases_of_source_faker_become_users_and_events() -> None:
    pyairbyte, faker = (Path(environment).absolute() / "bin" for environment in ENVIRONMENTS)
    script = Path(__file__).with_name("write_with_pyairbyte.py")
    with Sandbox(empty=True) as sandbox:
        everyone = sandbox.workspace.insert("accounts", {"externalId": "everyone", "name": "Everyone"})
        keys = [sandbox.url, sandbox.rest_key, sandbox.analytics_token]
        executables = [
            str(faker / "source-faker"),
            str(Path(sys.executable).with_name("destination-vitally")),
        ]
        command = [str(pyairbyte / "python"), str(script), *keys, *executables, str(COUNT)]

        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)

        assert done.returncode == 0, done.stdout + done.stderr
        users = sandbox.workspace.rows("users")
        assert len(users) == COUNT
        assert all(user["accountIds"] == [everyone["id"]] and user["email"] for user in users)
        assert {event["event"] for event in sandbox.workspace.events} == {"order placed"}
        assert len(sandbox.workspace.events) == len({event["messageId"] for event in sandbox.workspace.events})
        assert all("product_id" in event["properties"] for event in sandbox.workspace.events)
