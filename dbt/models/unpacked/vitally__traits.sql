{{ config(enabled=target.type != 'bigquery') -}}
{% for object in ['account', 'organization', 'user'] -%}
select
    {{ dbt.concat(["'" ~ object ~ "/'", 'customers.id', "'/'", vitally.key()]) }} as id,
    '{{ object }}' as object,
    customers.id as object_id,
    {{ vitally.key() }} as trait,
    {{ vitally.value() }} as value,
    customers.extracted_at
from {{ ref('stg_vitally__' ~ object ~ 's') }} as customers
{{ vitally.each_key('customers.traits') }}
where not customers.is_deleted
{{ 'union all' if not loop.last }}
{% endfor %}