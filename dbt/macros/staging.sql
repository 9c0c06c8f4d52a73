{#- The newest version of each row of a stream, in columns of snake_case.

    stream    its name
    columns   by the source's name of a column: the model's name of it, and its type (see type_of)
    key       what a row is known by, in the model's names
    ids       the stream of ids that shows which rows are gone, and
    ids_of    the column that is compared with it
    version   a column that is older in rows that were no longer there when their parent, ids_of, was last read

    A table that is not there is an empty one, a column that is not there is null. Columns that the source added since,
    and those of flatten_traits, are passed on as they are named. -#}
{% macro staging(stream, columns, key=['id'], ids=none, ids_of='id', version=none) %}
{%- set tables = vitally.tables_of(stream) %}
{%- set ids_table = load_relation(source('vitally', ids)) if ids else none %}
{%- set more = [] if stream == 'custom_object_instances' else vitally.other_columns(tables, columns) %}
with every_version as (
    {%- for table in tables %}
    select
        {%- set found = vitally.columns_of(table) %}
        {%- for name, (alias, kind) in columns.items() %}
        {{ found.get(name | lower, 'cast(null as ' ~ vitally.type_of(kind) ~ ')') }} as {{ alias }},
        {%- endfor %}
        {%- for column in more %}
        {{ column }},
        {%- endfor %}
        _airbyte_extracted_at as extracted_at
    from {{ table }}
    {{ 'union all' if not loop.last }}
    {%- else %}
    select
        {%- for alias, kind in columns.values() %}
        cast(null as {{ vitally.type_of(kind) }}) as {{ alias }},
        {%- endfor %}
        cast(null as {{ dbt.type_timestamp() }}) as extracted_at
    limit 0
    {%- endfor %}
),

numbered as (
    select
        *,
        row_number() over (partition by {{ key | join(', ') }} order by extracted_at desc) as vitally_age
    from every_version
)
{%- if ids_table %},

ids_now as (
    select id, min(_airbyte_extracted_at) as extracted_at from {{ ids_table }} group by id
),

ids_read as (
    select min(extracted_at) as since from ids_now
)
{%- endif %}

select
    {%- for alias, _ in columns.values() %}
    numbered.{{ alias }},
    {%- endfor %}
    {%- for column in more %}
    numbered.{{ column }},
    {%- endfor %}
    {%- if ids %}
    {%- if ids_table %}
    coalesce(ids_now.id is null and numbered.extracted_at < ids_read.since, false)
    {%- else %}
    false
    {%- endif %}
    {%- if version %}
        or coalesce(numbered.{{ version }} < max(numbered.{{ version }}) over (partition by numbered.{{ ids_of }}), false)
    {%- endif %} as is_deleted,
    {%- endif %}
    numbered.extracted_at
from numbered
{%- if ids_table %}
left join ids_now on numbered.{{ ids_of }} = ids_now.id
cross join ids_read
{%- endif %}
where numbered.vitally_age = 1
{% endmacro %}

{#- The tables of a stream that are there: one or none, or one per custom object. -#}
{% macro tables_of(stream) %}
{%- if stream != 'custom_object_instances' %}
    {%- set table = load_relation(source('vitally', stream)) %}
    {%- do return([table] if table else []) %}
{%- endif %}
{%- set beside = source('vitally', 'custom_objects') %}
{%- set start = beside.identifier[:-1] | lower ~ '_' %}
{%- set found = [] %}
{%- if execute %}
    {%- set names %}
        select table_name
        from {{ 'system.information_schema.tables' if target.type == 'duckdb' else beside.information_schema('TABLES') }}
        where lower(table_schema) = '{{ beside.schema | lower }}'
            and substr(lower(table_name), 1, {{ start | length }}) = '{{ start }}'
            {{ "and table_catalog = '" ~ beside.database ~ "'" if target.type == 'duckdb' }}
        order by table_name
    {%- endset %}
    {%- for name in run_query(names).columns[0].values() %}
        {%- do found.append(adapter.get_relation(beside.database, beside.schema, name)) %}
    {%- endfor %}
{%- endif %}
{%- do return(found) %}
{% endmacro %}

{#- The columns of a table, quoted, by their names in lower case: some destinations keep Vitally's capitals, some do not. -#}
{% macro columns_of(table) %}
{%- set found = {} %}
{%- for column in adapter.get_columns_in_relation(table) %}
    {%- do found.update({column.name | lower: column.quoted}) %}
{%- endfor %}
{%- do return(found) %}
{% endmacro %}

{#- The columns of a stream's only table that are neither known nor Airbyte's. -#}
{% macro other_columns(tables, columns) %}
{%- set known = columns | map('lower') | list %}
{%- set found = [] %}
{%- for name, quoted in (vitally.columns_of(tables[0]) if tables else {}).items() %}
    {%- if name not in known and not name.startswith('_airbyte_') %}
        {%- do found.append(quoted) %}
    {%- endif %}
{%- endfor %}
{%- do return(found) %}
{% endmacro %}

{% macro type_of(kind) %}
{%- do return({
    'string': dbt.type_string(),
    'integer': dbt.type_bigint(),
    'number': dbt.type_numeric(),
    'boolean': dbt.type_boolean(),
    'timestamp': dbt.type_timestamp(),
    'json': {'postgres': 'jsonb', 'snowflake': 'variant'}.get(target.type, 'json'),
}[kind]) %}
{% endmacro %}
