CREATE TABLE declared (k STRING, cell STRING)

COPY INTO declared FROM (SELECT _c0::STRING AS k, _c1::STRING AS cell FROM 's3://b/hostile/') FILEFORMAT = CSV FORMAT_OPTIONS ('multiLine' = 'true', 'quote' = '"', 'escape' = '"', 'nullValue' = '\\N-run', 'encoding' = 'UTF-8', 'mode' = 'FAILFAST')

SELECT k, cell, length(cell), hex(cell) FROM declared ORDER BY k

COPY INTO declared FROM (SELECT _c0::STRING AS k, _c1::STRING AS cell FROM 's3://b/hostile/') FILEFORMAT = CSV FORMAT_OPTIONS ('multiLine' = 'true', 'quote' = '"', 'escape' = '"', 'nullValue' = '\\N-run', 'encoding' = 'UTF-8', 'mode' = 'FAILFAST')

SELECT count(*) FROM declared

CREATE TABLE declared1 (k STRING, cell STRING)

COPY INTO declared1 FROM (SELECT _c0 AS k, _c1 AS cell FROM 's3://b/hostile/') FILEFORMAT = CSV FORMAT_OPTIONS ('multiLine' = 'true', 'escape' = '"')

SELECT k, cell FROM declared1 ORDER BY k, cell

CREATE TABLE declared2 (k STRING, cell STRING)

COPY INTO declared2 FROM (SELECT _c0 AS k, _c1 AS cell FROM 's3://b/hostile/') FILEFORMAT = CSV FORMAT_OPTIONS ('multiLine' = 'true')

-- unordered
SELECT k, cell FROM declared2

CREATE TABLE declared3 (k STRING, cell STRING)

COPY INTO declared3 FROM (SELECT _c0 AS k, _c1 AS cell FROM 's3://b/hostile/') FILEFORMAT = CSV FORMAT_OPTIONS ('escape' = '"')

-- differs: without multiLine, Spark's reader loses a NUL byte
-- unordered
SELECT k, cell FROM declared3

CREATE TABLE declared4 (k STRING, cell STRING)

COPY INTO declared4 FROM (SELECT _c0 AS k, _c1 AS cell FROM 's3://b/simple/') FILEFORMAT = CSV FORMAT_OPTIONS ('nullValue' = '', 'ignoreLeadingWhiteSpace' = 'true', 'ignoreTrailingWhiteSpace' = 'true')

SELECT k, cell FROM declared4 ORDER BY k

CREATE TABLE declared5 (k STRING, cell STRING)

COPY INTO declared5 FROM (SELECT _c0 AS k, _c1 AS cell FROM 's3://b/simple/') FILEFORMAT = CSV FORMAT_OPTIONS ('nullValue' = 'NA', 'emptyValue' = 'EMPTY')

SELECT k, cell FROM declared5 ORDER BY k

CREATE TABLE typed (i INT, d DOUBLE, m DECIMAL(10,2), b BOOLEAN, t TIMESTAMP, n TIMESTAMP_NTZ, day DATE, s STRING)

COPY INTO typed FROM (SELECT _c0::INT AS i, _c1::DOUBLE AS d, _c2::DECIMAL(10,2) AS m, _c3::BOOLEAN AS b, _c4::TIMESTAMP AS t, _c5::TIMESTAMP_NTZ AS n, _c6::DATE AS day, _c7 AS s FROM 's3://b/typed/') FILEFORMAT = CSV

SELECT * FROM typed ORDER BY i

COPY INTO typed FROM (SELECT _c0::INT AS i FROM 's3://b/badcast/') FILEFORMAT = CSV

COPY INTO typed FROM 's3://b/header/' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true')

COPY INTO typed FROM 's3://b/header/' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true', 'inferSchema' = 'true')

COPY INTO typed (i, s) FROM (SELECT _c0::INT, _c1 FROM 's3://b/simple/') FILEFORMAT = CSV

COPY INTO typed FROM (SELECT _c1 AS s, 5 AS i FROM 's3://b/simple/') FILEFORMAT = CSV

SELECT i, s FROM typed ORDER BY i, s

CREATE TABLE inferred

COPY INTO inferred FROM 's3://b/infer/' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true', 'inferSchema' = 'true', 'mergeSchema' = 'true') COPY_OPTIONS ('mergeSchema' = 'true')

DESCRIBE inferred

SELECT * FROM inferred ORDER BY id

CREATE TABLE inferred_text

COPY INTO inferred_text FROM 's3://b/infer/' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true') COPY_OPTIONS ('mergeSchema' = 'true')

DESCRIBE inferred_text

SELECT * FROM inferred_text ORDER BY id

CREATE TABLE headerless

