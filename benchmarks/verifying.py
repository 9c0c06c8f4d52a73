"""(f) What does it cost to look whether rows have landed?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from benchmarks.report import Answer, Target, axes, save
from integration_tests.harness import QuickClock, destination_config, record, stream, write
from integration_tests.sandbox import Clock, Sandbox, Switches

START = 1_790_000_000
MODES = ("none", "sample", "all")
DELAYS = (0, 60)


@dataclass
class Verified:
    """One sync: its batches, the requests that look for rows, and how long it took by the clock that it went by."""

    rows: int
    batches: int
    looks: int
    seconds: float

    @property
    def per_thousand(self) -> float:
        return self.looks * 1000 / self.rows


def verified(rows: int, mode: str, delay: float, dropped: int) -> Verified:
    """Upsert accounts, of which some are dropped; all waiting is by a clock that does not wait."""
    lost = {f"a{n * 1000 + 500}" for n in range(dropped)}
    switches = Switches(effect_delay=delay, drops=lambda message: message.get("accountId") in lost)
    workspace = Clock(at=datetime.fromtimestamp(START, timezone.utc))
    clock = QuickClock(START, passes=workspace.advance)
    with Sandbox(empty=True, clock=workspace, switches=switches) as sandbox:
        sandbox.journal.keep_bodies = False
        messages = [record("accounts", {"externalId": f"a{n}", "name": f"N{n}", "seats": n}) for n in range(rows)]
        settings = destination_config(sandbox, verify=mode, requests_per_minute=1000)
        write(settings, [stream("accounts")], messages, clock=clock)
        looks = sandbox.journal.count("/resources/accounts")
        return Verified(rows, sandbox.journal.count("/batch"), looks, clock.monotonic())


def answer(*, rows: tuple[int, ...]) -> Answer:
    """Write with each setting, to a workspace that applies messages at once and to one that takes a minute."""
    found = Answer(
        "f",
        "Proof of landing: requests for none, sample and all",
        "Accounts upserted by batches of 100 within 1,000 requests a minute, to a workspace that applies messages 0 or "
        "60 s after it has taken them; the last rows of the table are with one account in a thousand dropped without a "
        "word. Seconds are simulated: the wait is the connector's. *Looks* are the requests that read rows back, "
        "beside the 10 batches per 1,000 rows.",
        ("verify", "delay", "rows", "dropped", "batches", "looks", "looks per 1,000 rows", "seconds"),
    )
    cases = [(mode, delay, count, 0) for count in rows for delay in DELAYS for mode in MODES]
    cases += [(mode, 60, rows[-1], rows[-1] // 1000) for mode in MODES]
    each: dict[tuple[str, int, int, int], Verified] = {}
    for case in cases:
        mode, delay, count, dropped = case
        one = each[case] = verified(count, mode, delay, dropped)
        cells = (f"{count:,}", str(dropped), str(one.batches), str(one.looks), f"{one.per_thousand:.1f}")
        found.rows.append((mode, f"{delay} s", *cells, f"{one.seconds:.0f}"))
    _judge(found, each, rows[-1])
    found.remarks.append(
        "What never lands is asked for until its 600 s are over, each half minute three such rows and what was written "
        "last. Here all rows are written in the same second, so that the end of the list is read again each time."
    )
    figure, drawn = axes(f"Looks per 1,000 rows, of {rows[-1]:,}", "", "requests")
    shown = {f"{mode}\n{delay} s": each[mode, delay, rows[-1], 0].per_thousand for mode in MODES for delay in DELAYS}
    drawn.bar(list(shown), list(shown.values()))
    save(figure, "f")
    return found


def _judge(found: Answer, each: dict[tuple[str, int, int, int], Verified], most: int) -> None:
    sample = max(one.looks for (mode, _, _, dropped), one in each.items() if mode == "sample" and not dropped)
    every = max(each["all", delay, most, 0].per_thousand for delay in DELAYS)
    found.targets += [
        Target("sample: at most 200 looks a stream, however many rows it has", f"{sample}", sample <= 200),
        Target("all: at most 20 looks per 1,000 rows, twice its batches", f"{every:.1f}", every <= 20),
    ]
