{{ config(
    materialized='incremental', unique_key='id', incremental_strategy='merge', enabled=var('keys', true),
    contract={'enforced': true}, on_schema_change='append_new_columns',
    databricks_tags={'team': 'growth'}
) }}
select id, name, country
from {{ ref('customers') }}
