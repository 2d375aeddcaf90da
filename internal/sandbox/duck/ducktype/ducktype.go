// Package ducktype maps Databricks types to the DuckDB types that store them.
//
// It serves the binder, the statements that create tables, and the loading of files.
package ducktype

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// Of returns the DuckDB type that stores values of t. Both timestamp types are a DuckDB
// TIMESTAMP: in UTC for TIMESTAMP, in wall-clock time for TIMESTAMP_NTZ. The binder
// tells them apart.
func Of(t *types.Type) string {
	switch t.Kind {
	case types.Void:
		return "INTEGER"
	case types.Int:
		return "INTEGER"
	case types.Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case types.String:
		return "VARCHAR"
	case types.Binary:
		return "BLOB"
	case types.TimestampNTZ:
		return "TIMESTAMP"
	case types.Array:
		return Of(t.Elem) + "[]"
	case types.Map:
		return "MAP(" + Of(t.Key) + ", " + Of(t.Elem) + ")"
	case types.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = Quote(f.Name) + " " + Of(f.Type)
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	}
	return t.String()
}

// Quote returns a quoted DuckDB identifier.
func Quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
