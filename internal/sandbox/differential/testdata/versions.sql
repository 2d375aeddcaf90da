CREATE TABLE t (id INT, s STRING) TBLPROPERTIES ('delta.enableRowTracking' = 'true')

INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, NULL)

UPDATE t SET s = upper(s) WHERE id < 3

DELETE FROM t WHERE id = 2

INSERT INTO t (s, id) VALUES ('d', 4)

SELECT * FROM t ORDER BY id

SELECT * FROM t VERSION AS OF 0

SELECT * FROM t VERSION AS OF 1 ORDER BY id

SELECT * FROM t VERSION AS OF 2 ORDER BY id

SELECT x.id FROM main.versions.t VERSION AS OF 3 AS x ORDER BY x.id

SELECT * FROM t VERSION AS OF 99

-- differs: Spark's grammar refuses a negative version; the DuckDB engine does not find it
SELECT * FROM t VERSION AS OF -1

-- differs: both refuse it, with different error classes
SELECT * FROM t VERSION AS OF 'x'

SELECT * FROM t@v1

SELECT id, s FROM t VERSION AS OF 1 EXCEPT ALL SELECT id, s FROM t VERSION AS OF 4

SELECT id, s FROM t EXCEPT ALL SELECT id, s FROM t VERSION AS OF 1

-- refused
SELECT * FROM t TIMESTAMP AS OF '1999-01-01'

SELECT count(*) FROM (SELECT * FROM t VERSION AS OF 1) AS x JOIN t ON x.id = t.id

-- refused
SELECT count(DISTINCT _metadata.row_id), count(_metadata.row_commit_version) FROM t

ALTER TABLE t ADD COLUMN extra DOUBLE

INSERT INTO t VALUES (5, 'e', 1.5)

SELECT * FROM t ORDER BY id

SELECT * FROM t VERSION AS OF 4 ORDER BY id

SELECT extra FROM t VERSION AS OF 4

SELECT id FROM t VERSION AS OF 6 WHERE extra IS NOT NULL

CREATE OR REPLACE TABLE t AS SELECT id, concat('r', id) AS r FROM t WHERE id > 3

SELECT * FROM t ORDER BY id

SELECT * FROM t VERSION AS OF 6 ORDER BY id

SELECT id FROM t VERSION AS OF 6 EXCEPT ALL SELECT id FROM t

SELECT version, operation FROM (SELECT 1 AS version, 'x' AS operation)

INSERT OVERWRITE t BY NAME SELECT 'x' AS r, 9 AS id

SELECT * FROM t

-- differs: both refuse it, with different error classes
INSERT OVERWRITE t BY NAME SELECT 'x' AS nope, 9 AS id

INSERT OVERWRITE t BY NAME SELECT 9 AS id

SELECT * FROM t

INSERT INTO t BY NAME SELECT 'y' AS r, 10 AS id

INSERT OVERWRITE t SELECT * FROM t WHERE id = 10

SELECT * FROM t

-- differs: both refuse it, with different error classes
INSERT INTO t VALUES (11)

-- differs: both refuse it, with different error classes
INSERT INTO t VALUES (11, 'a', 'b')

INSERT INTO t VALUES ('abc', 'x')

INSERT INTO t (id) VALUES (12)

-- differs: both refuse it, with different error classes
INSERT INTO t (nope) VALUES (12)

-- differs: both refuse it, with different error classes
INSERT INTO t (id, id) VALUES (1, 2)

-- differs: both refuse it, with different error classes
INSERT INTO t SELECT CAST(id AS BIGINT) * 3000000000, r FROM t

SELECT * FROM t ORDER BY id

CREATE TABLE required (id INT NOT NULL, s STRING)

INSERT INTO required VALUES (NULL, 'x')

-- differs: both refuse it, with different error classes
INSERT INTO required (s) VALUES ('x')

INSERT INTO required VALUES (1, NULL)

SELECT * FROM required

-- refused
MERGE INTO t USING (VALUES (10, 'merged'), (20, 'new') AS s(id, r)) ON t.id = s.id WHEN MATCHED THEN UPDATE SET r = s.r WHEN NOT MATCHED THEN INSERT (id, r) VALUES (s.id, s.r)

-- differs: follows from the MERGE above, which the DuckDB engine refused
SELECT * FROM t ORDER BY id

-- refused
MERGE INTO t USING (VALUES (20) AS s(id)) ON t.id = s.id WHEN MATCHED THEN DELETE

-- differs: the DuckDB engine does not support MERGE from VALUES
MERGE INTO t USING (VALUES (10, 'a'), (10, 'b') AS s(id, r)) ON t.id = s.id WHEN MATCHED THEN UPDATE SET r = s.r

-- differs: follows from the MERGE above, which the DuckDB engine refused
SELECT * FROM t ORDER BY id

TRUNCATE TABLE t

SELECT count(*) FROM t

CREATE TABLE ctas AS SELECT 1 AS a, 'x' AS b, CAST(NULL AS DATE) AS c

DESCRIBE ctas

CREATE TABLE ctas AS SELECT 1 AS a

