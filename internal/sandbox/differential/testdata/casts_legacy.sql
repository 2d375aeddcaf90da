-- session: ANSI_MODE=false
SELECT CAST('x' AS INT), CAST('' AS INT), CAST(' 12 ' AS INT), CAST('12.9' AS INT), CAST('1e3' AS INT), CAST('2147483648' AS INT)

SELECT CAST(300 AS TINYINT), CAST(2147483648 AS INT), CAST(-129 AS TINYINT), CAST(1e20D AS BIGINT), CAST(1e20D AS INT), CAST(CAST('NaN' AS DOUBLE) AS INT)

SELECT CAST('maybe' AS BOOLEAN), CAST('abc' AS DOUBLE), CAST('12345678.9' AS DECIMAL(5,2)), CAST('2023-02-29' AS DATE), CAST('nope' AS TIMESTAMP)

-- differs: without ANSI, Spark's integers wrap around; DuckDB reports an overflow
SELECT 9223372036854775807 + 1, 2147483647 + 1, CAST(127 AS TINYINT) + CAST(1 AS TINYINT)

SELECT 1 / 0, 1 % 0, 5 DIV 0, 1.0D / 0

SELECT array(1, 2)[5], element_at(array(1, 2), 5), map('a', 1)['b']

-- differs: without ANSI, text with a number becomes DOUBLE in Spark, BIGINT in the DuckDB engine
SELECT 1 = 'x', 1 = '1', 'a' + 1, '10' > 9, '5' + '6'

-- differs: without ANSI, Spark casts it to NULL
SELECT CAST(DATE '2024-01-01' AS INT)

-- differs: without ANSI, an overflow of DECIMAL is NULL in Spark
SELECT CAST('99999999999999999999' AS DECIMAL(38,0)) * CAST('99999999999999999999' AS DECIMAL(38,0))

SELECT to_date('2024-13-01'), to_timestamp('x')

-- differs: without ANSI, Spark casts a number to BINARY
SELECT CAST(array('1', 'x') AS ARRAY<INT>), CAST('1_000' AS INT), CAST(258 AS BINARY)

-- differs: without ANSI, it is NULL in the DuckDB engine
SELECT element_at(array(1, 2), 0)

SELECT CAST(true AS TIMESTAMP)

SELECT 'a' = 1 OR true, coalesce(CAST('x' AS INT), 7), nvl(CAST('y' AS DATE), DATE '2024-01-01')

SELECT concat('a', 1, true), concat_ws('-', 'a', NULL, 2)

SELECT if('x' = 0, 1, 2), CASE WHEN '1' = 1 THEN 'same' END

-- differs: without ANSI, Spark's integers wrap around; DuckDB reports an overflow
SELECT sum(x) FROM VALUES (9223372036854775807), (1) AS t(x)

-- differs: without ANSI, Spark's integers wrap around; DuckDB reports an overflow
SELECT 2147483647 * 2, abs(CAST('-9223372036854775808' AS BIGINT)), -CAST('-128' AS TINYINT)

CREATE TABLE narrow (a TINYINT, b DECIMAL(3,1), c STRING)

-- differs: without ANSI, the DuckDB engine has another error class for an overflow in INSERT
INSERT INTO narrow VALUES (300, 99.95, 5)

INSERT INTO narrow VALUES ('x', 1.23, 5)

SELECT * FROM narrow
