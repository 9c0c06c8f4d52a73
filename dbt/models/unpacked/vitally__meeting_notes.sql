select
    meetings.id as meeting_id,
    {{ vitally.value('id') }} as note_id
from {{ ref('stg_vitally__meetings') }} as meetings
{{ vitally.each_item('meetings.notes') }}
where not meetings.is_deleted
    and {{ vitally.value('id') }} not in {{ vitally.gone('stg_vitally__notes') }}
