-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'account_health_score_components',
    columns={
        'accountId': ['account_id', 'string'],
        'position': ['position', 'integer'],
        'accountUpdatedAt': ['account_updated_at', 'timestamp'],
        'name': ['name', 'string'],
        'score': ['score', 'number'],
        'weight': ['weight', 'number'],
        'component': ['component', 'json'],
    },
    key=['account_id', 'position'],
    ids='account_ids',
    ids_of='account_id',
    version='account_updated_at',
) }}
