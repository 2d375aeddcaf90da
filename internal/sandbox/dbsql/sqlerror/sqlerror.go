// Package sqlerror makes errors in Databricks' form: a class, a message and an
// SQLSTATE.
//
// It serves both engines: the provider and the clients tell errors apart by class and
// SQLSTATE.
package sqlerror

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// New returns an error of a class.
func New(class, state, format string, args ...any) *warehouse.Error {
	return &warehouse.Error{Class: class, SQLState: state, Message: fmt.Sprintf(format, args...)}
}

// Syntax is the error for a statement that does not parse at the token near.
func Syntax(near, hint string, line, pos int) *warehouse.Error {
	if near == "" {
		near = "end of input"
	} else {
		near = "'" + near + "'"
	}
	if hint != "" {
		hint = ": " + hint
	}
	return New("PARSE_SYNTAX_ERROR", "42601", "Syntax error at or near %s%s. (line %d, pos %d)", near, hint, line, pos)
}

// TableNotFound is the error for a name that is neither a table nor a view.
func TableNotFound(parts ...string) *warehouse.Error {
	return New(
		"TABLE_OR_VIEW_NOT_FOUND",
		"42P01",
		"The table or view %s cannot be found. Verify the spelling and correctness of the schema and catalog. If you did not qualify the "+
			"name with a schema, verify the current_schema() output, or qualify the name with the correct schema and catalog. To tolerate "+
			"the error on drop use DROP VIEW IF EXISTS or DROP TABLE IF EXISTS.",
		quoting.Name(parts...),
	)
}

// TableExists is the error for creating a table or view that exists.
func TableExists(parts ...string) *warehouse.Error {
	return New(
		"TABLE_OR_VIEW_ALREADY_EXISTS",
		"42P07",
		"Cannot create table or view %s because it already exists. Choose a different name, drop or replace the existing object, add the "+
			"IF NOT EXISTS clause to tolerate pre-existing objects, or add the OR REFRESH clause to refresh the existing streaming table.",
		quoting.Name(parts...),
	)
}

// SchemaNotFound is the error for a schema that does not exist.
func SchemaNotFound(parts ...string) *warehouse.Error {
	return New(
		"SCHEMA_NOT_FOUND",
		"42704",
		"The schema %s cannot be found. Verify the spelling and correctness of the schema and catalog. If you did not qualify the name "+
			"with a catalog, verify the current_schema() output, or qualify the name with the correct catalog. To tolerate the error on drop "+
			"use DROP SCHEMA IF EXISTS.",
		quoting.Name(parts...),
	)
}

// CatalogNotFound is the error for a catalog that does not exist.
func CatalogNotFound(name string) *warehouse.Error {
	return New(
		"NO_SUCH_CATALOG_EXCEPTION",
		"42704",
		"Catalog '%s' was not found. Please verify the catalog name and then retry the query or command again.",
		strings.ReplaceAll(name, "'", "\\'"),
	)
}

// UnresolvedColumn is the error for an unknown column; suggestions may be empty.
func UnresolvedColumn(suggestions []string, parts ...string) *warehouse.Error {
	if len(suggestions) == 0 {
		return New(
			"UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
			"42703",
			"A column, variable, or function parameter with name %s cannot be resolved.",
			quoting.Name(parts...),
		)
	}
	return New(
		"UNRESOLVED_COLUMN.WITH_SUGGESTION",
		"42703",
		"A column, variable, or function parameter with name %s cannot be resolved. Did you mean one of the following? [%s].",
		quoting.Name(parts...),
		strings.Join(suggestions, ", "),
	)
}

// UnresolvedRoutine is the error for an unknown function.
func UnresolvedRoutine(parts ...string) *warehouse.Error {
	return New(
		"UNRESOLVED_ROUTINE",
		"42883",
		"Cannot resolve routine %s on search path [`system`.`builtin`, `system`.`session`].",
		quoting.Name(parts...),
	)
}

// PolicyNotSupported is the error of what Databricks does not do with a table that has a
// row filter or a column mask:
// https://docs.databricks.com/aws/en/error-messages/row-level-security-column-mask-feature-not-supported-error-class
func PolicyNotSupported(table, feature, text string) *warehouse.Error {
	return New("ROW_LEVEL_SECURITY_COLUMN_MASK_FEATURE_NOT_SUPPORTED."+feature, "0A000",
		"Row level security policies and column mask policies for %s are not supported: %s", table, text)
}

