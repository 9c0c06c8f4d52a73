-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'custom_fields',
    columns={
        'model': ['model', 'string'],
        'path': ['path', 'string'],
        'customObjectId': ['custom_object_id', 'string'],
        'id': ['id', 'string'],
        'createdAt': ['created_at', 'timestamp'],
        'label': ['label', 'string'],
        'type': ['type', 'string'],
        'options': ['options', 'json'],
    },
    key=['model', 'path', 'custom_object_id'],
) }}
