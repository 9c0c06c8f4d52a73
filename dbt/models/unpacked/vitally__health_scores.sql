{% for object in ['account', 'organization'] -%}
select
    {{ dbt.concat(["'" ~ object ~ "/'", 'id', "'/'"]) }} as id,
    '{{ object }}' as object,
    id as object_id,
    cast(null as {{ dbt.type_string() }}) as component,
    health_score as score,
    cast(null as {{ dbt.type_numeric() }}) as weight,
    extracted_at
from {{ ref('stg_vitally__' ~ object ~ 's') }}
where not is_deleted and health_score is not null
union all
{% endfor -%}
select
    {{ dbt.concat(["'account/'", 'account_id', "'/'", 'component']) }} as id,
    'account' as object,
    account_id as object_id,
    component,
    score,
    weight,
    extracted_at
from (
    select
        account_id,
        coalesce(name, cast(position as {{ dbt.type_string() }})) as component,
        score,
        weight,
        extracted_at,
        row_number() over (
            partition by account_id, coalesce(name, cast(position as {{ dbt.type_string() }})) order by position
        ) as place
    from {{ ref('stg_vitally__account_health_score_components') }}
    where not is_deleted
) as components
where place = 1
