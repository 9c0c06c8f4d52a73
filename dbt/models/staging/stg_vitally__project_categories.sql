-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'project_categories',
    columns={
        'id': ['id', 'string'],
        'createdAt': ['created_at', 'timestamp'],
        'updatedAt': ['updated_at', 'timestamp'],
        'name': ['name', 'string'],
    },
) }}
