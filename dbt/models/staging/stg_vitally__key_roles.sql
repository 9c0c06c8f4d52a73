-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'key_roles',
    columns={
        'id': ['id', 'string'],
        'createdAt': ['created_at', 'timestamp'],
        'label': ['label', 'string'],
    },
) }}
