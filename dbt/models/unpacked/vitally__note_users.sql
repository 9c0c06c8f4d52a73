select
    notes.id as note_id,
    {{ vitally.value('id') }} as user_id
from {{ ref('stg_vitally__notes') }} as notes
{{ vitally.each_item('notes.users') }}
where not notes.is_deleted
    and {{ vitally.value('id') }} not in {{ vitally.gone('stg_vitally__users') }}
