// Package warehouse is the interface between the sandbox's protocol front and the
// engine that executes SQL behind it. The front handles sessions, operations,
// tokens and faults; an engine handles SQL, tables and their versions.
package warehouse

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
)

// Engine executes Databricks SQL for many sessions at once.
type Engine interface {
	// OpenSession starts a session, which owns temporary views and settings. If
	// the engine is still starting, it fails with ErrStarting.
	OpenSession(ctx context.Context, o SessionOptions) (Session, error)
	Close() error
}

// ErrStarting is returned while the engine starts. Clients should retry.
var ErrStarting = errors.New("the SQL warehouse is starting")

// SessionOptions are what a client sends with OpenSession.
type SessionOptions struct {
	// Catalog and Schema are the initial namespace; empty means main.default.
	Catalog, Schema string
	// Conf holds session parameters such as ANSI_MODE, TIMEZONE and
	// STATEMENT_TIMEOUT, with the names the client used.
	Conf map[string]string
	// Cluster is set for a session of a cluster, which has no dbsql_version.
	Cluster bool
}

// Session executes one statement at a time. Cancelling the context of Execute or
// of Result.Next stops the statement.
type Session interface {
	Execute(ctx context.Context, statement string, params []Parameter) (Result, error)
	// Objects lists catalogs, schemas, tables and columns, for the metadata
	// calls of ODBC and JDBC clients. The front applies their patterns.
	Objects(ctx context.Context) ([]CatalogObject, error)
	Close() error
}

// Parameter is a bound value: named (":name"), or positional ("?") if Name is
// empty. Type is the SQL type that the client declares, such as STRING or
// TIMESTAMP; Value is the value's text form, nil for NULL.
type Parameter struct {
	Name  string
	Type  string
	Value *string
}

// Result is the result of a statement. A statement that returns no rows has no
// columns, or those that Databricks gives it (num_affected_rows and so on). A
// result can still be read while later statements of its session execute.
type Result interface {
	Columns() []Column
	// Next returns the next batch, or io.EOF. The caller releases the batch.
	Next(ctx context.Context) (arrow.RecordBatch, error)
	Close() error
}

// Profiled is a Result that knows, once it is closed, how many rows of tables the
// statement read.
type Profiled interface {
	RowsScanned() (rows int64, known bool)
}

// Column describes a result column. Its Arrow type is the one that Databricks
// sends: TIMESTAMP as timestamp[us, tz=UTC], TIMESTAMP_NTZ as timestamp[us],
// DECIMAL as decimal128, nested types as Arrow's, INTERVAL as text.
type Column struct {
	Name string
	// Type is the Databricks type in full: "DECIMAL(10,2)", "ARRAY<STRING>".
	Type    string
	Comment string
	Arrow   arrow.Field
}

// CatalogObject is a catalog, the top level of the tree of objects.
type CatalogObject struct {
	Name    string
	Schemas []SchemaObject
}

// SchemaObject is a schema (Databricks' "database") of a catalog.
type SchemaObject struct {
	Name   string
	Tables []TableObject
}

// TableObject is a table or view; Kind is TABLE or VIEW.
type TableObject struct {
	Name    string
	Kind    string
	Comment string
	Columns []ColumnObject
}

// ColumnObject is a column of a table.
type ColumnObject struct {
	Name     string
	Type     string
	Nullable bool
	Comment  string
}

// Error is an error in Databricks' form. Its text begins with the class in
// brackets and ends with "SQLSTATE: ...", since clients parse both.
type Error struct {
	// Class is the error class with its sub-class: "TABLE_OR_VIEW_NOT_FOUND",
	// "UNRESOLVED_COLUMN.WITH_SUGGESTION".
	Class    string
	SQLState string
	Message  string
}

func (e *Error) Error() string {
	return fmt.Sprintf("[%s] %s SQLSTATE: %s", e.Class, e.Message, e.SQLState)
}
