{{ config(materialized='table', persist_docs={'relation': true, 'columns': true}) }}
select c.id, c.name, coalesce(sum(o.amount), 0) as total, count(o.order_id) as orders
from {{ ref('customers') }} as c
left join {{ ref('stg_orders') }} as o on o.customer_id = c.id
group by c.id, c.name
