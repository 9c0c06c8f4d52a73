-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'account_health_scores',
    columns={
        'accountId': ['account_id', 'string'],
        'accountUpdatedAt': ['account_updated_at', 'timestamp'],
        'breakdown': ['breakdown', 'json'],
    },
    key=['account_id'],
    ids='account_ids',
    ids_of='account_id',
) }}
