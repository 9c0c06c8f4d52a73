{% for object in ['note', 'task'] -%}
select
    '{{ object }}' as object,
    tagged.id as object_id,
    {{ vitally.value() }} as tag
from {{ ref('stg_vitally__' ~ object ~ 's') }} as tagged
{{ vitally.each_item('tagged.tags') }}
where not tagged.is_deleted
{{ 'union all' if not loop.last }}
{% endfor %}