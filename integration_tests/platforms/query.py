"""Runs in an environment that has dbt: prints the rows of a query as a line of JSON.

Arguments: a DuckDB file, `:memory:` or the address of a Postgres, and the query.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

place, query = sys.argv[1:]
if place == ":memory:" or Path(place).exists():
    rows = import_module("duckdb").connect(place).execute(query).fetchall()
else:
    with import_module("psycopg2").connect(place) as postgres, postgres.cursor() as cursor:
        cursor.execute(query)
        rows = cursor.fetchall()
print(json.dumps(rows, default=str))
