package duck_test

import (
	"context"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
)

func TestMetadata(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.exec("CREATE SCHEMA sales COMMENT 'Sales'", "CREATE CATALOG two",
		"CREATE TABLE sales.orders (id BIGINT NOT NULL COMMENT 'key', ts TIMESTAMP, n TIMESTAMP_NTZ, d DECIMAL(10,2), a ARRAY<STRUCT<x: INT, `y z`: STRING>>, m MAP<STRING, DOUBLE>, v VARCHAR(5)) COMMENT 'Orders' CLUSTER BY (id)",
		"CREATE VIEW sales.recent COMMENT 'view' AS SELECT id FROM sales.orders", "CREATE TEMP VIEW tmp AS SELECT 1 AS one")
	b.want("SHOW CATALOGS", "hive_metastore", "main", "two", "system")
	b.want("SHOW CATALOGS LIKE 'm*|two'", "main", "two")
	b.want("SHOW SCHEMAS", "default", "sales", "information_schema")
	b.want("SHOW DATABASES IN two LIKE 'def*'", "default")
	b.want("SHOW TABLES IN main.sales", "sales | orders | false", "sales | recent | false", " | tmp | true")
	b.want("SHOW TABLES IN sales LIKE 'ord*'", "sales | orders | false")
	b.want("SHOW VIEWS IN sales", "sales | recent | false | false", " | tmp | true | false")
	b.want("SHOW COLUMNS IN tmp", "one")
	b.want("SHOW TABLES IN two.information_schema LIKE 'c*'", "information_schema | catalogs | false",
		"information_schema | column_masks | false", "information_schema | column_tags | false", "information_schema | columns | false",
		"information_schema | constraint_column_usage | false", "information_schema | constraint_table_usage | false")
	b.want("DESCRIBE sales.orders", "id | bigint | key", "ts | timestamp | NULL", "n | timestamp_ntz | NULL", "d | decimal(10,2) | NULL", "a | array<struct<x:int,y z:string>> | NULL", "m | map<string,double> | NULL", "v | varchar(5) | NULL",
		"# Clustering Information |  | ", "# col_name | data_type | comment", "id | bigint | key")
	b.want("DESCRIBE QUERY SELECT 1 AS x, 'a' AS y", "x | int | NULL", "y | string | NULL")
	b.want("SELECT table_name, table_type, comment FROM main.information_schema.tables WHERE table_schema = 'sales' ORDER BY 1", "orders | MANAGED | Orders", "recent | VIEW | view")
	b.want("SELECT column_name, ordinal_position, is_nullable, data_type, full_data_type, comment FROM main.information_schema.columns WHERE table_name = 'orders' AND ordinal_position IN (1, 4, 5)",
		"id | 1 | NO | LONG | bigint | key", "d | 4 | YES | DECIMAL | decimal(10,2) | NULL", "a | 5 | YES | ARRAY | array<struct<x:int,y z:string>> | NULL")
	b.want("SELECT catalog_name FROM system.information_schema.catalogs ORDER BY 1", "main", "two")
	b.want("SELECT schema_name, comment FROM main.information_schema.schemata WHERE catalog_name = 'main' ORDER BY 1", "default | NULL", "information_schema | NULL", "sales | Sales")
	b.want("SELECT count(*) FROM two.information_schema.tables", "0")
	b.fails("SELECT * FROM hive_metastore.information_schema.tables", "TABLE_OR_VIEW_NOT_FOUND")
	b.exec("COMMENT ON TABLE sales.orders IS 'new'", "COMMENT ON COLUMN sales.orders.d IS 'amount'", "ALTER TABLE sales.orders RENAME TO sales.bought")
	b.want("SELECT comment FROM main.information_schema.tables WHERE table_name = 'bought'", "new")
	b.fails("DROP SCHEMA sales", "SCHEMA_NOT_EMPTY")
	b.exec("DROP SCHEMA sales CASCADE", "DROP VIEW tmp", "DROP CATALOG two")
	b.want("SHOW TABLES")

	objects, err := b.session.Objects(context.Background())
	if err != nil || len(objects) != 2 || objects[1].Name != "main" {
		t.Errorf("Objects gave %+v, %v", objects, err)
	}
}
