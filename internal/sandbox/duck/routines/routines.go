// Package routines are the functions that DuckDB lacks or computes unlike
// Spark, written in Go and registered with DuckDB under names with dbx_ before.
package routines

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// Marker begins the text of an error that a routine raises on purpose.
const Marker = "\x01dbx|"

// fail is an error in Databricks' shape on its way through DuckDB.
func fail(class, state, format string, args ...any) error {
	return fmt.Errorf("%s%s|%s|%s", Marker, class, state, fmt.Sprintf(format, args...))
}

type routine struct {
	params []duckdb.Type
	ret    duckdb.Type
	run    func(a values) (any, error)
}

// Config tells DuckDB the routine's types. NULL in gives NULL out.
func (r *routine) Config() duckdb.ScalarFuncConfig {
	c := duckdb.ScalarFuncConfig{}
	for _, p := range r.params {
		c.InputTypeInfos = append(c.InputTypeInfos, info(p))
	}
	c.ResultTypeInfo = info(r.ret)
	return c
}

// Executor runs the routine for each row.
func (r *routine) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{RowExecutor: func(a []driver.Value) (any, error) {
		v, err := r.run(a)
		if s, ok := v.(string); ok {
			return []byte(s), err // a string would be cut at a NUL
		}
		return v, err
	}}
}

func info(t duckdb.Type) duckdb.TypeInfo {
	i, err := duckdb.NewTypeInfo(t)
	if err != nil {
		panic(err) // only for nested types, which no routine has
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

// Register makes the routines known to the database behind a connection.
func Register(c *sql.Conn) error {
	for _, set := range []map[string]*routine{casts, texts, numbers} {
		for name, r := range set {
			if err := duckdb.RegisterScalarUDF(c, name, r); err != nil {
				return fmt.Errorf("registering the function %s with DuckDB: %w", name, err)
			}
		}
	}
	return nil
}

// bad is a value that does not parse: an error in ANSI mode, else NULL.
func bad(mode, value, to string) (any, error) {
	if mode != "a" {
		return nil, nil
	}
	return nil, fail(
		"CAST_INVALID_INPUT",
		"22018",
		"The value '%s' of the type \"STRING\" cannot be cast to \"%s\" because it is malformed. Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return NULL instead.",
		strings.ReplaceAll(value, "'", "\\'"),
		to,
	)
}

// values are a routine's arguments. DuckDB has cast them to the types that the
// routine declares, so the zero values are never seen.
type values []driver.Value

func (v values) text(i int) string    { return as[string](v[i]) }
func (v values) blob(i int) []byte    { return as[[]byte](v[i]) }
func (v values) whole(i int) int32    { return as[int32](v[i]) }
func (v values) long(i int) int64     { return as[int64](v[i]) }
func (v values) double(i int) float64 { return as[float64](v[i]) }
func (v values) single(i int) float32 { return as[float32](v[i]) }
func (v values) truth(i int) bool     { return as[bool](v[i]) }

func as[T any](v driver.Value) T {
	t, _ := v.(T)
	return t
}
