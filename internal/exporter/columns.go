package exporter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// sqlType is the column type of a field. Sets, lists and maps become JSON text.
func sqlType(f jobs.Field) string {
	switch f.Type {
	case "bool":
		return "BOOLEAN"
	case "int":
		return "BIGINT"
	case "number":
		return "DOUBLE"
	case "date":
		return "TIMESTAMP"
	default:
		return "STRING"
	}
}

// column is a column of the target: the field's name, the quoted name and the type.
type column struct{ name, sql, sqlType string }

// tableColumns converts fields to columns. It refuses fields whose names conflict in a
// Delta table.
func tableColumns(fields []jobs.Field) ([]column, error) {
	if len(fields) == 0 {
		return nil, jobs.Invalid("fields", "The export has no columns", "The platform has no fields yet.",
			"Declare lytics_field and lytics_mapping resources first")
	}
	seen := map[string]string{}
	columns := make([]column, len(fields))
	for i, f := range fields {
		lower := strings.ToLower(f.ID)
		if other, ok := seen[lower]; ok {
			return nil, jobs.Invalid("fields", fmt.Sprintf("Fields %q and %q differ only by case", other, f.ID),
				"Databricks ignores the case of column names.", "Set fields, with only one of the two")
		}
		seen[lower] = f.ID
		quoted, err := databricks.Quote(f.ID)
		if err != nil {
			return nil, err
		}
		columns[i] = column{f.ID, quoted, sqlType(f)}
	}
	return columns, nil
}

// needsColumnMapping reports whether a name has characters that Delta allows only
// in tables with column mapping.
func needsColumnMapping(columns []column) bool {
	return slices.ContainsFunc(columns, func(c column) bool { return strings.ContainsAny(c.name, " ,;{}()\n\t=") })
}
