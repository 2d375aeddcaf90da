package duck_test

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
)

// Primary and foreign keys are kept and listed, and not enforced.
func TestKeysAreListedAndNotEnforced(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.exec("CREATE TABLE people (id BIGINT, name STRING, PRIMARY KEY (id)) USING DELTA",
		"CREATE TABLE visits (id INT CONSTRAINT v_pk PRIMARY KEY NOT ENFORCED RELY COMMENT 'x', person BIGINT REFERENCES people, other BIGINT, "+
			"CONSTRAINT o_fk FOREIGN KEY (other) REFERENCES main.default.people (id) ON DELETE NO ACTION)",
		"INSERT INTO people VALUES (1, 'a'), (1, 'b')")
	b.fails("INSERT INTO people VALUES (NULL, 'a')", "DELTA_NOT_NULL_CONSTRAINT_VIOLATED")
	b.want("SELECT constraint_name, table_name, column_name, ordinal_position, position_in_unique_constraint FROM main.information_schema.key_column_usage ORDER BY 1",
		"o_fk | visits | other | 1 | 1", "people_pk | people | id | 1 | NULL", "v_pk | visits | id | 1 | NULL", "visits_people_fk | visits | person | 1 | 1")
	b.want("SELECT constraint_name, constraint_type FROM system.information_schema.table_constraints WHERE table_name = 'people'", "people_pk | PRIMARY KEY")
	b.want("SELECT constraint_name, unique_constraint_name FROM main.information_schema.referential_constraints ORDER BY 1",
		"o_fk | people_pk", "visits_people_fk | people_pk")
	b.want("SELECT table_name, column_name FROM main.information_schema.constraint_column_usage WHERE constraint_name = 'o_fk'", "people | id")
	b.want("SELECT table_name FROM main.information_schema.constraint_table_usage WHERE constraint_name = 'o_fk'", "people")
	rows := b.rows("DESCRIBE TABLE EXTENDED visits")
	if got := rows[len(rows)-1]; got != "o_fk | FOREIGN KEY (`other`) REFERENCES `main`.`default`.`people` (`id`) | " {
		t.Errorf("the last row is %q", got)
	}

	b.fails("ALTER TABLE people ADD CONSTRAINT second PRIMARY KEY (id)", "DELTA_CONSTRAINT_ALREADY_EXISTS")
	b.fails("ALTER TABLE people DROP CONSTRAINT nope", "DELTA_CONSTRAINT_DOES_NOT_EXIST")
	b.exec("ALTER TABLE people DROP CONSTRAINT IF EXISTS nope", "ALTER TABLE people DROP PRIMARY KEY")
	b.fails("ALTER TABLE people ADD PRIMARY KEY (name)", "INVALID_PARAMETER_VALUE")
	b.fails("ALTER TABLE people ADD PRIMARY KEY (nope)", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION")
	b.fails("CREATE TABLE bad (x INT REFERENCES people)", "INVALID_PARAMETER_VALUE")
	b.exec("ALTER TABLE people ADD CONSTRAINT p PRIMARY KEY (id)", "CREATE OR REPLACE TABLE people AS SELECT 1 AS id")
	b.want("SELECT count(*) FROM main.information_schema.table_constraints WHERE table_name = 'people'", "0")
}
