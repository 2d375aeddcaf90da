package duck_test

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
)

// A row filter, a mask and tags are listed in information_schema; a governed table's
// history cannot be read; CREATE OR REPLACE loses them.
func TestPoliciesAreListedAndLostByAReplacement(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.exec("CREATE TABLE g (id INT, name STRING)", "ALTER TABLE g ALTER COLUMN name SET MASK main.default.hide USING COLUMNS (id)",
		"ALTER TABLE g SET ROW FILTER mine ON (id)", "ALTER TABLE g SET TAGS ('a' = '1', 'b' = '2')", "ALTER TABLE g UNSET TAGS ('b')",
		"ALTER TABLE g ALTER COLUMN id SET TAGS ('pii' = 'no')")
	b.want("SELECT column_name, mask_schema, mask_name FROM main.information_schema.column_masks", "name | default | hide")
	b.want("SELECT table_name, filter_name FROM main.information_schema.row_filters", "g | mine")
	b.want("SELECT tag_name, tag_value FROM main.information_schema.table_tags", "a | 1")
	b.want("SELECT column_name, tag_name, tag_value FROM main.information_schema.column_tags", "id | pii | no")
	b.fails("DESCRIBE HISTORY g", "ROW_LEVEL_SECURITY_COLUMN_MASK_FEATURE_NOT_SUPPORTED.DESCRIBE_HISTORY")
	b.fails("SELECT * FROM g VERSION AS OF 0", "ROW_LEVEL_SECURITY_COLUMN_MASK_FEATURE_NOT_SUPPORTED.TIME_TRAVEL")
	b.exec("ALTER TABLE g ALTER COLUMN name DROP MASK", "ALTER TABLE g DROP ROW FILTER")
	b.want("SELECT count(*) FROM g VERSION AS OF 0", "0")
	b.exec("ALTER TABLE g ALTER COLUMN name SET MASK hide", "CREATE OR REPLACE TABLE g AS SELECT 1 AS id, 'x' AS name")
	b.want("SELECT count(*) FROM main.information_schema.column_masks", "0")
	b.want("SELECT count(*) FROM main.information_schema.table_tags", "0")
}

func TestPoliciesThatDatabricksRefuses(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.exec("CREATE TABLE g (id INT, name STRING)", "CREATE VIEW v AS SELECT * FROM g")
	b.fails("ALTER TABLE g ALTER COLUMN name SET MASK hide USING COLUMNS (name)", "COLUMN_MASKS_USING_COLUMN_NAME_SAME_AS_TARGET_COLUMN")
	b.fails("ALTER TABLE g ALTER COLUMN name SET MASK hide USING COLUMNS (id, ID)", "COLUMN_MASKS_DUPLICATE_USING_COLUMN_NAME")
	b.fails("ALTER TABLE v ALTER COLUMN name SET MASK hide", "COLUMN_MASKS_FEATURE_NOT_SUPPORTED.VIEWS")
	b.fails("ALTER TABLE v SET ROW FILTER mine ON (id)", "ROW_LEVEL_SECURITY_FEATURE_NOT_SUPPORTED.VIEWS")
}
