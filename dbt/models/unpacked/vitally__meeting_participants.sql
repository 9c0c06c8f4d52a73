select
    meetings.id as meeting_id,
    {{ vitally.value('id') }} as participant_id,
    {{ vitally.value('userId') }} as user_id,
    {{ vitally.value('vitallyUserId') }} as admin_id,
    {{ vitally.value('email') }} as email,
    {{ vitally.value('type') }} as type,
    {{ vitally.value('responseStatus') }} as response_status
from {{ ref('stg_vitally__meetings') }} as meetings
{{ vitally.each_item('meetings.participants') }}
where not meetings.is_deleted
