SELEC 1

SELECT

-- refused
SELECT 1 FROM

SELECT * FROM VALUES (1) AS t(a) WHERE

SELECT 'open

SELECT `open

SELECT (1

SELECT 1)

SELECT 1 2 3

SELECT a FROM VALUES (1) AS t(b)

SELECT t.nope FROM VALUES (1) AS t(a)

SELECT u.a FROM VALUES (1) AS t(a)

SELECT a FROM VALUES (1) AS t(a), VALUES (2) AS u(a)

SELECT nofunction(1)

SELECT upper()

SELECT upper('a', 'b')

SELECT substring(1, 2, 3, 4)

SELECT abs('x')

-- differs: both refuse it, with different error classes
SELECT a, count(*) FROM VALUES (1) AS t(a)

SELECT a FROM VALUES (1) AS t(a) GROUP BY b

-- differs: both refuse it, with different error classes
SELECT a FROM VALUES (1) AS t(a) HAVING a > 1

SELECT count(*) FROM VALUES (1) AS t(a) WHERE count(*) > 1

SELECT sum(count(*)) FROM VALUES (1) AS t(a)

-- differs: both refuse it, with different error classes
SELECT a FROM VALUES (1) AS t(a) WHERE row_number() OVER (ORDER BY a) = 1

SELECT row_number() FROM VALUES (1) AS t(a)

-- differs: the DuckDB engine accepts a number as a condition
SELECT * FROM VALUES (1) AS t(a) WHERE a

-- differs: both refuse it, with different error classes
SELECT * FROM VALUES (1) AS t(a) WHERE 'x'

-- differs: both refuse it, with different error classes
SELECT 1 + array(1)

SELECT 1 = array(1)

SELECT array(1, 'a')

SELECT array(1, array(2))

-- differs: the DuckDB engine accepts a number as a condition
SELECT CASE WHEN 1 THEN 2 END

-- differs: the DuckDB engine accepts a number as a condition
SELECT if(1, 2, 3)

SELECT 1 UNION SELECT 1, 2

SELECT array(1) UNION SELECT 1

SELECT (SELECT 1, 2)

SELECT (SELECT a FROM VALUES (1), (2) AS t(a))

SELECT * FROM VALUES (1), (2, 3) AS t

-- differs: both refuse it, with different error classes
SELECT * FROM VALUES (1) AS t(a, b)

-- differs: both refuse it, with different error classes
SELECT 1 ORDER BY nope

SELECT 1 ORDER BY 5

SELECT a FROM VALUES (1) AS t(a) GROUP BY 7

SELECT 1 LIMIT -1

SELECT 1 LIMIT 'x'

SELECT * FROM range(3) LIMIT 1 + 1

SELECT CAST(1 AS NOTATYPE)

SELECT CAST(1 AS DECIMAL(39,0))

-- differs: both refuse it, with different error classes
SELECT CAST(1 AS DECIMAL(5,6))

SELECT CAST(array(1) AS INT)

-- differs: both refuse it, with different error classes
SELECT CAST(DATE '2024-01-01' AS BOOLEAN)

SELECT explode(array(1)), explode(array(2))

-- differs: the DuckDB engine accepts a number as a condition
SELECT * FROM VALUES (1) AS t(a) JOIN VALUES (1) AS u(b) ON a

SELECT * FROM VALUES (1) AS t(a) JOIN VALUES (1) AS u(b) USING (a)

SELECT interval

SELECT DATE 'x'

SELECT TIMESTAMP 'x'

SELECT X'0'

-- differs: both refuse it, with different error classes
SELECT 99999999999999999999999999999999999999999

-- differs: Spark refuses a DOUBLE literal out of range; in the DuckDB engine it is Infinity
SELECT 1e400D

SELECT 128Y

SELECT named_struct('a')

SELECT map('a')

SELECT map(1, 'x', 'y', 'z')

-- differs: both refuse it, with different error classes
SELECT from_json('{}', 'nonsense type')

-- differs: both refuse it, with different error classes
SELECT to_json('x')

SELECT date_add('x', 1)

-- differs: both refuse it, with different error classes
SELECT date_format('2024-01-01', 'QQQQQQQ')

-- differs: both refuse it, with different error classes
SELECT regexp_extract('a', '(', 0)

SELECT sha2('a', 3)

SELECT ?

SELECT :name

CREATE TABLE t

CREATE TABLE t (a INT)

CREATE TABLE x (a NOTATYPE)

CREATE TABLE y (a INT,)

-- differs: the DuckDB engine accepts an empty list of columns
CREATE TABLE z ()

CREATE VIEW w AS SELECT nope

ALTER TABLE nope ADD COLUMN a INT

ALTER TABLE t ADD COLUMN `a b` INT

DROP VIEW t

SHOW NONSENSE

DESCRIBE nope

DESCRIBE HISTORY nope

SET ANSI_MODE = maybe

-- differs: the DuckDB engine accepts any setting
SET spark.sql.shuffle.partitions = 1

-- differs: an endless sequence is empty in the DuckDB engine
SELECT sequence(1, 10, -1)

SELECT 'a' IN (1, 2)

-- differs: both refuse it, with different error classes
SELECT array_contains(array(1), 'a')

-- differs: the DuckDB engine casts the key; Spark refuses it
SELECT element_at(map('a', 1), 1)

SELECT transform(array(1), x -> y)

SELECT * FROM nofunction(1)

SELECT * FROM range()

WITH a AS (SELECT 1) SELECT * FROM b

-- differs: the DuckDB engine uses the later of two expressions with the same name
WITH a AS (SELECT 1), a AS (SELECT 2) SELECT * FROM a

-- differs: both refuse it, with different error classes
SELECT max(DISTINCT) FROM VALUES (1) AS t(a)

SELECT a.b.c FROM VALUES (1) AS t(a)

SELECT t.a.b FROM VALUES (named_struct('x', 1)) AS t(a)
