"""`make promises`: plant the bugs of each promise and see whether its tests find them; ONLY="moves back" for some."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context

from integration_tests.promises.planted import Bug, Promise, copy_of_the_code, promises

AT_ONCE = 2
FORKING = get_context("fork")
COPIES = FORKING.SimpleQueue()


def main(words: list[str]) -> int:
    """Print a line per promise, and one per bug that is not found; return how many are not."""
    chosen = [promise for promise in promises() if not words or any(word in promise.text for word in words)]
    planted = found = 0
    with ExitStack() as stack:
        for _ in range(AT_ONCE):
            COPIES.put(stack.enter_context(copy_of_the_code()))
        pool = stack.enter_context(ProcessPoolExecutor(AT_ONCE, FORKING))
        for promise, caught in zip(chosen, pool.map(_found, chosen), strict=True):
            print(f"{len(caught)} of {len(promise.bugs)} bugs found: {promise.text}", flush=True)
            for bug in promise.bugs:
                if bug not in caught:
                    print(f"    NOT FOUND: {bug.path}: {bug.name} ({bug.found_by})", flush=True)
            planted, found = planted + len(promise.bugs), found + len(caught)
    print(f"{planted} bugs were planted, {found} found")
    return planted - found


def _found(promise: Promise) -> list[Bug]:
    """Plant the bugs of a promise in a copy that nobody else uses."""
    copy = COPIES.get()
    try:
        return promise.found(copy)
    finally:
        COPIES.put(copy)


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
