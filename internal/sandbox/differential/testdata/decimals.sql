SELECT 1.1 + 2.22, 1.1 * 2.22, 1.0 / 3, 1.10 - 1.1, 10 / 4, 10 DIV 4, 10 % 4, -7 % 3, -7 DIV 2, pmod(-7, 3)

SELECT CAST(1 AS DECIMAL(38,0)) / CAST(3 AS DECIMAL(38,0)), CAST(1 AS DECIMAL(38,18)) * CAST(1 AS DECIMAL(38,18))

SELECT CAST('99999999999999999999999999999999999999' AS DECIMAL(38,0)) + 1

-- differs: both refuse it, with different error classes
SELECT CAST('99999999999999999999' AS DECIMAL(38,0)) * CAST('99999999999999999999' AS DECIMAL(38,0))

SELECT round(2.5), round(3.5), round(-2.5), round(2.345, 2), round(12345, -2), ceil(1.2), floor(-1.2), ceil(1.0D)

SELECT round(2.5D), round(0.125D, 2), round(1.005D, 2), floor(1e18D), ceil(-0.5D)

SELECT sum(x), avg(x), min(x), max(x), count(x) FROM VALUES (1.10), (2.25), (NULL) AS t(x)

SELECT sum(x), avg(x) FROM VALUES (1), (2), (NULL) AS t(x)

SELECT sum(x), avg(x), stddev(x) FROM VALUES (1.5D), (2.5D), (NULL) AS t(x)

SELECT sum(x), avg(x), min(x), count(*) FROM VALUES (1) AS t(x) WHERE x > 5

SELECT sum(x) FROM VALUES (9223372036854775807), (1) AS t(x)

SELECT sum(CAST(x AS DECIMAL(18,2))) FROM VALUES ('1.10'), ('2.20') AS t(x)

SELECT sum(DISTINCT x), count(DISTINCT x), count(DISTINCT x, y) FROM VALUES (1, 1), (1, 2), (NULL, 2) AS t(x, y)

SELECT 1e3, 1E-2, 1.5BD, 100L, 5S, 7Y, 1.5F, 2D, .5, 1., 0x1F

SELECT typeof(1), typeof(1L), typeof(1.5), typeof(1.50), typeof(1e0), typeof(1 / 2), typeof(1.5 + 1), typeof(1.5 * 1.5), typeof(NULL), typeof(9999999999)

SELECT typeof(1.5 / 2), typeof(CAST(1 AS DECIMAL(10,2)) / CAST(1 AS DECIMAL(10,2))), typeof(sum(x)), typeof(avg(x)) FROM VALUES (1.5) AS t(x)

SELECT greatest(1, 2.5), coalesce(1, 2.5D), if(true, 1, 2.55), CASE WHEN true THEN 1 ELSE 1.5 END, array(1, 2.5)

SELECT abs(-3.5), pmod(-7, 3)

SELECT approx_count_distinct(x), collect_list(x) FROM VALUES (1), (2), (3) AS t(x)

SELECT rand() IS NOT NULL

SELECT gcd_missing(1, 2)

SELECT any_value(x), bool_and(y), bool_or(y), count_if(y) FROM VALUES (1, true), (1, false) AS t(x, y)

SELECT array_agg(a) FROM VALUES ('x'), ('y') AS t(a)
