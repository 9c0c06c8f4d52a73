select
    responses.id as survey_response_id,
    responses.survey_id,
    {{ vitally.value('id') }} as answer_id,
    {{ vitally.value('questionId') }} as question_id,
    {{ vitally.value('data.type') }} as type,
    {{ vitally.value('data.value') }} as answer
from {{ ref('stg_vitally__survey_responses') }} as responses
{{ vitally.each_item('responses.question_responses') }}
