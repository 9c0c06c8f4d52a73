-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'segments',
    columns={
        'id': ['id', 'string'],
        'name': ['name', 'string'],
    },
) }}
