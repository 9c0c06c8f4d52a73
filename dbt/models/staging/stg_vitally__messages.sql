-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'messages',
    columns={
        'id': ['id', 'string'],
        'conversationId': ['conversation_id', 'string'],
        'conversationUpdatedAt': ['conversation_updated_at', 'timestamp'],
        'type': ['type', 'string'],
        'externalId': ['external_id', 'string'],
        'timestamp': ['timestamp', 'timestamp'],
        'message': ['message', 'string'],
        'from': ['sender', 'json'],
        'to': ['recipients', 'json'],
        'cc': ['cc', 'json'],
        'bcc': ['bcc', 'json'],
        'accountIds': ['account_ids', 'json'],
        'organizationIds': ['organization_ids', 'json'],
        'userIds': ['user_ids', 'json'],
        'adminIds': ['admin_ids', 'json'],
    },
    ids='conversation_ids',
    ids_of='conversation_id',
    version='conversation_updated_at',
) }}
