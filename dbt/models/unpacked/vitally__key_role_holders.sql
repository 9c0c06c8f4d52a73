{% for object in ['account', 'organization'] -%}
select
    '{{ object }}' as object,
    customers.id as object_id,
    {{ vitally.value('keyRole.id') }} as key_role_id,
    {{ vitally.value('keyRole.label') }} as key_role,
    {{ vitally.value('vitallyUser.id') }} as admin_id,
    cast({{ vitally.value('assignedAt') }} as {{ dbt.type_timestamp() }}) as assigned_at
from {{ ref('stg_vitally__' ~ object ~ 's') }} as customers
{{ vitally.each_item('customers.key_roles') }}
where not customers.is_deleted
{{ 'union all' if not loop.last }}
{% endfor %}