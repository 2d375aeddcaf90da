CREATE TABLE t (id INT, s STRING, n DECIMAL(5,1))

INSERT INTO t VALUES (0, 'before', 1)

SELECT * FROM table_changes('t', 0, 1)

ALTER TABLE t SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')

INSERT INTO t VALUES (1, 'a', 1.5), (2, 'b', NULL), (3, NULL, 3)

UPDATE t SET s = upper(s), n = n + 1 WHERE id < 3

DELETE FROM t WHERE id = 2

MERGE INTO t USING (SELECT 1 AS id, 'm' AS s UNION ALL SELECT 4, 'n') AS x ON t.id = x.id WHEN MATCHED THEN UPDATE SET t.s = x.s WHEN NOT MATCHED THEN INSERT (id, s, n) VALUES (x.id, x.s, 0)

MERGE INTO t USING (SELECT 4 AS id) AS x ON t.id = x.id WHEN MATCHED THEN DELETE

SELECT id, s, n, _change_type, _commit_version FROM table_changes('t', 2) ORDER BY _commit_version, id, _change_type

SELECT id, s, _change_type FROM table_changes('main.changes.t', 3, 4) ORDER BY id, _change_type

SELECT count(*), count(_commit_timestamp) FROM table_changes('`main`.`changes`.`t`', 3, 7)

SELECT * FROM table_changes('t', 1, 4)

SELECT * FROM table_changes('t', 5, 4)

SELECT * FROM table_changes('t', NULL, 4)

SELECT * FROM table_changes('missing', 1, 2)

INSERT OVERWRITE t SELECT * FROM t

SELECT id, s, _change_type FROM table_changes('t', 8, 8) ORDER BY id, _change_type

ALTER TABLE t ADD COLUMN extra DOUBLE

INSERT INTO t VALUES (5, 'e', 5, 1.5)

SELECT id, extra, _change_type FROM table_changes('t', 5, 10) ORDER BY _commit_version, id, _change_type

SELECT id, s, sum(CASE WHEN _change_type IN ('insert', 'update_postimage') THEN 1 ELSE -1 END) AS change FROM table_changes('t', 3, 10) GROUP BY id, s HAVING sum(CASE WHEN _change_type IN ('insert', 'update_postimage') THEN 1 ELSE -1 END) <> 0 ORDER BY id, s

SELECT id, row_number() OVER (PARTITION BY id ORDER BY _commit_version, _change_type) AS n FROM table_changes('t', 3, 10) ORDER BY id, n

CREATE OR REPLACE TABLE t AS SELECT * FROM t

SELECT * FROM table_changes('t', 10, 11)
