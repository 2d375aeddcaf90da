SELECT TIMESTAMP '0001-01-01 00:00:00', TIMESTAMP '9999-12-31 23:59:59.999999', TIMESTAMP '1582-10-15 00:00:00', TIMESTAMP '1582-10-04 00:00:00', TIMESTAMP '1900-01-01 00:00:00'

SELECT DATE '0001-01-01', DATE '9999-12-31', DATE '1582-10-10', DATE '1900-02-28', DATE '2000-02-29'

SELECT date_add(DATE '2024-02-28', 2), date_sub(DATE '2024-03-01', 1), datediff(DATE '2024-03-01', DATE '2024-02-01'), DATE '2024-01-31' + INTERVAL 1 MONTH, add_months(DATE '2024-01-31', 1), last_day(DATE '2024-02-01')

SELECT year(d), month(d), day(d), quarter(d), dayofweek(d), weekofyear(d) FROM VALUES (DATE '2024-12-30'), (DATE '2021-01-03'), (DATE '0004-02-29') AS t(d)

SELECT hour(t), minute(t), second(t) FROM VALUES (TIMESTAMP '2024-02-29 23:59:59.123456') AS t(t)

SELECT date_trunc('MONTH', TIMESTAMP '2024-02-29 23:59:59.123456'), date_trunc('WEEK', TIMESTAMP '2024-02-29 23:59:59'), date_trunc('QUARTER', TIMESTAMP '2024-02-29 23:59:59'), date_trunc('nonsense', TIMESTAMP '2024-02-29 23:59:59')

SELECT date_format(TIMESTAMP '2024-02-29 03:04:05.123456', 'yyyy-MM-dd HH:mm:ss.SSSSSS'), date_format(DATE '2024-02-29', 'EEEE d MMM yy'), date_format(TIMESTAMP '2024-02-29 15:04:05', 'hh:mm a'), date_format(TIMESTAMP '2024-02-29 15:04:05', "yyyy-MM-dd'T'HH:mm:ssXXX")

-- differs: both refuse it, with different error classes
SELECT date_format(TIMESTAMP '2024-02-29 03:04:05', 'YYYY')

-- refused
SELECT to_date('29/02/2024', 'dd/MM/yyyy')

SELECT to_date('2024-02-29'), to_timestamp('2024-02-29T01:02:03.5Z')

SELECT to_date('2024-02-30')

SELECT unix_micros(TIMESTAMP '1969-12-31 23:59:59.999999')

SELECT timestamp_micros(-1), timestamp_millis(1), timestamp_seconds(1.5), timestamp_micros(253402300799999999)

-- refused
SELECT TIMESTAMP '2024-03-10 02:30:00' + INTERVAL 1 DAY, TIMESTAMP '2024-03-10 02:30:00' - INTERVAL '1 02:03:04.5' DAY TO SECOND, TIMESTAMP '2024-01-31 00:00:00' + INTERVAL '1' MONTH

-- differs: the DuckDB engine does not distinguish the kinds of INTERVAL
SELECT TIMESTAMP '2024-01-02 00:00:00' - TIMESTAMP '2024-01-01 00:00:00', DATE '2024-01-02' - DATE '2024-01-01'

-- refused
SELECT INTERVAL 1 YEAR, INTERVAL '1-2' YEAR TO MONTH, INTERVAL 90 MINUTE, INTERVAL '-1' DAY

-- refused
SELECT dateadd(DAY, 1, DATE '2024-01-31'), date_diff(MONTH, DATE '2024-01-31', DATE '2024-02-29')

SELECT TIMESTAMP_NTZ '2024-03-10 02:30:00', CAST(TIMESTAMP_NTZ '2024-03-10 02:30:00' AS TIMESTAMP), CAST(TIMESTAMP '2024-03-10 02:30:00' AS TIMESTAMP_NTZ), TIMESTAMP_NTZ '2024-03-10 02:30:00' = TIMESTAMP '2024-03-10 02:30:00'

SELECT TIMESTAMP_NTZ '2024-03-10 02:30:00' + INTERVAL 1 HOUR, TIMESTAMP_NTZ '2024-03-10 02:30:00' < DATE '2024-03-11', date_format(TIMESTAMP_NTZ '2024-03-10 02:30:00.5', 'HH:mm:ss.SSS'), unix_micros(CAST(TIMESTAMP_NTZ '2024-03-10 02:30:00' AS TIMESTAMP))

SELECT current_timestamp() = now(), current_date() = CAST(current_timestamp() AS DATE), current_timezone()

-- refused
SELECT explode(sequence(DATE '2024-01-30', DATE '2024-03-01', INTERVAL 1 MONTH))

-- refused
SELECT window.start, window.end, count(*) FROM VALUES (TIMESTAMP '2024-01-01 00:07:00') AS t(ts) GROUP BY window(ts, '10 minutes')

SELECT DATE '2024-02-30'

SELECT TIMESTAMP '2024-02-29 24:00:00'

SELECT date_add(DATE '9999-12-31', 1)

-- differs: the DuckDB engine supports only years of four digits
SELECT CAST('294247-01-10T04:00:54.775807Z' AS TIMESTAMP) IS NOT NULL
