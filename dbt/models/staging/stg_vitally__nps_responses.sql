-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'nps_responses',
    columns={
        'id': ['id', 'string'],
        'createdAt': ['created_at', 'timestamp'],
        'updatedAt': ['updated_at', 'timestamp'],
        'externalId': ['external_id', 'string'],
        'userId': ['user_id', 'string'],
        'score': ['score', 'integer'],
        'feedback': ['feedback', 'string'],
        'respondedAt': ['responded_at', 'timestamp'],
        'dismissedAt': ['dismissed_at', 'timestamp'],
        'user': ['user_reference', 'json'],
    },
    ids='nps_response_ids',
) }}
