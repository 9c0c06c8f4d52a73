-- Made by `make dbt-models` from the schemas of the source: change those.
{{ vitally.staging(
    'custom_object_instances',
    columns={
        'id': ['id', 'string'],
        'createdAt': ['created_at', 'timestamp'],
        'updatedAt': ['updated_at', 'timestamp'],
        'name': ['name', 'string'],
        'externalId': ['external_id', 'string'],
        'customObjectId': ['custom_object_id', 'string'],
        'createdByVitallyUserId': ['created_by_vitally_user_id', 'string'],
        'ownedByVitallyUserId': ['owned_by_vitally_user_id', 'string'],
        'customerId': ['customer_id', 'string'],
        'customer': ['customer', 'json'],
        'customers': ['customers', 'json'],
        'organizationId': ['organization_id', 'string'],
        'organization': ['organization', 'json'],
        'traits': ['traits', 'json'],
        'archivedAt': ['archived_at', 'timestamp'],
    },
    ids='instance_ids',
) }}
