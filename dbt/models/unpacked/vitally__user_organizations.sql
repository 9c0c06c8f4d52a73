select
    users.id as user_id,
    {{ vitally.value() }} as organization_id
from {{ ref('stg_vitally__users') }} as users
{{ vitally.each_item('users.organization_ids') }}
where not users.is_deleted
    and {{ vitally.value() }} not in {{ vitally.gone('stg_vitally__organizations') }}
