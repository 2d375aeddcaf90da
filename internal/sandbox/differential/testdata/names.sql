CREATE TABLE `odd-name` (`user id` INT, `select` STRING, `a.b` INT, `tick``ed` INT, `Größe` DOUBLE) TBLPROPERTIES ('delta.columnMapping.mode' = 'name')

INSERT INTO `odd-name` VALUES (1, 'x', 2, 3, 4.5)

SELECT * FROM `odd-name`

SELECT `user id`, `SELECT`, `a.b`, `tick``ed`, `GRÖSSE` FROM `odd-name`

SELECT `odd-name`.`user id`, o.`a.b` FROM `odd-name` JOIN `odd-name` AS o USING (`user id`)

-- differs: the DuckDB engine spells a column as the table does, Spark as the query does
SELECT `größe` FROM `odd-name`

DESCRIBE `odd-name`

SELECT a.b FROM `odd-name`

SELECT "user id" FROM `odd-name`

SELECT 1 AS `a b`, 2 AS `A B`, 3 AS a, 4 AS A

SELECT 1 AS Ab, 'x' AS `ünï`, 2 `implicit`

-- differs: the DuckDB engine spells a column as the table does, Spark as the query does
SELECT a, A FROM VALUES (1) AS t(a)

-- differs: the DuckDB engine spells a column as the table does, Spark as the query does
SELECT T.a, t.A FROM VALUES (1) AS t(a)

SELECT * FROM (SELECT 1 AS a, 2 AS a) AS t

SELECT a FROM (SELECT 1 AS a, 2 AS a) AS t

-- names
SELECT 1, 'x', 1 + 1, upper('a'), count(*), 1.5, NULL, true, -1

-- names
SELECT CAST(1 AS STRING), a + 1, -a, a IS NULL, CASE WHEN a = 1 THEN 'x' END, a = 1 AND true FROM VALUES (1) AS t(a)

CREATE TABLE plain (`user id` INT)

CREATE TABLE dup (a INT, A STRING)

CREATE TABLE people (id INT NOT NULL COMMENT 'the key', name STRING, score DECIMAL(10,2), tags ARRAY<STRING>, at TIMESTAMP) COMMENT 'who' TBLPROPERTIES ('my.key' = 'my value')

DESCRIBE people

DESCRIBE TABLE names.people

SHOW COLUMNS IN people

SHOW TBLPROPERTIES people ('my.key')

SHOW TBLPROPERTIES people ('no.key')

SELECT column_name, ordinal_position, is_nullable, full_data_type, data_type, numeric_precision, numeric_scale, comment FROM main.information_schema.columns WHERE table_schema = 'names' AND table_name = 'people' ORDER BY ordinal_position

SELECT table_name, table_type, comment, data_source_format FROM information_schema.tables WHERE table_schema = 'names' ORDER BY table_name

SELECT t.table_name, count(*) FROM main.information_schema.tables t JOIN main.information_schema.columns c ON t.table_schema = c.table_schema AND t.table_name = c.table_name WHERE t.table_schema = 'names' GROUP BY t.table_name ORDER BY 1

SELECT columns.column_name FROM information_schema.columns WHERE columns.table_name = 'people' AND table_schema = 'names' OR false ORDER BY 1

SELECT schema_name FROM main.information_schema.schemata WHERE schema_name IN ('names', 'default', 'information_schema') ORDER BY 1

SELECT catalog_name FROM system.information_schema.catalogs WHERE catalog_name = 'main'

SELECT * FROM main.information_schema.nope

SELECT * FROM nope.information_schema.tables

CREATE VIEW people_view (id COMMENT 'the same key', name) COMMENT 'a view' AS SELECT id, name FROM people

DESCRIBE people_view

SHOW VIEWS LIKE 'people*'

SHOW TABLES LIKE 'PEOPLE*|odd*'

SHOW TABLES IN main.names LIKE 'nothing'

CREATE OR REPLACE TEMPORARY VIEW recent AS SELECT * FROM people WHERE id > 1

INSERT INTO people VALUES (1, 'a', 1.5, array('x'), TIMESTAMP '2024-01-01 00:00:00'), (2, 'b', NULL, NULL, NULL)

SELECT * FROM recent

SHOW TABLES LIKE 'recent'

CREATE TEMPORARY VIEW recent AS SELECT 1

CREATE TEMPORARY VIEW names.recent AS SELECT 1

CREATE TEMPORARY VIEW people AS SELECT 'shadow' AS s

SELECT * FROM people

SELECT count(*) FROM names.people

DROP VIEW people

SELECT count(*) FROM people

CREATE VIEW over_temporary AS SELECT * FROM recent

DROP VIEW recent

SELECT * FROM recent

DROP VIEW people

DROP TABLE people_view

SELECT main.names.people.id, names.people.name, people.id FROM main.names.people ORDER BY 1

SELECT p.id, names.people.id FROM people p

WITH people AS (SELECT 7 AS id) SELECT * FROM people

WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT * FROM a, b

SELECT current_catalog(), current_schema(), current_database()

USE names

USE nope

USE CATALOG nope

USE CATALOG hive_metastore

SELECT current_catalog(), current_schema()

SELECT count(*) FROM main.names.people

USE main.names

SHOW SCHEMAS LIKE 'nam*'

CREATE SCHEMA names

CREATE SCHEMA IF NOT EXISTS names

CREATE SCHEMA nope.s

DROP SCHEMA nope_schema

DROP SCHEMA IF EXISTS nope_schema

SHOW TABLES IN nope_schema

SHOW SCHEMAS IN nope

SELECT * FROM nope.names.people

SELECT * FROM nope_schema.people

SELECT * FROM main.names.nope

SELECT * FROM a.b.c.d

SELECT /* comment */ 1 -- trailing
, 2 AS b /* nested /* comment */ */

SELECT 1;

SELECT * FROM VALUES (1, 'a'), (2, 'b') AS t

SELECT * FROM VALUES (1, 'a'), (2, 'b') AS t (id, name) WHERE t.id = 2

VALUES (1, 'a'), (2, NULL)

TABLE people

-- differs: Databricks has QUALIFY, Apache Spark 4.0 does not
SELECT id, count(*) OVER () AS n FROM people QUALIFY n > 5

SELECT * FROM people LIMIT 0

SELECT id FROM people ORDER BY id LIMIT 1 OFFSET 1

SELECT * EXCEPT (tags, at) FROM people ORDER BY id

SELECT people.* FROM people WHERE id = 1

ALTER TABLE people SET TBLPROPERTIES ('new.key' = 'v')

COMMENT ON TABLE people IS 'everybody'

SELECT comment FROM information_schema.tables WHERE table_schema = 'names' AND table_name = 'people'

ALTER TABLE people ADD COLUMNS (more STRING COMMENT 'm', other INT)

DESCRIBE people

-- differs: both refuse it, with different error classes
ALTER TABLE people ADD COLUMNS (more STRING)

ALTER TABLE people DROP COLUMN more

ALTER TABLE people RENAME TO folks

SELECT id, more FROM folks ORDER BY id

DROP TABLE folks

DROP TABLE folks

DROP TABLE IF EXISTS folks
