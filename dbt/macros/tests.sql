{#- What a test selects that has nothing to look at. -#}
{% macro nothing_wrong() %}select 1 as wrong from (select 1 as one) as nothing where one = 0{% endmacro %}

{#- No row lacks its key. Columns have the source's names; a stream that is not read has no rows. -#}
{% test never_null(model, columns) %}
{%- set table = load_relation(model) %}
{%- if table %}
{%- set found = vitally.columns_of(table) %}
select * from {{ table }}
where {% for name in columns %}{{ found[name | lower] }} is null{{ ' or ' if not loop.last }}{% endfor %}
{%- else %}
{{ vitally.nothing_wrong() }}
{%- endif %}
{% endtest %}

{#- The ids are those of one sync. If older ones stay (append, or a cache that merges), no row is ever seen to be gone. -#}
{% test read_at_once(model) %}
{%- set table = load_relation(model) %}
{%- if table %}
{%- set first, last = 'min(_airbyte_extracted_at)', 'max(_airbyte_extracted_at)' %}
select {{ first }} as first_read, {{ last }} as last_read from {{ table }}
having {{ dbt.datediff(first, last, 'second') }} > 3600 * {{ var('vitally_hours_of_a_sync') }}
{%- else %}
{{ vitally.nothing_wrong() }}
{%- endif %}
{% endtest %}

{#- No two rows are alike in these columns. -#}
{% test one_row_per(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
