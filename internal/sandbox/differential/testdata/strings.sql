SELECT length('ü😀'), length('e\u0301'), length(X'00ff')

-- differs: DuckDB changes case letter by letter, Spark with Unicode's full case mapping
SELECT upper('straße'), lower('İSTANBUL')

SELECT substring('hello', 2, 3), substring('hello', -3), substr('hello', 0, 2), substring('héllo', 2, 1), left('abc', 2), right('abc', 2), substring('abc', 5)

SELECT trim('  a '), ltrim('  a '), rtrim('  a '), trim(BOTH 'x' FROM 'xxaxx'), trim('\t a \n')

SELECT concat('a', NULL), concat_ws(',', 'a', NULL, 'b'), concat_ws(',', array('x', 'y'), 'z'), 'a' || 'b' || 1

SELECT lpad('7', 3, '0'), rpad('7', 3, 'ab'), lpad('12345', 3, '0'), repeat('ab', 3)

SELECT split('a,b,,c', ','), split('a.b', '\\.'), split('abc', ''), split_part('a-b-c', '-', 2)

SELECT replace('aXbX', 'X', '-'), regexp_extract('a1b22', '([a-z])([0-9]+)', 2), regexp_extract('a', 'b', 0)

SELECT startswith('abc', 'a'), endswith('abc', 'c'), contains('abc', 'b')

SELECT hex('ab'), hex(255), unhex('6162'), base64(X'00ff')

SELECT 'it''s', "double", 'a\tb\nc', 'back\\slash', r'raw\n', 'q"q', "s's", '\u00e9', '%_'

SELECT 'line1
line2', '-- not a comment', '/* nor this */', ';'

SELECT '' = ' ', '' IS NULL, length(''), nullif('', '')

SELECT string(1.0D), string(1.5F), string(CAST(2 AS DECIMAL(4,2))), string(true), string(DATE '2024-02-29'), string(NULL)

SELECT concat(1, 2.50, true, DATE '2024-01-01', NULL)

SELECT md5(''), sha2('', 512), sha2('a', 0), sha2('a', 1)

SELECT uuid() <> uuid(), length(uuid())

-- refused
SELECT url_encode('a b&c'), url_decode('a+b%26c'), parse_url('https://h.example/p?q=1#f', 'HOST'), parse_url('https://h.example/p?q=1', 'QUERY', 'q')

-- refused
SELECT overlay('abcdef' PLACING 'X' FROM 2 FOR 3), mask('aB1-'), sentences('Hi there. You.')

-- refused
SELECT substring_index('a.b.c', '.', 2), substring_index('a.b.c', '.', -1), elt(2, 'a', 'b'), to_number('12.5', '99.9'), to_char(12.5, '99.9')
