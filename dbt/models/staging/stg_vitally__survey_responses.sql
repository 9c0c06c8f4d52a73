-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'survey_responses',
    columns={
        'id': ['id', 'string'],
        'surveyId': ['survey_id', 'string'],
        'organizationId': ['organization_id', 'string'],
        'userId': ['user_id', 'string'],
        'title': ['title', 'string'],
        'body': ['body', 'string'],
        'createdAt': ['created_at', 'timestamp'],
        'updatedAt': ['updated_at', 'timestamp'],
        'respondedAt': ['responded_at', 'timestamp'],
        'questionResponses': ['question_responses', 'json'],
    },
) }}
