-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'admins',
    columns={
        'id': ['id', 'string'],
        'name': ['name', 'string'],
        'email': ['email', 'string'],
        'licenseStatus': ['license_status', 'string'],
    },
) }}
