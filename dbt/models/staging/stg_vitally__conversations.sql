-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'conversations',
    columns={
        'id': ['id', 'string'],
        'createdAt': ['created_at', 'timestamp'],
        'updatedAt': ['updated_at', 'timestamp'],
        'externalId': ['external_id', 'string'],
        'subject': ['subject', 'string'],
        'status': ['status', 'string'],
        'rating': ['rating', 'string'],
        'source': ['source', 'string'],
        'externalUrl': ['external_url', 'string'],
        'traits': ['traits', 'json'],
    },
    ids='conversation_ids',
) }}
