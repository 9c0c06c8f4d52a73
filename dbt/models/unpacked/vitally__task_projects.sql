select
    tasks.id as task_id,
    {{ vitally.value('id') }} as project_id
from {{ ref('stg_vitally__tasks') }} as tasks
{{ vitally.each_item('tasks.projects') }}
where not tasks.is_deleted
    and {{ vitally.value('id') }} not in {{ vitally.gone('stg_vitally__projects') }}
