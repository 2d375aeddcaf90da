// Package routines implements in Go the functions that DuckDB lacks, or computes unlike
// Spark. They are registered with DuckDB under names that begin with dbx_.
//
// They serve the casts of every statement, COPY INTO's first of all, and the digests of
// imported rows.
package routines

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// ErrorMarker begins the text of an error that a routine raises.
const ErrorMarker = "\x01dbx|"

// raise returns an error in Databricks' form, encoded for the way through DuckDB.
func raise(class, state, format string, args ...any) error {
	return fmt.Errorf("%s%s|%s|%s", ErrorMarker, class, state, fmt.Sprintf(format, args...))
}

type routine struct {
	params []duckdb.Type
	ret    duckdb.Type
	run    func(a arguments) (any, error)
}

// Config returns the routine's types. If an argument is NULL, the result is NULL.
func (r *routine) Config() duckdb.ScalarFuncConfig {
	c := duckdb.ScalarFuncConfig{}
	for _, p := range r.params {
		c.InputTypeInfos = append(c.InputTypeInfos, info(p))
	}
	c.ResultTypeInfo = info(r.ret)
	return c
}

// Executor returns the function that computes a row.
func (r *routine) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{RowExecutor: func(a []driver.Value) (any, error) {
		v, err := r.run(a)
		if s, ok := v.(string); ok {
			return []byte(s), err // DuckDB would cut a string at a NUL
		}
		return v, err
	}}
}

func info(t duckdb.Type) duckdb.TypeInfo {
	i, err := duckdb.NewTypeInfo(t)
	if err != nil {
		panic(err) // only for nested types, which no routine uses
	}
	return i
}

const (
	text   = duckdb.TYPE_VARCHAR
	blob   = duckdb.TYPE_BLOB
	long   = duckdb.TYPE_BIGINT
	double = duckdb.TYPE_DOUBLE
	single = duckdb.TYPE_FLOAT
	whole  = duckdb.TYPE_INTEGER
	truth  = duckdb.TYPE_BOOLEAN
)

// Register registers the routines with the database of a connection.
func Register(c *sql.Conn) error {
	for _, set := range []map[string]*routine{casts, texts, numbers} {
		for name, r := range set {
			if err := duckdb.RegisterScalarUDF(c, name, r); err != nil {
				return fmt.Errorf("register the function %s with DuckDB: %w", name, err)
			}
		}
	}
	return nil
}

// malformed returns the result for text that cannot be parsed: an error in ANSI mode,
// otherwise NULL.
func malformed(mode, value, to string) (any, error) {
	if mode != "a" {
		return nil, nil
	}
	return nil, raise(
		"CAST_INVALID_INPUT",
		"22018",
		"The value '%s' of the type \"STRING\" cannot be cast to \"%s\" because it is malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return NULL instead.",
		strings.ReplaceAll(value, "'", "\\'"),
		to,
	)
}

// arguments are a routine's arguments. DuckDB casts them to the declared types, so the
// accessors never fail.
type arguments []driver.Value

func (v arguments) stringAt(i int) string   { return valueAs[string](v[i]) }
func (v arguments) bytesAt(i int) []byte    { return valueAs[[]byte](v[i]) }
func (v arguments) int32At(i int) int32     { return valueAs[int32](v[i]) }
func (v arguments) float64At(i int) float64 { return valueAs[float64](v[i]) }
func (v arguments) float32At(i int) float32 { return valueAs[float32](v[i]) }
func (v arguments) boolAt(i int) bool       { return valueAs[bool](v[i]) }

func valueAs[T any](v driver.Value) T {
	t, _ := v.(T)
	return t
}
