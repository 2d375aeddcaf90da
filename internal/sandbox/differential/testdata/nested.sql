SELECT array(1, NULL, 3), array(), array('a', 'b"c'), array(array(1), NULL), array(1.5, 2.25), array(true)

SELECT map('a', 1, 'b', NULL), map(), map(1, array('x')), map('k', map('l', 2.5))

SELECT named_struct('a', 1, 'b', 'x', 'c', NULL), struct(1, 'x'), named_struct('odd name', named_struct('in"ner', 1.50))

SELECT array(named_struct('d', DATE '2024-02-29', 't', TIMESTAMP '2024-02-29 00:00:00.000001', 'n', TIMESTAMP_NTZ '2024-02-29 00:00:00', 'b', X'00ff', 'f', CAST('NaN' AS DOUBLE), 'z', -0.0D))

SELECT CAST(NULL AS STRUCT<a: INT>), CAST(NULL AS MAP<STRING, INT>), CAST(array() AS ARRAY<DATE>), named_struct('a', CAST(NULL AS ARRAY<INT>))

SELECT s.a, s.b.c, m['x'], a[0], a[1].q FROM VALUES (named_struct('a', 1, 'b', named_struct('c', 'z')), map('x', 5), array(named_struct('q', 1), named_struct('q', 2))) AS t(s, m, a)

SELECT s.nope FROM VALUES (named_struct('a', 1)) AS t(s)

SELECT s.* FROM VALUES (named_struct('a', 1, 'b', 2)) AS t(s)

SELECT size(array(1, 2)), size(map('a', 1)), array_contains(array(1, NULL), 1), array_contains(array(1, NULL), 2)

-- differs: size(NULL) is NULL in Spark; the DuckDB engine requires a type
SELECT size(NULL)

SELECT map('a', 1, 'a', 2)

SELECT map(NULL, 1)

SELECT concat(array(1), array(2)), sequence(1, 5, 2), sequence(3, 1), element_at(array(1, 2), -1)

SELECT transform(array(1, 2), x -> x + 1), filter(array(1, NULL, 3), x -> x > 1), exists(array(1, 2), x -> x = 2)

SELECT x FROM (SELECT explode(array(1, NULL, 3)) AS x)

SELECT explode(map('a', 1, 'b', 2))

SELECT id, e FROM VALUES (1, array('a', 'b')), (2, array()), (3, NULL) AS t(id, xs) LATERAL VIEW OUTER explode(xs) v AS e ORDER BY id, e

SELECT id, e FROM VALUES (1, array('a', 'b')), (2, array()) AS t(id, xs) LATERAL VIEW explode(xs) v AS e ORDER BY id, e

SELECT to_json(named_struct('a', 1, 'b', NULL, 'c', 'q"\\/\n', 'd', 1.50, 'e', 1e300D, 'f', 1.0D, 'g', CAST('NaN' AS DOUBLE), 'h', CAST('-Infinity' AS DOUBLE)))

SELECT to_json(named_struct('a', 1, 'b', NULL, 'm', map('k', NULL), 'l', array(NULL, 1)), map('ignoreNullFields', 'false'))

SELECT to_json(named_struct('t', TIMESTAMP '2024-02-29 12:34:56.123456', 'n', TIMESTAMP_NTZ '2024-02-29 12:34:56.123456', 'd', DATE '2024-02-29', 'b', X'00ff'))

SELECT to_json(named_struct('t', TIMESTAMP '2024-02-29 12:34:56.123456', 'n', TIMESTAMP_NTZ '2024-02-29 12:34:56.1', 'u', NULL), map('timestampFormat', "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", 'timestampNTZFormat', "yyyy-MM-dd'T'HH:mm:ss.SSSSSS", 'ignoreNullFields', 'false'))

SELECT to_json(named_struct('d', DATE '2024-02-29', 't', TIMESTAMP '2024-02-29 12:34:56'), map('dateFormat', 'dd/MM/yyyy', 'timestampFormat', 'HH:mm'))

SELECT to_json(array(1, 2)), to_json(map('a', 1, 'b', 2)), to_json(map(1, 'x')), to_json(array(named_struct('a', 1))), to_json(named_struct('é😀', 'ü\u0001\u007f\u2028'))

SELECT to_json(named_struct('a', CAST(1 AS TINYINT), 'b', 0.1F, 'c', 100000000.0D, 'd', 1e-5D, 'e', CAST('12345678901234567890.123456789012345678' AS DECIMAL(38,18)), 'f', CAST(0 AS DECIMAL(10,4)), 'g', 1.0E7F))

-- differs: the DuckDB engine does not support to_json of INTERVAL
SELECT to_json(named_struct('i', INTERVAL 1 DAY, 's', named_struct('x', NULL), 'e', array()))

-- differs: both refuse it, with different error classes
SELECT to_json(1)

-- refused
SELECT from_json('{"a":1,"b":"x","c":[1,2]}', 'a INT, b STRING, c ARRAY<INT>'), from_json('{"a":"x"}', 'a INT'), from_json('not json', 'a INT')

SELECT sha2(to_json(struct(x, y), map('ignoreNullFields', 'false')), 256) FROM VALUES (1, NULL), (2, 'ü') AS t(x, y)

SELECT to_json(struct(*)) FROM VALUES (1, 'x', NULL) AS t(a, `b c`, d)

SELECT collect_list(x), collect_set(x), count(x) FROM VALUES (1), (NULL), (1) AS t(x)

SELECT named_struct('a', 1).a, array(1, 2, 3)[1], map('x', array(7))['x'][0], struct(1 AS one, 'b' AS two).two

SELECT typeof(array(1, NULL)), typeof(map('a', 1.5)), typeof(named_struct('a b', 1)), typeof(array()), typeof(struct(1, 'x'))
