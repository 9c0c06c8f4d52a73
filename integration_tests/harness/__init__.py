"""The one way in which a connector is run and its messages are read: for tests, chaos runs, images and benchmarks.

`run_process` starts a console script as the Airbyte platform does, or forks a process that has imported the connector
(`FORKED_SOURCE`, `FORKED_DESTINATION`), which takes less time. `run_source`, `run_destination` and `write` do the same
in this process, where a clock can be injected. Each returns a `Run`.
"""

from integration_tests.harness.clock import QuickClock
from integration_tests.harness.configs import destination_config, source_config
from integration_tests.harness.forks import FORKED_DESTINATION, FORKED_SOURCE
from integration_tests.harness.in_process import logged, run_destination, run_source, write, write_chunks
from integration_tests.harness.messages import configured, global_state, record, state, stream
from integration_tests.harness.processes import as_files, run_process
from integration_tests.harness.runs import Json, Run
from integration_tests.harness.waits import without_waiting
from unit_tests.source.quick import quick_start, resolved_manifest

__all__ = [
    "FORKED_DESTINATION",
    "FORKED_SOURCE",
    "Json",
    "QuickClock",
    "Run",
    "as_files",
    "configured",
    "destination_config",
    "global_state",
    "logged",
    "quick_start",
    "record",
    "resolved_manifest",
    "run_destination",
    "run_process",
    "run_source",
    "source_config",
    "state",
    "stream",
    "without_waiting",
    "write",
    "write_chunks",
]