CREATE TABLE IF NOT EXISTS ctas AS SELECT 2 AS a

SELECT * FROM ctas

CREATE TABLE nameless AS SELECT 1, 2

CREATE TABLE voided AS SELECT 1 AS a, NULL AS n

DESCRIBE voided

CREATE TABLE intervals (i INTERVAL DAY)

CREATE TABLE schemaless

SELECT * FROM schemaless

DESCRIBE schemaless

-- differs: both refuse it, with different error classes
INSERT INTO schemaless VALUES (1)

CREATE VIEW v AS SELECT * FROM ctas

DESCRIBE HISTORY v

SELECT * FROM v VERSION AS OF 0

INSERT INTO v VALUES (1, 'x', NULL)

UPDATE ctas SET nope = 1

UPDATE ctas SET a = 'abc'

DELETE FROM nope

DROP TABLE v

CREATE OR REPLACE TABLE mapped (`a b` INT) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')

INSERT INTO mapped VALUES (1)

-- differs: the DuckDB engine refuses to replace a table with column mapping by one without; Delta 4.0 accepts it
CREATE OR REPLACE TABLE mapped AS SELECT 1 AS a

-- differs: follows from the replaced table above
ALTER TABLE mapped RENAME COLUMN `a b` TO `c d`

-- differs: follows from the replaced table above
SELECT * FROM mapped

SELECT * FROM mapped VERSION AS OF 1

-- differs: follows from the replaced table above
ALTER TABLE mapped DROP COLUMN `c d`

CREATE TABLE constrained (id INT, n INT DEFAULT 5) TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')

INSERT INTO constrained (id) VALUES (1)

-- differs: the DuckDB engine does not support DEFAULT in VALUES
INSERT INTO constrained VALUES (2, DEFAULT)

-- differs: follows from DEFAULT above
SELECT * FROM constrained ORDER BY id

-- refused
ALTER TABLE constrained ADD CONSTRAINT positive CHECK (n > 0)

-- differs: follows from ADD CONSTRAINT above, which the DuckDB engine refused
INSERT INTO constrained VALUES (3, -1)

CREATE TABLE parted (id INT, day DATE) PARTITIONED BY (day)

INSERT INTO parted VALUES (1, DATE '2024-01-01'), (2, NULL)

SELECT * FROM parted ORDER BY id

DESCRIBE parted

CREATE TABLE types (a TINYINT, b SMALLINT, c FLOAT, d DECIMAL(38,18), e BINARY, f TIMESTAMP_NTZ, g MAP<STRING, INT>, h STRUCT<x: INT, y: ARRAY<DATE>>, i VARCHAR(5), j CHAR(3))

INSERT INTO types VALUES (1, 2, 1.5, 12345678901234567890.123456789012345678, X'00ff', TIMESTAMP_NTZ '2024-03-10 02:30:00.000001', map('k', 1), named_struct('x', 1, 'y', array(DATE '2024-01-01')), 'abc', 'x')

-- differs: in a result, VARCHAR and CHAR columns keep their types in the DuckDB engine, and are STRING in Spark
SELECT * FROM types

-- differs: both refuse it, with different error classes
INSERT INTO types (i) VALUES ('abcdef')

SELECT concat('[', j, ']'), length(j) FROM types

CREATE TABLE structs (id BIGINT, s STRUCT<a: INT, b: STRUCT<c: INT>>)

INSERT INTO structs SELECT id, CASE WHEN id = 0 THEN NULL ELSE named_struct('a', 1, 'b', CAST(NULL AS STRUCT<c: INT>)) END FROM range(2)

-- differs: Delta 4.0 stores a NULL struct as a struct with NULL fields, unless the INSERT's struct type is exactly the table's, including nullability
SELECT * FROM structs ORDER BY id

-- differs: Delta 4.0 stores a NULL struct as a struct with NULL fields, unless the INSERT's struct type is exactly the table's, including nullability
SELECT id, s IS NULL, s.b IS NULL FROM structs ORDER BY id

INSERT INTO structs SELECT id + 2, NULL FROM range(1)

SELECT id, s IS NULL FROM structs WHERE id = 2

CREATE TABLE arrays (a ARRAY<STRUCT<x: INT>>, m MAP<STRING, STRUCT<x: INT>>)

INSERT INTO arrays SELECT array(NULL, named_struct('x', 1)), map('k', NULL)

-- differs: Delta 4.0 stores a NULL struct as a struct with NULL fields, unless the INSERT's struct type is exactly the table's, including nullability
SELECT * FROM arrays

CREATE TABLE expanded (id BIGINT, s STRUCT<a: INT, b: STRING>)

INSERT INTO expanded SELECT CAST(id AS INT), CASE WHEN id = 0 THEN NULL ELSE named_struct('a', 1, 'b', 'x') END FROM range(2)

-- differs: Delta 4.0 stores a NULL struct as a struct with NULL fields, unless the INSERT's struct type is exactly the table's, including nullability
SELECT id, s, s IS NULL FROM expanded ORDER BY id
