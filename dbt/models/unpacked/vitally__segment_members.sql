{% for object in ['account', 'organization', 'user'] -%}
select
    {{ vitally.value('id') }} as segment_id,
    {{ vitally.value('name') }} as segment,
    '{{ object }}' as object,
    members.id as object_id
from {{ ref('stg_vitally__' ~ object ~ 's') }} as members
{{ vitally.each_item('members.segments') }}
where not members.is_deleted
{{ 'union all' if not loop.last }}
{% endfor %}