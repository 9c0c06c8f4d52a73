select
    instances.id as instance_id,
    {{ vitally.value('id') }} as account_id
from {{ ref('stg_vitally__custom_object_instances') }} as instances
{{ vitally.each_item('instances.customers') }}
where not instances.is_deleted
    and {{ vitally.value('id') }} not in {{ vitally.gone('stg_vitally__accounts') }}
