{{ config(materialized='incremental', unique_key='order_id', incremental_strategy='merge') }}
select *
from {{ ref('stg_orders') }}
where order_id <= {{ var('up_to', 11) }}
{% if is_incremental() %}
  and ordered_at >= (select max(ordered_at) from {{ this }})
{% endif %}