COPY INTO headerless FROM 's3://b/infer2/' FILEFORMAT = CSV FORMAT_OPTIONS ('inferSchema' = 'true') COPY_OPTIONS ('mergeSchema' = 'true')

DESCRIBE headerless

SELECT * FROM headerless ORDER BY _c0

CREATE TABLE unmerged

COPY INTO unmerged FROM 's3://b/infer/' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true', 'inferSchema' = 'true')

CREATE TABLE ragged (a STRING, b STRING, c STRING)

COPY INTO ragged FROM (SELECT _c0 AS a, _c1 AS b, _c2 AS c FROM 's3://b/ragged/') FILEFORMAT = CSV FORMAT_OPTIONS ('mode' = 'PERMISSIVE')

-- unordered
SELECT * FROM ragged

CREATE TABLE ragged2 (a STRING, b STRING, c STRING)

COPY INTO ragged2 FROM (SELECT _c0 AS a, _c1 AS b, _c2 AS c FROM 's3://b/ragged/') FILEFORMAT = CSV FORMAT_OPTIONS ('mode' = 'DROPMALFORMED')

-- unordered
SELECT * FROM ragged2

CREATE TABLE ragged3 (a STRING, b STRING, c STRING)

COPY INTO ragged3 FROM (SELECT _c0 AS a, _c1 AS b, _c2 AS c FROM 's3://b/ragged/') FILEFORMAT = CSV FORMAT_OPTIONS ('mode' = 'FAILFAST')

SELECT count(*) FROM ragged3

COPY INTO declared FROM 's3://b/nothing/' FILEFORMAT = CSV

COPY INTO declared FROM 's3://b/onlyhidden/' FILEFORMAT = CSV

COPY INTO declared FROM 's3://b/empty/' FILEFORMAT = CSV

COPY INTO declared FROM 's3://b/simple/' FILEFORMAT = CSV FILES = ('nope.csv')

COPY INTO declared FROM 's3://b/simple/' FILEFORMAT = CSV FILES = ('1.csv') PATTERN = '*.csv'

COPY INTO nope FROM 's3://b/simple/' FILEFORMAT = CSV

COPY INTO declared FROM 's3://b/simple/' FILEFORMAT = NONSENSE

COPY INTO declared FROM 's3://b/simple/' FILEFORMAT = CSV FORMAT_OPTIONS ('nonsense' = 'true')

COPY INTO declared FROM 's3://b/simple/' FILEFORMAT = CSV COPY_OPTIONS ('force' = 'maybe')

COPY INTO declared FROM (SELECT nope AS k FROM 's3://b/simple/') FILEFORMAT = CSV

COPY INTO declared FROM (SELECT _c0 AS k, _c1 AS wrong FROM 's3://b/simple/') FILEFORMAT = CSV

COPY INTO declared

COPY INTO declared FROM (SELECT _c0 AS k, upper(_c1) AS cell FROM 's3://b/simple/' WITH (CREDENTIAL (AWS_ACCESS_KEY = 'a', AWS_SECRET_KEY = 'b'))) FILEFORMAT = CSV FILES = ('1.csv') COPY_OPTIONS ('force' = 'true')

CREATE TABLE semicolons (a STRING, b STRING)

COPY INTO semicolons FROM (SELECT _c0 AS a, _c1 AS b FROM 's3://b/semicolons/') FILEFORMAT = CSV FORMAT_OPTIONS ('sep' = ';', 'quote' = '\'', 'comment' = '#')

SELECT * FROM semicolons ORDER BY a

CREATE TABLE latin (a STRING)

COPY INTO latin FROM (SELECT _c0 AS a FROM 's3://b/latin/') FILEFORMAT = CSV FORMAT_OPTIONS ('encoding' = 'ISO-8859-1')

SELECT a, hex(a) FROM latin

CREATE TABLE packed (a STRING)

COPY INTO packed FROM (SELECT _c0 AS a FROM 's3://b/packed/') FILEFORMAT = CSV

SELECT * FROM packed ORDER BY a

CREATE TABLE patterned (a STRING)

COPY INTO patterned FROM (SELECT _c0 AS a FROM 's3://b/many/') FILEFORMAT = CSV PATTERN = 'part-*.csv'

SELECT * FROM patterned ORDER BY a

COPY INTO patterned FROM (SELECT _c0 AS a FROM 's3://b/many/part-{1,3}.csv') FILEFORMAT = CSV COPY_OPTIONS ('force' = 'true')

COPY INTO patterned FROM (SELECT concat(_c0, '!') AS a FROM 's3://b/many') FILEFORMAT = CSV

SELECT * FROM patterned ORDER BY a

CREATE OR REPLACE TABLE patterned (a STRING)

COPY INTO patterned FROM (SELECT _c0 AS a FROM 's3://b/many') FILEFORMAT = CSV

SELECT count(*) FROM patterned
