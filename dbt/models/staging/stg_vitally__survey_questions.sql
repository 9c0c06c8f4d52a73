-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'survey_questions',
    columns={
        'id': ['id', 'string'],
        'surveyId': ['survey_id', 'string'],
        'title': ['title', 'string'],
        'body': ['body', 'string'],
        'type': ['type', 'string'],
        'isRequired': ['is_required', 'boolean'],
    },
) }}
