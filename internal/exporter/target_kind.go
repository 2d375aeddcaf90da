package exporter

import (
	"context"
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// writtenByOthers are the types of information_schema.tables that only their owner writes.
var writtenByOthers = map[string]string{
	"STREAMING_TABLE": "a streaming table, which only its pipeline writes",
	"FOREIGN":         "a foreign table, which is in another database",
}

// checkKind refuses a target that is no Delta table: its rows could not be replaced in one
// commit, and CREATE OR REPLACE would make a Delta table of it.
func (e *Export) checkKind(ctx context.Context, wh *databricks.Warehouse) error {
	kind, err := wh.Kind(ctx, e.target())
	if err != nil {
		return err
	}
	what, found := writtenByOthers[kind.Type]
	switch {
	case found:
	case kind.Format == "DELTASHARING":
		what = "a shared table, which only its provider writes"
	case kind.Format != "" && kind.Format != "DELTA":
		what = "a table of the format " + kind.Format + ", and an export writes Delta tables"
	default:
		return nil
	}
	return jobs.Invalid("table_name", fmt.Sprintf("%s is %s", e.target(), what), "The table was not changed.",
		"Choose another table_name; what reads this table can read the other one, or a view over it")
}

// computedColumn describes the error of a statement that writes a column whose values the
// warehouse makes itself. Other errors are returned as they are. The classes are those of
// https://docs.databricks.com/error-messages/error-classes.html.
func (e *Export) computedColumn(err error) error {
	class := databricks.Class(err)
	for _, prefix := range []string{"DELTA_IDENTITY_COLUMNS", "DELTA_GENERATED_COLUMNS", "GENERATED_COLUMN", "IDENTITY_COLUMNS"} {
		if strings.HasPrefix(class, prefix) {
			return &jobs.Error{Code: jobs.CodeInvalid, Attribute: "table_name", Err: err,
				Summary: fmt.Sprintf("%s has a generated or an identity column", e.target()),
				Detail:  err.Error() + " The rows of the table were not changed.",
				Next:    "Drop the column, or choose another table_name and compute the column in a view over it"}
		}
	}
	return err
}

// CheckTarget returns the error with which the first run of an export would end because of
// the table that has the name of its target. written tells that a run of this store has
// written the table: then only the run can read whose it is.
func CheckTarget(s jobs.AudienceExport, table jobs.TableInfo, written bool) error {
	target := jobs.TableName{Catalog: s.Catalog, Database: s.Database, Table: s.TableName}
	if err := refuseView(target, table); err != nil {
		return err
	}
	if s.OverwriteExisting || written {
		return nil
	}
	return notCreatedHere(target, "No export of this store has written it.")
}

func refuseView(target jobs.TableName, table jobs.TableInfo) error {
	if !strings.Contains(table.Type, "VIEW") {
		return nil
	}
	kind := strings.ToLower(strings.ReplaceAll(table.Type, "_", " "))
	return jobs.Invalid("table_name", fmt.Sprintf("%s is a %s", target, kind), "An export replaces a table.", "Choose another table_name")
}

func notCreatedHere(target jobs.TableName, why string) error {
	return jobs.Invalid("table_name", fmt.Sprintf("%s exists and was not created by this export", target), why,
		"Choose another table_name, or set overwrite_existing = true to replace it")
}