// Unsupported is the error for a feature that Databricks has and the sandbox lacks.
func Unsupported(what string) *warehouse.Error {
	return New("UNSUPPORTED_FEATURE.SANDBOX", "0A000", "The feature is not supported: %s is not available in this sandbox.", what)
}

// NotOnDuckDB is the error for a part of Databricks SQL that the sandbox's DuckDB engine
// lacks, and Apache Spark has.
func NotOnDuckDB(what string) *warehouse.Error {
	return New("UNSUPPORTED_FEATURE.SANDBOX", "0A000", "The feature is not supported: the sandbox's DuckDB engine does not have %s. "+
		"Its Spark engine has it: start the sandbox with -engine spark, the demo with ENGINE=spark.", what)
}

// TypeMismatch is the error for an argument or operand of a wrong type.
func TypeMismatch(format string, args ...any) *warehouse.Error {
	return New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", "%s", fmt.Sprintf(format, args...))
}

// InsertArity is the error for an INSERT whose query has too many or too few columns.
// named is the number of columns of the table, or of the statement's column list.
func InsertArity(named, columns int, table string) *warehouse.Error {
	kind, text := "NOT_ENOUGH_DATA_COLUMNS", "not enough"
	if columns > named {
		kind, text = "TOO_MANY_DATA_COLUMNS", "too many"
	}
	return New(
		"INSERT_COLUMN_ARITY_MISMATCH."+kind,
		"21S01",
		"Cannot write to %s, the reason is %s data columns: the table takes %d columns, the query has %d.",
		table,
		text,
		named,
		columns,
	)
}

// FailedToMerge is the error for a query's column whose type does not fit the table's
// column.
func FailedToMerge(tableColumn, queryColumn string, tableType, queryType fmt.Stringer) *warehouse.Error {
	return New(
		"DELTA_FAILED_TO_MERGE_FIELDS",
		"22005",
		"Failed to merge fields '%s' and '%s'. Failed to merge incompatible data types %s and %s.",
		tableColumn,
		queryColumn,
		tableType,
		queryType,
	)
}

// SchemaExists is the error for creating a schema that exists.
func SchemaExists(parts ...string) *warehouse.Error {
	return New(
		"SCHEMA_ALREADY_EXISTS",
		"42P06",
		"Cannot create schema %s because it already exists. Choose a different name, drop the existing schema, or add the IF NOT EXISTS "+
			"clause to tolerate pre-existing schema.",
		quoting.Name(parts...),
	)
}

// CatalogExists is the error for creating a catalog that exists.
func CatalogExists(name string) *warehouse.Error {
	return New("CATALOG_ALREADY_EXISTS", "42710", "Catalog '%s' already exists.", name)
}

// CatalogNotEmpty is the error for dropping a catalog with schemas, without CASCADE.
func CatalogNotEmpty(name string) *warehouse.Error {
	return New(
		"CATALOG_NOT_EMPTY",
		"2BP01",
		"Cannot drop the catalog %s because it contains schemas. Use CASCADE to drop them too.",
		quoting.Name(name),
	)
}

// WrongNameParts is the error for a name with too many or too few parts. format has
// one %s, for the name.
func WrongNameParts(format string, parts ...string) *warehouse.Error {
	return New("REQUIRES_SINGLE_PART_NAMESPACE", "42K05", format, quoting.Name(parts...))
}

// NotBoolean is the error for a session parameter that must be true or false.
func NotBoolean(key, value string) *warehouse.Error {
	return New(
		"INVALID_CONF_VALUE.TYPE_MISMATCH",
		"22022",
		"The value '%s' in the config \"%s\" is invalid. The value should be a boolean.",
		value,
		key,
	)
}

// UnknownTimeZone is the error for a session time zone that does not exist.
func UnknownTimeZone(value string) *warehouse.Error {
	return New(
		"INVALID_CONF_VALUE.TIME_ZONE",
		"22022",
		"The value '%s' in the config \"spark.sql.session.timeZone\" is invalid. Cannot resolve the given timezone.",
		value,
	)
}
