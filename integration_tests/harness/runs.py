"""What a run of a connector printed, and how to read it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Run:
    """What one command printed, message by message, how it ended, and what its config file held after it."""

    messages: list[Json] = field(default_factory=list)
    exit_code: int = 0
    error: Exception | None = None
    """What a command in this process ended with; `errors` has the words of it."""
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

    @property
    def unforeseen(self) -> Exception | None:
        """What a command in this process ended with, but for the error that all rows of a stream were rejected.

        A test that sends one row, to see it rejected, expects that one.
        """
        return None if "rows could be written" in str(self.error) else self.error

    # States

    def states(self, stream: str | None = None) -> list[Json]:
        """Return the states of a stream, or all of them, as a platform would hand them back."""
        states = [message["state"] for message in self.of_type("STATE")]
        return [s for s in states if stream is None or s["stream"]["stream_descriptor"]["name"] == stream]

    def last_states(self) -> list[Json]:
        """Return the newest state of each stream."""
        return list({state["stream"]["stream_descriptor"]["name"]: state for state in self.states()}.values())

    @property
    def state_ids(self) -> list[int]:
        """The ids that the platform has given its states."""
        return [state["id"] for state in self.states()]

    # Words for people

    @property
    def errors(self) -> list[str]:
        """The messages of TRACE errors, as a person sees them."""
        return [error["message"] for error in self._traces("ERROR", "error")]

    @property
    def failure_types(self) -> set[str]:
        """The kinds of failure of TRACE errors: config_error, transient_error, system_error."""
        return {error["failure_type"] for error in self._traces("ERROR", "error")}

    def logs(self, level: str | None = None) -> list[str]:
        """Return the log lines of one level, or all of them."""
        return [m["log"]["message"] for m in self.of_type("LOG") if level in (None, m["log"]["level"])]

    @property
    def log(self) -> str:
        """The whole log as text."""
        return "\n".join(self.logs())

    # Ends

    @property
    def statuses(self) -> dict[str, str]:
        """The last status of each stream: STARTED, RUNNING, COMPLETE or INCOMPLETE."""
        return {
            status["stream_descriptor"]["name"]: status["status"]
            for status in self._traces("STREAM_STATUS", "stream_status")
            if not status.get("reasons")
        }

    @property
    def summary(self) -> dict[str, str]:
        """The line that the destination says at the end of a sync of each stream, or entry of it (`rows, entry 2`)."""
        lines = [line for line in self.logs("INFO") if line.startswith("Stream ") and " records = " in line]
        return {line.removeprefix("Stream ").split(" (")[0]: line for line in lines}

    def counts(self, stream: str) -> dict[str, int]:
        """Return the numbers of a stream's summary line: `records`, `accepted`, ..."""
        line = self.summary[stream].replace(" = ", ", ").split(": ", 1)[1]
        return {
            word: int(number)
            for number, word, *_ in (part.split(" ") for part in line.split(", ") if part[0].isdigit())
        }

    # Answers

    @property
    def connection_status(self) -> Json:
        """The answer of `check`."""
        [message] = self.of_type("CONNECTION_STATUS")
        return dict(message["connectionStatus"])

    @property
    def catalog(self) -> Json:
        """The answer of the source's `discover`."""
        [message] = self.of_type("CATALOG")
        return dict(message["catalog"])

    def assert_no_secret(self, config: Any) -> None:
        """Search all output for the keys of a config, raw and as sent; only a rewritten config (CONTROL) has them."""
        fields = config if isinstance(config, dict) else {}
        for key in filter(None, (fields.get("secret_token"), fields.get("analytics_token"))):
            sent = base64.b64encode(f"{key}:".encode()).decode().rstrip("=")
            for line in [*self.lines, self.stderr]:
                has_key = str(key) in line or sent in line
                assert '"type":"CONTROL"' in line or not has_key, "a key is in the output"

    def _traces(self, kind: str, content: str) -> list[Json]:
        return [m["trace"][content] for m in self.of_type("TRACE") if m["trace"]["type"] == kind]
