select
    messages.id as message_id,
    'sender' as role,
    {{ vitally.member('messages.sender', 'type') }} as type,
    {{ vitally.member('messages.sender', 'id') }} as participant_id
from {{ ref('stg_vitally__messages') }} as messages
where not messages.is_deleted and messages.sender is not null
{% for role in ['recipients', 'cc', 'bcc'] -%}
union all
select
    messages.id as message_id,
    '{{ role }}' as role,
    {{ vitally.value('type') }} as type,
    {{ vitally.value('id') }} as participant_id
from {{ ref('stg_vitally__messages') }} as messages
{{ vitally.each_item('messages.' ~ role) }}
where not messages.is_deleted
{% endfor %}