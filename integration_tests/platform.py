"""Runs a connector as the Airbyte platform does: files for config, catalog and state, messages on stdout.

`run_process` starts the console script in a process of its own, `run_source` drives the same entry point in this
process, where a clock can be injected.
"""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_vitally.run import messages

Json = dict[str, Any]


@dataclass
class Run:
    """What one command printed, message by message, how it ended, and what its config file held after it."""

    messages: list[Json] = field(default_factory=list)
    exit_code: int = 0
    lines: list[str] = field(default_factory=list)
    stderr: str = ""
    saved_config: str = ""

    def take(self, line: str) -> None:
        """Add a line of output, which must be a message."""
        self.lines.append(line)
        self.messages.append(json.loads(line))

    @property
    def raw(self) -> str:
        """All output as text."""
        return "\n".join(self.lines)

    def of_type(self, kind: str) -> list[Json]:
        """Return the messages of one type, such as `RECORD`."""
        return [message for message in self.messages if message.get("type") == kind]

    def records(self, stream: str) -> list[Json]:
        """Return the records of a stream in the order in which they came."""
        return [m["record"]["data"] for m in self.of_type("RECORD") if m["record"]["stream"] == stream]

    def states(self, stream: str | None = None) -> list[Json]:
        """Return the states of a stream, or all of them, as a platform would hand them back."""
        states = [message["state"] for message in self.of_type("STATE")]
        return [s for s in states if stream in (None, s["stream"]["stream_descriptor"]["name"])]

    def last_states(self) -> list[Json]:
        """Return the newest state of each stream."""
        return list({state["stream"]["stream_descriptor"]["name"]: state for state in self.states()}.values())

    @property
    def errors(self) -> list[str]:
        """The messages of TRACE errors, as a person sees them."""
        return [
            trace["trace"]["error"]["message"] for trace in self.of_type("TRACE") if trace["trace"]["type"] == "ERROR"
        ]

    @property
    def failure_types(self) -> set[str]:
        """The kinds of failure of TRACE errors: config_error, transient_error, system_error."""
        traces = [trace["trace"] for trace in self.of_type("TRACE") if trace["trace"]["type"] == "ERROR"]
        return {trace["error"]["failure_type"] for trace in traces}

    def logs(self, level: str) -> list[str]:
        """Return the log lines of one level."""
        return [m["log"]["message"] for m in self.of_type("LOG") if m["log"]["level"] == level]

    @property
    def statuses(self) -> dict[str, str]:
        """The last status of each stream: STARTED, RUNNING, COMPLETE or INCOMPLETE."""
        traces = [trace["trace"] for trace in self.of_type("TRACE") if trace["trace"]["type"] == "STREAM_STATUS"]
        return {
            t["stream_status"]["stream_descriptor"]["name"]: t["stream_status"]["status"]
            for t in traces
            if "reasons" not in t["stream_status"] or not t["stream_status"]["reasons"]
        }

    @property
    def connection_status(self) -> Json:
        """The answer of `check`."""
        [message] = self.of_type("CONNECTION_STATUS")
        return dict(message["connectionStatus"])

    @property
    def catalog(self) -> Json:
        """The answer of `discover`."""
        [message] = self.of_type("CATALOG")
        return dict(message["catalog"])


def source_config(rest_url: str, key: str = "sk_live_example_not_real", **fields: Any) -> Json:
    """Return a config of the source that reads the workspace at an address."""
    return {"data_center": {"region": "custom", "rest_url": rest_url}, "secret_token": key, **fields}


def configured(catalog: Mapping[str, Any], streams: Iterable[str] = (), sync_mode: str = "incremental") -> Json:
    """Return a discovered catalog with the named streams (all by default) selected."""
    wanted = set(streams) or {stream["name"] for stream in catalog["streams"]}
    return {
        "streams": [
            {
                "stream": stream,
                "sync_mode": sync_mode if sync_mode in stream["supported_sync_modes"] else "full_refresh",
                "destination_sync_mode": "append",
            }
            for stream in catalog["streams"]
            if stream["name"] in wanted
        ]
    }


def run_process(
    command: str,
    action: str,
    *,
    config: Json | str | None = None,
    catalog: Json | None = None,
    state: Any = None,
    until: Callable[[Json], bool] | None = None,
    ending: signal.Signals = signal.SIGKILL,
    debug: bool = False,
    stdin: Iterable[str] = (),
) -> Run:
    """Run a console script of this environment, with the lines of `stdin` as its input.

    With `until`, it gets the signal `ending` at the first message that fulfils it.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as stderr:
        lines = Path(folder, "stdin")
        lines.write_text("".join(f"{line.rstrip()}\n" for line in stdin))
        script = str(Path(sys.executable).parent / command)
        arguments = [script, action, *_files(Path(folder), config, catalog, state), *["--debug"] * debug]
        with lines.open() as given:
            process = subprocess.Popen(arguments, stdin=given, stdout=subprocess.PIPE, stderr=stderr, text=True)
        assert process.stdout is not None
        run = Run()
        for line in process.stdout:
            run.take(line)
            if until and until(run.messages[-1]):
                process.send_signal(ending)
                break
        process.stdout.close()
        run.exit_code = process.wait()
        stderr.seek(0)
        run.stderr = stderr.read()
        run.saved_config = (Path(folder) / "config.json").read_text() if config is not None else ""
        _assert_no_secret(run, config)
        return run


def run_source(action: str, config: Json | None = None, catalog: Json | None = None, state: Any = None) -> Run:
    """Run a command of the source in this process."""
    run = Run()
    with tempfile.TemporaryDirectory() as folder:
        try:
            for line in messages([action, *_files(Path(folder), config, catalog, state)]):
                run.take(line)
        except Exception as error:  # what the handler of uncaught exceptions prints for a process
            traced = (
                error if isinstance(error, AirbyteTracedException) else AirbyteTracedException.from_exception(error)
            )
            run.exit_code = 1
            run.take(AirbyteEntrypoint.airbyte_message_to_string(traced.as_airbyte_message()))
    _assert_no_secret(run, config)
    return run


def _assert_no_secret(run: Run, config: Any) -> None:
    """Search all output for the keys of the config, raw and as sent; only a rewritten config (CONTROL) has them."""
    fields = config if isinstance(config, dict) else {}
    for key in filter(None, (fields.get("secret_token"), fields.get("analytics_token"))):
        sent = base64.b64encode(f"{key}:".encode()).decode().rstrip("=")
        for line in [*run.lines, run.stderr]:
            assert '"type":"CONTROL"' in line or (str(key) not in line and sent not in line), "a key is in the output"


def _files(folder: Path, config: Any, catalog: Any, state: Any) -> list[str]:
    arguments = []
    for name, content in (("config", config), ("catalog", catalog), ("state", state)):
        if content is not None:
            path = folder / f"{name}.json"
            path.write_text(content if isinstance(content, str) else json.dumps(content))
            arguments += [f"--{name}", str(path)]
    return arguments
