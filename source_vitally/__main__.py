"""Lets `python -m source_vitally` do what `source-vitally` does."""

from source_vitally.run import run

run()
