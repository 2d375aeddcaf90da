package exporter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// A target that is no Delta table of this metastore is refused before anything is staged,
// with overwrite_existing too, and stays as it is.
func TestTargetThatIsNoDeltaTableIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ kind, format, want string }{
		"a streaming table":   {"STREAMING_TABLE", "DELTA", "a streaming table"},
		"a materialized view": {"MATERIALIZED_VIEW", "DELTA", "a materialized view"},
		"a foreign table":     {"FOREIGN", "POSTGRESQL_FORMAT", "a foreign table"},
		"a shared table":      {"MANAGED", "DELTASHARING", "a shared table"},
		"an Iceberg table":    {"MANAGED", "ICEBERG", "the format ICEBERG"},
		"files of Parquet":    {"EXTERNAL", "PARQUET", "the format PARQUET"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, sandboxtest.Shared(t))
			b.sandbox.Exec(t, fmt.Sprintf("CREATE TABLE %s (id BIGINT) TBLPROPERTIES ('sandbox.table_type' = '%s', 'sandbox.data_source_format' = '%s')",
				b.table(), c.kind, c.format), "INSERT INTO "+b.table()+" VALUES (17)")
			err := b.export(twoProfiles, spec(func(s *jobs.AudienceExport) { s.OverwriteExisting = true })).Run(t.Context())
			if !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "table_name") {
				t.Errorf("got the error %v, want one that says %q and names table_name", err, c.want)
			}
			if got := b.query("SELECT id FROM " + b.table()); len(got) != 1 || got[0][0] != "17" {
				t.Errorf("got the rows %v, want the row from before", got)
			}
			b.wantNoLeftovers()
		})
	}
}

// A table with a column whose values the warehouse makes is not written: the error names the
// way out, and the old rows stay.
func TestTargetWithAGeneratedOrIdentityColumnKeepsItsRows(t *testing.T) {
	t.Parallel()
	for _, message := range []string{
		"[DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED] Providing values for GENERATED ALWAYS AS IDENTITY column id is not supported. SQLSTATE: 42808",
		"[DELTA_GENERATED_COLUMNS_DATA_TYPE_MISMATCH] Column day is a generated column or a column used by a generated column. SQLSTATE: 42K09",
	} {
		t.Run(strings.FieldsFunc(message, func(r rune) bool { return r == '[' || r == ']' })[0], func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, sandboxtest.Start(t))
			b.run(twoProfiles)
			b.sandbox.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "^INSERT OVERWRITE", Message: message, Times: -1})
			err := b.export(fakeAudience{fields: twoProfiles.fields, rows: [][]jobs.Value{row("7", "seven")}}).Run(t.Context())
			if !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), "a generated or an identity column") || !strings.Contains(err.Error(), "table_name") {
				t.Errorf("got the error %v, want one that names the column's kind and table_name", err)
			}
			b.sandbox.ClearFaults(t)
			b.wantTwoProfiles()
			b.wantNoLeftovers()
		})
	}
}
