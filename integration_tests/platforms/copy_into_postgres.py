"""Runs in an environment that has dbt: tables that PyAirbyte wrote into DuckDB, as Airbyte's typed Postgres has them.

Columns keep the source's capitals, times have a zone, lists and objects are jsonb, and each row has its generation.

Arguments: the DuckDB file, the address of the Postgres, and a JSON object with the columns of each table as the source
names them.
"""

import json
import sys
from importlib import import_module

duckdb, psycopg2, extras = map(import_module, ("duckdb", "psycopg2", "psycopg2.extras"))

SCHEMA = "vitally"
TYPES = {"TIMESTAMP": "timestamptz", "JSON": "jsonb", "VARCHAR": "varchar", "BIGINT": "bigint", "BOOLEAN": "boolean"}
OF_AIRBYTE = ["_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta"]

database, address, named = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
cache = duckdb.connect(database, read_only=True)
with psycopg2.connect(address) as postgres, postgres.cursor() as cursor:
    cursor.execute(f"set time zone 'UTC'; create schema if not exists {SCHEMA}")
    for table, columns in named.items():
        kinds = dict(cache.execute(f"select name, type from pragma_table_info('{SCHEMA}.{table}')").fetchall())
        types = {name: TYPES.get(kinds[name.lower()], "decimal(38, 9)") for name in [*columns, *OF_AIRBYTE]}
        target = f'{SCHEMA}."{table}"'
        described = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
        cursor.execute(
            f"drop table if exists {target}; create table {target} ({described}, _airbyte_generation_id bigint)"
        )
        wanted = ", ".join(f'"{name}"' for name in types)
        rows = cache.execute(f"select {wanted} from {SCHEMA}.{table}").fetchall()
        places = f"({', '.join(f'%s::{kind}' for kind in types.values())}, 0)"
        extras.execute_values(cursor, f"insert into {target} values %s", rows, places)
