// Package copyinto is the part of COPY INTO that does not depend on the engine: its
// options, the files that it finds, and its errors.
//
// It serves both engines, and so the exports.
package copyinto

import (
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Options are COPY_OPTIONS.
type Options struct {
	// Force loads files again that the table has already loaded.
	Force bool
	// MergeSchema adds columns that the files have and the table lacks.
	MergeSchema bool
}

// ParseOptions parses COPY_OPTIONS. Names are not case-sensitive.
func ParseOptions(properties []syntax.Property) (Options, error) {
	var o Options
	for _, p := range properties {
		var to *bool
		switch strings.ToLower(p.Key) {
		case "force":
			to = &o.Force
		case "mergeschema":
			to = &o.MergeSchema
		default:
			return o, sqlerror.New(
				"CF_UNKNOWN_OPTION_KEYS_ERROR",
				"42KD9",
				"Found unknown option keys: %s. Please make sure that all provided option keys are correct.",
				p.Key,
			)
		}
		switch strings.ToLower(p.Value) {
		case "true":
			*to = true
		case "false":
			*to = false
		default:
			return o, sqlerror.New("COPY_INTO_SYNTAX_ERROR", "42601", "COPY INTO: the option %s must be true or false, not '%s'.", p.Key, p.Value)
		}
	}
	return o, nil
}

var formats = []string{"CSV", "JSON", "AVRO", "ORC", "PARQUET", "TEXT", "BINARYFILE"}

// CheckFormat returns an error for a FILEFORMAT that Databricks does not have.
func CheckFormat(format string) error {
	if slices.Contains(formats, format) {
		return nil
	}
	return sqlerror.New(
		"COPY_INTO_SOURCE_FILE_FORMAT_NOT_SUPPORTED",
		"0AKDC",
		"The format of the source files must be one of CSV, JSON, AVRO, ORC, PARQUET, TEXT, or BINARYFILE. Using COPY INTO on %s is "+
			"not supported.",
		format,
	)
}

// FormatOptions returns FORMAT_OPTIONS as a map, with names as written.
func FormatOptions(st *syntax.CopyInto) map[string]string {
	out := map[string]string{}
	for _, o := range st.Options {
		out[o.Key] = o.Value
	}
	return out
}

// SchemaMismatch is the error for files with columns that the table lacks.
// difference may be empty.
func SchemaMismatch(table, difference string) *warehouse.Error {
	if difference != "" {
		difference = " Schema difference: " + difference
	}
	return sqlerror.New(
		"COPY_INTO_SCHEMA_MISMATCH_WITH_TARGET_TABLE",
		"42KDG",
		"A schema mismatch was detected while copying into the Delta table (Table: %s). This may indicate an issue with the incoming "+
			"data, or the Delta table schema can be evolved automatically according to the incoming data by setting: COPY_OPTIONS "+
			"('mergeSchema' = 'true').%s",
		table,
		difference,
	)
}
