package importer

import (
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// A column that the warehouse cannot write as JSON is named, with the attribute that leaves it
// out. Other errors of a statement are returned as they are.
func TestColumnWithoutAJSONFormIsNamed(t *testing.T) {
	t.Parallel()
	refused := &jobs.Error{Code: jobs.CodeFailed, Summary: "A statement failed",
		Err: &databricks.StatementError{Class: "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA", Message: "Input schema must be writable as JSON."}}
	for kind, named := range map[string]bool{
		"GEOMETRY(4326)": true, "GEOGRAPHY(4326)": true, "INTERVAL DAY TO SECOND": true, "VARIANT": true, "STRUCT<g: GEOMETRY(0)>": true, "SOMETHING_NEW": true,
		"STRING": false, "STRING COLLATE UTF8_LCASE": false, "DECIMAL(10,2)": false, "TIMESTAMP_NTZ": false, "ARRAY<STRING>": false,
	} {
		spec := jobs.TableImport{Catalog: "c", Database: "d", Table: "t", TimestampColumn: "ts"}
		schema := []SourceColumn{{Name: "ts", Type: "TIMESTAMP"}, {Name: "place", Type: kind}}
		full, err := newTable(spec, schema, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = full.unwritable(refused)
		if got := jobs.IsCode(err, jobs.CodeInvalid) && strings.Contains(err.Error(), `exclude_columns = ["place"]`); got != named {
			t.Errorf("%s: got the error %v; naming the column should be %v", kind, err, named)
		}
		spec.ExcludeColumns = []string{"place"}
		without, err := newTable(spec, schema, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := without.unwritable(refused); jobs.IsCode(err, jobs.CodeInvalid) {
			t.Errorf("%s, left out: got the error %v", kind, err)
		}
	}
}

// Values of MAP and VARIANT have no order, so that a key column of these types is refused.
func TestKeyColumnsOfATypeWithoutAnOrderAreRefused(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"MAP<STRING, INT>", "VARIANT"} {
		_, err := newTable(jobs.TableImport{Catalog: "c", Database: "d", Table: "t", TimestampColumn: "ts", KeyColumns: []string{"k"}},
			[]SourceColumn{{Name: "ts", Type: "TIMESTAMP"}, {Name: "k", Type: kind}}, nil)
		if !jobs.IsCode(err, jobs.CodeInvalid) || jobs.FailureOf(err).Attribute != "key_columns" {
			t.Errorf("%s: got the error %v, want one that names key_columns", kind, err)
		}
	}
}
