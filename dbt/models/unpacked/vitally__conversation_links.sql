{% for object in ['account', 'organization', 'user', 'admin'] -%}
select distinct
    messages.conversation_id,
    '{{ object }}' as object,
    {{ vitally.value() }} as object_id
from {{ ref('stg_vitally__messages') }} as messages
{{ vitally.each_item('messages.' ~ object ~ '_ids') }}
where not messages.is_deleted
    {%- if object != 'admin' %}
    and {{ vitally.value() }} not in {{ vitally.gone('stg_vitally__' ~ object ~ 's') }}
    {%- endif %}
{{ 'union all' if not loop.last }}
{% endfor %}