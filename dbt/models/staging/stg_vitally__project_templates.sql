-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'project_templates',
    columns={
        'id': ['id', 'string'],
        'createdAt': ['created_at', 'timestamp'],
        'updatedAt': ['updated_at', 'timestamp'],
        'name': ['name', 'string'],
        'projectName': ['project_name', 'string'],
        'description': ['description', 'string'],
        'projectCategoryId': ['project_category_id', 'string'],
        'traits': ['traits', 'json'],
    },
) }}
