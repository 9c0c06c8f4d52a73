-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'meeting_transcripts',
    columns={
        'id': ['id', 'string'],
        'meetingId': ['meeting_id', 'string'],
        'createdAt': ['created_at', 'timestamp'],
        'updatedAt': ['updated_at', 'timestamp'],
        'transcript': ['transcript', 'json'],
    },
    ids='meeting_ids',
    ids_of='meeting_id',
) }}
