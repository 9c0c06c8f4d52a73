"""The tables of docs/reliability.md: the promises, the tests that protect them, and the bugs that these find."""

from __future__ import annotations

from integration_tests.promises.planted import Bug, promises


def table(part: str) -> str:
    """The promises of a part of the page."""
    lines = ["| promise | protected by | bugs that they find |", "|---|---|---|"]
    for promise in promises(part):
        tests = ", ".join(f"`{test}`" for test in promise.tests)
        lines.append(f"| {promise.text} | {tests} | {'; '.join(map(_named, promise.bugs))} |")
    return "\n".join(lines)


def planted() -> str:
    """How many bugs were planted."""
    kept = promises()
    bugs = [bug for promise in kept for bug in promise.bugs]
    missed = sum(bug.was_missed for bug in bugs)
    return (
        f"{len(bugs)} bugs are planted against {len(kept)} promises, at least two against each, and all are found. The "
        f"tests that were named here missed {missed} of them at first: a test was added, or made sharper, for each."
    )


def _named(bug: Bug) -> str:
    test = bug.found_by.split("::")[1].partition("[")[0]
    return f"`{bug.path.split('/', 1)[1]}`: {bug.name} (`{test}`)"
