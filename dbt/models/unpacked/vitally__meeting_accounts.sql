select
    meetings.id as meeting_id,
    {{ vitally.value() }} as account_id
from {{ ref('stg_vitally__meetings') }} as meetings
{{ vitally.each_item('meetings.account_ids') }}
where not meetings.is_deleted
    and {{ vitally.value() }} not in {{ vitally.gone('stg_vitally__accounts') }}
