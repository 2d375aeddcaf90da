package seed

import (
	"fmt"
	"strings"
)

func perCustomer(n int) int { return n }

// pick returns SQL that chooses one of several texts by the row's id. A
// multiplicative hash makes neighbours differ, and every run choose alike.
func pick(salt int, texts ...string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = quoteString(t)
	}
	return fmt.Sprintf(
		"element_at(array(%s), CAST(pmod((id + %d) * 2654435761, %d) AS INT) + 1)",
		strings.Join(quoted, ", "),
		salt,
		len(texts),
	)
}

// quoteString returns s as a string literal of Databricks SQL.
func quoteString(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

var (
	firstNames = []string{
		"Ada",
		"Björn",
		"Chloé",
		"Dvořák",
		"Élodie",
		"Fatıma",
		"Gökçe",
		"Hélène",
		"Łukasz",
		"María José",
		"Nguyễn",
		"Ørjan",
		"Siân",
		"Zoë",
		"Анна",
		"Дмитрий",
		"Σοφία",
		"Γιώργος",
		"יעל",
		"אורי",
		"فاطمة",
		"محمد",
		"अनन्या",
		"அருண்",
		"สมชาย",
		"王芳",
		"李雷",
		"さくら",
		"健太",
		"민준",
		"서연",
		"ქეთი",
		"Արամ",
		"ሰላም",
		"O'Neil",
	}
	lastNames = []string{
		"Lovelace",
		"Ångström",
		"Müller",
		"Nováková",
		"Øster-Bergström",
		"Şahin",
		"Çelik",
		"García Márquez",
		"O'Brien",
		"D'Angelo",
		"van der Berg",
		"Smith",
		"Иванова",
		"Кузнецов",
		"Παπαδόπουλος",
		"כהן",
		"الهاشمي",
		"शर्मा",
		"ศรีสุข",
		"张",
		"欧阳",
		"佐藤",
		"高橋",
		"김",
		"박",
		"ბერიძე",
		"Հակոբյան",
		"Ng",
		"X Æ",
		"de la Cruz",
	}
	logins = []string{
		"ada",
		"bjorn",
		"chloe",
		"dvorak",
		"elodie",
		"fatima",
		"gokce",
		"helene",
		"lukasz",
		"maria",
		"nguyen",
		"orjan",
		"sian",
		"zoe",
		"anna",
		"dmitri",
		"sofia",
		"giorgos",
		"yael",
		"uri",
		"mohammed",
		"ananya",
		"arun",
		"somchai",
		"fang",
		"lei",
		"sakura",
		"kenta",
		"minjun",
		"seoyeon",
	}
	cities = []string{
		"London",
		"Zürich",
		"São Paulo",
		"København",
		"Kraków",
		"İstanbul",
		"Αθήνα",
		"Москва",
		"תל אביב",
		"القاهرة",
		"मुंबई",
		"กรุงเทพ",
		"北京",
		"東京",
		"서울",
		"Saint-Étienne",
		"Québec",
		"Reykjavík",
		"Boston, MA",
		"Winston-Salem",
	}
	streets = []string{
		"High Street",
		"Rue de la Paix",
		"Bahnhofstraße",
		"Via Roma",
		"ул. Ленина",
		"長安街",
		"Königsallee",
		"Calle Mayor",
		`Main St., Apt. "B"`,
		"Sq. #4; rear",
	}
	notes = []string{
		"Prefers e-mail",
		`Says "call me", often`,
		"Line one\nline two",
		"Windows\r\nline ends",
		"Old Mac\rline end",
		`Path C:\temp\new`,
		"Comma, semicolon; tab\there",
		"Emoji 😀👩‍👩‍👧 and e\u0301",
		"=SUM(A1:A9)",
		"-42",
		"NULL",
		"null",
		`\N`,
		"true",
		"  leading and trailing  ",
		"'single' quotes",
		`{"json": [1, 2.50, null]}`,
		"<b>&amp;</b>",
		"zero\u200bwidth\ufeff",
		"line\u2028separator",
		"bell\a",
	}
)

// tables are in the order in which they are created. All their times are in the past.
var tables = []table{
	{
		name: "main.sales.customers",
		rows: perCustomer,
		create: `(
  customer_id BIGINT NOT NULL COMMENT 'Counts from 1',
  email STRING NOT NULL COMMENT 'Unique',
  first_name STRING, last_name STRING,
  city STRING, postal_code STRING COMMENT 'With leading zeros', phone STRING,
  birth_date DATE, lifetime_value DECIMAL(12,2), score DOUBLE COMMENT 'NaN and infinities happen',
  visits INT, big_number BIGINT, vip BOOLEAN,
  signed_up TIMESTAMP, local_time TIMESTAMP_NTZ, avatar BINARY,
  tags ARRAY<STRING>, attributes MAP<STRING, STRING>,
  address STRUCT<street: STRING, city: STRING, zip: STRING, geo: STRUCT<lat: DOUBLE, lon: DOUBLE>>,
  orders ARRAY<STRUCT<order_id: BIGINT, placed: DATE, amount: DECIMAL(10,2)>>,
  notes STRING, updated_at TIMESTAMP NOT NULL COMMENT 'Microseconds; many rows share one')
  COMMENT 'One row for each customer'`,
		fill: customersSQL,
	},
	{
		name: "main.sales.orders",
		rows: func(n int) int { return 2 * n },
		create: `(
  order_id BIGINT NOT NULL, customer_id BIGINT NOT NULL, ordered_at TIMESTAMP, status STRING, currency STRING,
  items ARRAY<STRUCT<sku: STRING, quantity: INT, price: DECIMAL(10,2)>>, total DECIMAL(12,2), coupon STRING,
  shipped DATE, updated_at TIMESTAMP NOT NULL)
  COMMENT 'What customers bought' TBLPROPERTIES ('delta.enableRowTracking' = 'true')`,
		fill: ordersSQL,
	},
	{
		name:   "marketing.web.page_views",
		rows:   perCustomer,
		create: "(view_id BIGINT, customer_id BIGINT, url STRING, referrer STRING, seconds FLOAT, seen_at TIMESTAMP) COMMENT 'Clicks'",
		fill: `SELECT id + 1, CASE WHEN id % 5 = 0 THEN NULL ELSE pmod(id * 31, {rows}) + 1 END,
  concat('https://shop.example.com/', ` + pick(3, "home", "cart", "product?id=7&ref=mail", "søk", "検索", "checkout#pay") + `),
  CASE WHEN id % 3 = 0 THEN NULL ELSE 'https://search.example.org/?q=a%20b' END,
  CAST(pmod(id * 7919, 60000) / 1000 AS FLOAT), timestamp_micros(1704067200000000 + id * 347000017) FROM range({rows})`,
	},
	{
		name:   "marketing.web.campaigns",
		rows:   func(int) int { return 12 },
		create: "(campaign_id SMALLINT, name STRING, budget DECIMAL(18,4), starts DATE, active BOOLEAN)",
		fill: `SELECT CAST(id AS SMALLINT), concat('Campaign ', id, ' – 20', 23 + id % 3), CAST(id * 1000.1234 AS DECIMAL(18,4)),
  date_add(DATE '2023-01-15', CAST(id * 30 AS INT)), id % 2 = 0 FROM range(12)`,
	},
	{
		name: "marketing.`e-mail`.`Survey Results (2024)`",
		rows: func(int) int { return 500 },
		create: "(`user id` BIGINT, `répondu?` BOOLEAN, `select` STRING, `back``quote` STRING, `mood 😀` TINYINT, `a;b,c` DOUBLE, " +
			"`answered at` TIMESTAMP) " +
			"COMMENT 'Every name here needs back-quotes' TBLPROPERTIES ('delta.columnMapping.mode' = 'name')",
		fill: `SELECT id + 1, id % 3 = 0, ` + pick(11, "yes", "no", "maybe", "N/A") + `, concat('tick ', id), CAST(id % 5 AS TINYINT), id / 7,
  timestamp_micros(1711929600000000 + id * 86400000 + 1) FROM range(500)`,
	},
}

// views are created after the tables that they read.
var views = []string{
	"CREATE VIEW IF NOT EXISTS marketing.web.vip_customers COMMENT 'A view: it has no history' AS SELECT customer_id, email, " +
		"lifetime_value, updated_at FROM main.sales.customers WHERE vip",
}

var customersSQL = `SELECT
  id + 1,
  concat(` + pick(1, logins...) + `, '.', id + 1, '@', ` + pick(2, "example.com", "example.org", "mail.example.net", "пример.example") + `),
  CASE WHEN id % 97 = 0 THEN NULL ELSE ` + pick(5, firstNames...) + ` END,
  CASE WHEN id % 101 = 3 THEN '' ELSE ` + pick(7, lastNames...) + ` END,
  CASE WHEN id % 23 = 5 THEN NULL ELSE ` + pick(11, cities...) + ` END,
  lpad(CAST(pmod(id * 7919, 99999) AS STRING), 5, '0'),
  CASE WHEN id % 19 = 0 THEN NULL ELSE concat('+', pmod(id * 31, 90) + 10, ' 0', lpad(CAST(pmod(id * 104729, 100000000) AS STRING), 8, '0')) END,
  CASE WHEN id % 13 = 0 THEN NULL ELSE date_add(DATE '1930-01-01', CAST(pmod(id * 7907, 27394) AS INT)) END,
  CASE WHEN id % 29 = 0 THEN NULL WHEN id % 31 = 0 THEN CAST(pmod(id * 6151, 100000) * -0.01BD AS DECIMAL(12,2))
       ELSE CAST(pmod(id * 15485863, 10000000) * 0.01BD AS DECIMAL(12,2)) END,
  CASE WHEN id % 1009 = 1 THEN double('NaN') WHEN id % 1009 = 2 THEN double('Infinity') WHEN id % 1009 = 3 THEN double('-Infinity')
       WHEN id % 1009 = 4 THEN 1e300D WHEN id % 1009 = 5 THEN 2.5e-7D WHEN id % 17 = 0 THEN NULL ELSE pmod(id * 7919, 1000003) / 10000.1D END,
  CASE WHEN id % 11 = 0 THEN NULL ELSE CAST(pmod(id * 31, 500) AS INT) END,
  CASE id % 6 WHEN 0 THEN 9223372036854775807 - id WHEN 1 THEN -9223372036854775807 + id WHEN 2 THEN 9007199254740993 + id WHEN 3 THEN NULL ELSE id END,
  CASE WHEN id % 41 = 0 THEN NULL ELSE id % 20 = 1 END,
  timestamp_micros(1546300800000000 + pmod(id * 2654435761, 126230400) * 1000000 + id % 1000000),
  CAST(timestamp_micros(1546300800000000 + pmod(id * 40503, 94608000) * 1000000) AS TIMESTAMP_NTZ),
  CASE WHEN id % 7 = 0 THEN NULL ELSE unhex(substring(md5(CAST(id AS STRING)), 1, CAST(2 * (id % 9) AS INT))) END,
  CASE WHEN id % 37 = 0 THEN NULL WHEN id % 3 = 0 THEN CAST(array() AS ARRAY<STRING>)
       ELSE filter(array(` + pick(13, "new", "gold, silver", `"quoted"`, "été", "空") + `, CASE WHEN id % 4 = 0 THEN NULL ELSE 'b2c' END, ` + pick(17, "north", "south", "") + `), t -> t IS NULL OR t != '') END,
  CASE WHEN id % 43 = 0 THEN NULL ELSE map('source', ` + pick(19, "web", "app", "shop") + `, 'locale', ` + pick(23, "de-CH", "pt-BR", "ja", "ar-EG") + `, 'key with "quotes"', CASE WHEN id % 2 = 0 THEN NULL ELSE 'v' END) END,
  CASE WHEN id % 47 = 0 THEN NULL ELSE named_struct('street', concat(` + pick(29, streets...) + `, ' ', id % 300), 'city', ` + pick(11, cities...) + `,
       'zip', lpad(CAST(pmod(id * 7919, 99999) AS STRING), 5, '0'),
       'geo', CASE WHEN id % 5 = 0 THEN NULL ELSE named_struct('lat', pmod(id * 7919, 180000) / 1000.0D - 90, 'lon', pmod(id * 104729, 360000) / 1000.0D - 180) END) END,
  CASE WHEN id % 8 = 0 THEN NULL ELSE transform(sequence(1, CAST(1 + id % 3 AS INT)), n -> named_struct('order_id', id * 3 + n, 'placed', date_add(DATE '2022-03-01', CAST(pmod(id * 31 + n, 900) AS INT)),
       'amount', CAST(pmod(id * 104729 + n * 7919, 1000000) * 0.01BD AS DECIMAL(10,2)))) END,
  CASE WHEN id % 4 = 0 THEN NULL WHEN id % 53 = 0 THEN repeat('long ', 400) ELSE ` + pick(31, notes...) + ` END,
  CASE WHEN id % 200 = 17 THEN TIMESTAMP '2024-02-29 12:00:00.000001'
       ELSE timestamp_micros(1688169600000000 + pmod(id * 7919, {rows} DIV 9 + 1) * (60480000000000 DIV ({rows} DIV 9 + 1)) + 123457 * pmod(pmod(id * 7919, {rows} DIV 9 + 1), 7)) END
FROM range({rows})`

var ordersSQL = `SELECT
  id + 1, pmod(id * 7919, {rows}) + 1,
  CASE WHEN id % 500 = 0 THEN NULL ELSE timestamp_micros(1640995200000000 + pmod(id * 2654435761, 94608000) * 1000000) END,
  ` + pick(37, "paid", "shipped", "returned", "cancelled", "pending review") + `, ` + pick(41, "EUR", "USD", "CHF", "JPY") + `,
  transform(sequence(1, CAST(1 + id % 4 AS INT)), n -> named_struct('sku', concat('00', lpad(CAST(pmod(id * 31 + n, 9999) AS STRING), 4, '0')), 'quantity', CAST(1 + pmod(id + n, 5) AS INT),
    'price', CAST(pmod(id * 104729 + n * 7919, 50000) * 0.01BD AS DECIMAL(10,2)))),
  CAST(pmod(id * 15485863, 5000000) * 0.01BD AS DECIMAL(12,2)),
  CASE WHEN id % 6 = 0 THEN ` + pick(43, "SPRING-24", "10%OFF", "Ünïcode", "") + ` END,
  CASE WHEN id % 3 = 0 THEN NULL ELSE date_add(DATE '2022-01-02', CAST(pmod(id * 7907, 1000) AS INT)) END,
  timestamp_micros(1672531200000000 + (id DIV 3) * (63072000000000 DIV ({rows} + 1)))
FROM range(2 * {rows})`
