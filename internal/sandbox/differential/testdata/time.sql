SELECT TIMESTAMP '0001-01-01 00:00:00', TIMESTAMP '9999-12-31 23:59:59.999999', TIMESTAMP '1582-10-15 00:00:00', TIMESTAMP '1582-10-04 00:00:00', TIMESTAMP '1900-01-01 00:00:00'

SELECT DATE '0001-01-01', DATE '9999-12-31', DATE '1582-10-10', DATE '1900-02-28', DATE '2000-02-29'

SELECT date_add(DATE '2024-02-28', 2), date_sub(DATE '2024-03-01', 1), datediff(DATE '2024-03-01', DATE '2024-02-01'), DATE '2024-01-31' + INTERVAL 1 MONTH, add_months(DATE '2024-01-31', 1), last_day(DATE '2024-02-01')

-- refused
SELECT months_between(TIMESTAMP '2024-03-31 12:00:00', TIMESTAMP '2024-02-29 12:00:00'), months_between(DATE '2024-03-15', DATE '2024-02-29'), next_day(DATE '2024-01-01', 'MON')

SELECT year(d), month(d), day(d), quarter(d), dayofweek(d), weekday(d), dayofyear(d), weekofyear(d) FROM VALUES (DATE '2024-12-30'), (DATE '2021-01-03'), (DATE '0004-02-29') AS t(d)

SELECT hour(t), minute(t), second(t), extract(SECOND FROM t), extract(YEAR FROM t), date_part('DOY', t) FROM VALUES (TIMESTAMP '2024-02-29 23:59:59.123456') AS t(t)

SELECT date_trunc('MONTH', TIMESTAMP '2024-02-29 23:59:59.123456'), date_trunc('WEEK', TIMESTAMP '2024-02-29 23:59:59'), date_trunc('QUARTER', TIMESTAMP '2024-02-29 23:59:59'), trunc(DATE '2024-02-29', 'YEAR'), date_trunc('nonsense', TIMESTAMP '2024-02-29 23:59:59')

SELECT date_format(TIMESTAMP '2024-02-29 03:04:05.123456', 'yyyy-MM-dd HH:mm:ss.SSSSSS'), date_format(DATE '2024-02-29', 'EEEE d MMM yy'), date_format(TIMESTAMP '2024-02-29 15:04:05', 'hh:mm a'), date_format(TIMESTAMP '2024-02-29 15:04:05', "yyyy-MM-dd'T'HH:mm:ssXXX")

-- differs: both refuse it, with different error classes
SELECT date_format(TIMESTAMP '2024-02-29 03:04:05', 'YYYY')

SELECT to_date('29/02/2024', 'dd/MM/yyyy'), to_timestamp('2024-02-29 01:02', 'yyyy-MM-dd HH:mm'), to_timestamp('2024-02-29T01:02:03.5Z')

SELECT to_date('2024-02-30', 'yyyy-MM-dd')

SELECT to_timestamp('x', 'yyyy')

SELECT unix_timestamp('2024-02-29 00:00:00'), unix_micros(TIMESTAMP '1969-12-31 23:59:59.999999'), unix_millis(TIMESTAMP '1969-12-31 23:59:59.9999'), unix_seconds(TIMESTAMP '1969-12-31 23:59:59.5'), unix_date(DATE '1969-12-31')

SELECT timestamp_micros(-1), timestamp_millis(1), timestamp_seconds(1.5), from_unixtime(0), date_from_unix_date(-1), timestamp_micros(253402300799999999)

-- refused
SELECT TIMESTAMP '2024-03-10 02:30:00' + INTERVAL 1 DAY, TIMESTAMP '2024-03-10 02:30:00' - INTERVAL '1 02:03:04.5' DAY TO SECOND, TIMESTAMP '2024-01-31 00:00:00' + INTERVAL '1' MONTH

-- differs: the DuckDB engine does not distinguish the kinds of INTERVAL
SELECT TIMESTAMP '2024-01-02 00:00:00' - TIMESTAMP '2024-01-01 00:00:00', DATE '2024-01-02' - DATE '2024-01-01'

-- refused
SELECT INTERVAL 1 YEAR, INTERVAL '1-2' YEAR TO MONTH, INTERVAL 90 MINUTE, INTERVAL '-1' DAY

-- differs: DuckDB counts months that have begun, Spark whole months
SELECT timestampdiff(HOUR, TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2024-01-01 01:59:59'), timestampadd(MONTH, 1, TIMESTAMP '2024-01-31 00:00:00'), dateadd(DAY, 1, DATE '2024-01-31'), date_diff(MONTH, DATE '2024-01-31', DATE '2024-02-29')

-- refused
SELECT make_date(2024, 2, 29), make_timestamp(2024, 2, 29, 1, 2, 3.5), make_timestamp_ntz(2024, 2, 29, 1, 2, 3)

-- differs: both refuse it, with different error classes
SELECT make_date(2023, 2, 29)

SELECT TIMESTAMP_NTZ '2024-03-10 02:30:00', CAST(TIMESTAMP_NTZ '2024-03-10 02:30:00' AS TIMESTAMP), CAST(TIMESTAMP '2024-03-10 02:30:00' AS TIMESTAMP_NTZ), TIMESTAMP_NTZ '2024-03-10 02:30:00' = TIMESTAMP '2024-03-10 02:30:00'

SELECT TIMESTAMP_NTZ '2024-03-10 02:30:00' + INTERVAL 1 HOUR, TIMESTAMP_NTZ '2024-03-10 02:30:00' < DATE '2024-03-11', date_format(TIMESTAMP_NTZ '2024-03-10 02:30:00.5', 'HH:mm:ss.SSS'), unix_micros(CAST(TIMESTAMP_NTZ '2024-03-10 02:30:00' AS TIMESTAMP))

-- refused
SELECT from_utc_timestamp(TIMESTAMP '2024-07-01 00:00:00', 'America/New_York'), to_utc_timestamp(TIMESTAMP '2024-07-01 00:00:00', 'America/New_York'), convert_timezone('UTC', 'Asia/Tokyo', TIMESTAMP_NTZ '2024-01-01 00:00:00')

SELECT current_timestamp() = now(), current_date() = CAST(current_timestamp() AS DATE), current_timezone(), localtimestamp() IS NOT NULL

SELECT explode(sequence(DATE '2024-01-30', DATE '2024-03-01', INTERVAL 1 MONTH))

-- refused
SELECT window.start, window.end, count(*) FROM VALUES (TIMESTAMP '2024-01-01 00:07:00') AS t(ts) GROUP BY window(ts, '10 minutes')

SELECT DATE '2024-02-30'

SELECT TIMESTAMP '2024-02-29 24:00:00'

SELECT date_add(DATE '9999-12-31', 1)

-- differs: the DuckDB engine supports only years of four digits
SELECT CAST('294247-01-10T04:00:54.775807Z' AS TIMESTAMP) IS NOT NULL
