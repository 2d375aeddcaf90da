SELECT NULL = NULL, NULL <=> NULL, 1 <=> NULL, NULL IS NULL, 1 <> NULL, NOT NULL

SELECT CAST('NaN' AS DOUBLE) = CAST('NaN' AS DOUBLE), CAST('NaN' AS DOUBLE) > 1e308D, CAST('NaN' AS DOUBLE) > CAST('Infinity' AS DOUBLE), CAST('NaN' AS DOUBLE) <=> NULL

SELECT 0.0D = -0.0D, CAST(0.0 AS FLOAT) = CAST('-0.0' AS FLOAT), 1 = 1.0, 1L = 1S

SELECT 1 IN (2, NULL), 1 IN (1, NULL), NULL IN (1), 1 NOT IN (2, NULL), 1 IN (1)

SELECT 5 BETWEEN 1 AND NULL, 5 BETWEEN 6 AND NULL, 5 NOT BETWEEN 1 AND 4

SELECT NULL AND false, NULL OR true, NULL AND true, NOT (NULL OR false)

SELECT 'a' < 'B', 'a' < 'b', 'Z' < 'a', '' < 'a', 'é' > 'z', '10' < '9', 'a' = 'a '

SELECT x FROM VALUES ('b'), ('A'), (NULL), ('a'), ('Z'), ('é'), ('z'), (''), (' '), ('ß'), ('😀'), ('～') AS t(x) ORDER BY x

SELECT x FROM VALUES ('b'), ('A'), (NULL), ('a') AS t(x) ORDER BY x DESC

SELECT x FROM VALUES (2), (NULL), (1) AS t(x) ORDER BY x NULLS LAST

SELECT x FROM VALUES (2), (NULL), (1) AS t(x) ORDER BY x DESC NULLS FIRST

SELECT x FROM VALUES (1.5D), (CAST('NaN' AS DOUBLE)), (NULL), (CAST('-Infinity' AS DOUBLE)), (CAST('Infinity' AS DOUBLE)), (-0.5D) AS t(x) ORDER BY x

SELECT x FROM VALUES (1.5D), (CAST('NaN' AS DOUBLE)), (NULL), (CAST('Infinity' AS DOUBLE)) AS t(x) ORDER BY x DESC

SELECT count(*), x FROM VALUES (CAST('NaN' AS DOUBLE)), (CAST('NaN' AS DOUBLE)), (0.0D), (-0.0D), (NULL), (NULL) AS t(x) GROUP BY x

SELECT DISTINCT x FROM VALUES (1), (NULL), (1), (NULL) AS t(x)

SELECT a, b FROM VALUES (1, 'x'), (1, 'a'), (0, 'z'), (NULL, 'n') AS t(a, b) ORDER BY a, b

SELECT a, b FROM VALUES (1, 'x'), (1, 'a'), (0, 'z'), (NULL, 'n') AS t(a, b) ORDER BY a DESC, b

SELECT a, b FROM VALUES (1, 'x'), (1, 'a'), (0, 'z') AS t(a, b) ORDER BY 2, 1

-- unordered
SELECT a FROM VALUES (1, 'x'), (1, 'a'), (0, 'z') AS t(a, b) ORDER BY a

SELECT greatest(1, NULL, 3), least(1, NULL, 3), greatest('a', 'B'), greatest(CAST('NaN' AS DOUBLE), 1), coalesce(NULL, 2), nvl(NULL, 1), ifnull(NULL, 1)

SELECT max(x), min(x), max(y), min(y) FROM VALUES (1.0D, 'b'), (CAST('NaN' AS DOUBLE), 'B'), (NULL, NULL) AS t(x, y)

SELECT x FROM VALUES (X'00ff'), (X'01'), (NULL), (X''), (X'00') AS t(x) ORDER BY x

SELECT x FROM VALUES (TIMESTAMP '2024-01-01 00:00:00.000001'), (NULL), (TIMESTAMP '2024-01-01 00:00:00'), (TIMESTAMP '0001-01-01 00:00:00') AS t(x) ORDER BY x

SELECT x FROM VALUES (DATE '2024-01-01'), (NULL), (DATE '0001-01-01'), (DATE '9999-12-31') AS t(x) ORDER BY x DESC

SELECT x FROM VALUES (1.10), (1.1), (-5.25), (NULL), (100.00) AS t(x) ORDER BY x

SELECT x FROM VALUES (array(2)), (array(1, 5)), (NULL), (array()), (array(1)) AS t(x) ORDER BY x

-- differs: DuckDB orders NULL fields of a struct last, Spark first
SELECT x FROM VALUES (named_struct('a', 2, 'b', 'x')), (named_struct('a', 1, 'b', NULL)), (named_struct('a', 1, 'b', 'y')) AS t(x) ORDER BY x

SELECT x FROM VALUES (true), (NULL), (false) AS t(x) ORDER BY x

SELECT array(1, NULL) = array(1, NULL), named_struct('a', 1) = named_struct('a', 1), array(1) < array(1, 2)

SELECT map(1, 2) = map(1, 2)

SELECT x FROM VALUES (map(1, 2)) AS t(x) ORDER BY x

-- differs: Spark 4.0 groups by MAP; the DuckDB engine refuses it, as earlier releases of Spark did
SELECT x FROM VALUES (map(1, 2)), (map(1, 2)) AS t(x) GROUP BY x

SELECT a.x FROM VALUES (1), (NULL) AS a(x) JOIN VALUES (1), (NULL) AS b(x) ON a.x = b.x

SELECT a.x FROM VALUES (1), (NULL) AS a(x) JOIN VALUES (1), (NULL) AS b(x) ON a.x <=> b.x

SELECT x FROM VALUES (1), (1), (2), (NULL) AS t(x) EXCEPT SELECT x FROM VALUES (1) AS t(x)

SELECT x FROM VALUES (1), (1), (2), (NULL), (NULL) AS t(x) EXCEPT ALL SELECT x FROM VALUES (1), (NULL) AS t(x)

SELECT x FROM VALUES (1), (1), (NULL) AS t(x) INTERSECT ALL SELECT x FROM VALUES (1), (1), (1), (NULL) AS t(x)

SELECT 1 UNION SELECT 1 UNION ALL SELECT NULL

SELECT 1 AS x UNION ALL SELECT 'a'

SELECT 'a' LIKE 'A', 'a_c' LIKE 'a\\_c', 'abc' LIKE 'a_c', 'abc' LIKE 'a%', NULL LIKE 'a', 'a\\b' LIKE 'a\\\\b'

SELECT 'abc' RLIKE 'B', 'abc' RLIKE '^a.c$', 'ABC' ILIKE 'a%c'

SELECT md5('a'), sha2('a', 256)

SELECT x, count(*) FROM VALUES ('a'), ('A'), ('a ') AS t(x) GROUP BY x ORDER BY x

SELECT row_number() OVER (ORDER BY x), rank() OVER (ORDER BY x), dense_rank() OVER (ORDER BY x), lag(x) OVER (ORDER BY x) FROM VALUES (2), (NULL), (1) AS t(x) ORDER BY 1

SELECT sum(x) OVER (PARTITION BY g ORDER BY x), g, x FROM VALUES ('a', 1), ('a', 2), ('b', NULL), (NULL, 5) AS t(g, x) ORDER BY g, x
