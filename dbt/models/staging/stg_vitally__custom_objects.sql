-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'custom_objects',
    columns={
        'id': ['id', 'string'],
        'createdAt': ['created_at', 'timestamp'],
        'updatedAt': ['updated_at', 'timestamp'],
        'name': ['name', 'string'],
        'label': ['label', 'string'],
        'syncActive': ['sync_active', 'boolean'],
        'writeMode': ['write_mode', 'string'],
        'customFields': ['custom_fields', 'json'],
    },
) }}
