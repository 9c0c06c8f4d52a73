"""Serve a workspace until SIGINT or SIGTERM; `python -m integration_tests.sandbox --help`."""

from __future__ import annotations

import argparse
import re
import signal
from threading import Event

from integration_tests.sandbox import Limits, Sandbox, Switches
from integration_tests.sandbox.seed.rows import DEFAULT_SIZES

JOURNAL_LIMIT = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m integration_tests.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 = any free port")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--empty", action="store_true", help="definitions only")
    for resource, size in DEFAULT_SIZES.items():
        flag = re.sub(r"([A-Z])", r"-\1", resource).lower()
        parser.add_argument(f"--{flag}", dest=resource, type=int, default=size, metavar="ROWS")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds every answer takes")
    parser.add_argument("--effect-delay", type=float, default=1.0, help="seconds before an Analytics message shows")
    parser.add_argument("--requests-per-minute", type=int, help="without it there is no limit")
    parser.add_argument("--discard-messages", action="store_true", help="accept Analytics messages unread")
    parser.add_argument("--rest-key", default="sk_live_example_not_real")
    parser.add_argument("--analytics-token", default="analytics_example_not_real")
    options = parser.parse_args()
    sandbox = Sandbox(
        seed=options.seed,
        ids=f"{options.seed} at {options.port}",
        sizes={resource: getattr(options, resource) for resource in DEFAULT_SIZES},
        empty=options.empty,
        switches=Switches(
            latency=options.latency, discard_messages=options.discard_messages, effect_delay=options.effect_delay
        ),
        limits=Limits(options.requests_per_minute) if options.requests_per_minute else None,
        port=options.port,
        rest_key=options.rest_key,
        analytics_token=options.analytics_token,
    )
    sandbox.journal.keep_bodies = False
    sandbox.journal.limit = JOURNAL_LIMIT
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with sandbox:
        print(f"REST {sandbox.url}/resources  Analytics {sandbox.url}/analytics/v1", flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()
