{#- What stands behind `from`: a row per item of a JSON list, or per key of a JSON object, of the row before. The item is
    read by `value`, the key by `key`. What is no list, or no object, has no items. -#}
{% macro each_item(column) %}{{ adapter.dispatch('each_item', 'vitally')(column) }}{% endmacro %}

{% macro default__each_item(column) %}cross join unnest(json_extract({{ column }}, '$[*]')) as item (value){% endmacro %}

{% macro postgres__each_item(column) -%}
cross join lateral jsonb_array_elements(
    case when jsonb_typeof({{ column }}) = 'array' then {{ column }} end
) as item (value)
{%- endmacro %}

{% macro snowflake__each_item(column) %}cross join lateral flatten(input => as_array({{ column }}::variant)) as item{% endmacro %}

{% macro bigquery__each_item(column) %}cross join unnest(json_query_array({{ column }})) as item_value{% endmacro %}

{% macro each_key(column) %}{{ adapter.dispatch('each_key', 'vitally')(column) }}{% endmacro %}

{% macro default__each_key(column) %}cross join json_each({{ column }}) as item{% endmacro %}

{% macro postgres__each_key(column) -%}
cross join lateral jsonb_each(case when jsonb_typeof({{ column }}) = 'object' then {{ column }} end) as item
{%- endmacro %}

{% macro snowflake__each_key(column) %}cross join lateral flatten(input => as_object({{ column }}::variant)) as item{% endmacro %}

{#- A member of the item as a text, by the names that lead to it (`keyRole.id`), or the item itself. -#}
{% macro value(path='') %}{{ adapter.dispatch('value', 'vitally')(path) }}{% endmacro %}

{% macro default__value(path) %}(item.value ->> '${{ '.' ~ path if path }}'){% endmacro %}

{% macro postgres__value(path) %}(item.value #>> '{{ '{' ~ path | replace('.', ',') ~ '}' }}'){% endmacro %}

{% macro snowflake__value(path) %}{{ "get_path(item.value, '" ~ path ~ "')" if path else 'item.value' }}::varchar{% endmacro %}

{#- A list or an object is no scalar: it is its JSON. -#}
{% macro bigquery__value(path) -%}
{%- set found = "item_value, '$" ~ ('.' ~ path if path) ~ "'" -%}
coalesce(json_value({{ found }}), nullif(to_json_string(json_query({{ found }})), 'null'))
{%- endmacro %}

{#- The same of a column that holds one object. -#}
{% macro member(column, path) %}{{ vitally.value(path) | replace('item.value', column) | replace('item_value', column) }}{% endmacro %}

{#- The key of the item, of each_key. -#}
{% macro key() %}item.key{% endmacro %}

{#- The ids of rows that are gone: nothing links to these any more, whatever the row with the link says. -#}
{% macro gone(model) %}(select id from {{ ref(model) }} where is_deleted){% endmacro %}
