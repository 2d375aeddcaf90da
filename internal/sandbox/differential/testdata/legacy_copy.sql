-- session: ANSI_MODE=false
CREATE TABLE typed (i INT, d DOUBLE, day DATE)

COPY INTO typed FROM (SELECT _c0::INT AS i, _c1::DOUBLE AS d, _c2::DATE AS day FROM 's3://b/badcast/') FILEFORMAT = CSV

SELECT * FROM typed
