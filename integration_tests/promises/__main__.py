"""`make promises`: plant each bug and see whether its test finds it; ONLY="a word of its name" for some of them."""

from __future__ import annotations

import sys

from integration_tests.promises.planted import bugs


def main(words: list[str]) -> int:
    """Print a line per bug; return how many were not found."""
    missed = 0
    for bug in bugs():
        if words and not any(word in bug.name for word in words):
            continue
        is_found = bug.is_found()
        missed += not is_found
        print(
            f"{'found' if is_found else 'NOT FOUND'}: {bug.path}: {bug.name} ({bug.found_by.split('::')[-1]})",
            flush=True,
        )
    return missed


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:])))
