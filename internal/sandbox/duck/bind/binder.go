// Package bind gives a syntax tree meaning: it resolves names against the
// catalog, gives every expression its Databricks type, and writes the DuckDB
// SQL that computes it.
package bind

import (
	"fmt"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Env is what a statement is bound in.
type Env struct {
	Snapshot *catalog.Snapshot
	// Catalog and Schema are the current namespace.
	Catalog, Schema string
	// TempViews are the session's, by lower-case name.
	TempViews map[string]*catalog.View
	ANSI      bool
	// Zone is the session's time zone, UTC for the usual ones.
	Zone   string
	User   string
	Now    time.Time
	Params []warehouse.Parameter
	// Creating is the full name of a view that is being made, which its query
	// may not read.
	Creating []string
}

// Column is a column of a bound query.
type Column struct {
	Name     string
	Type     *types.Type
	Nullable bool
	Comment  string
}

// Query is a bound query. Its columns are called c0, c1, ... in DuckDB.
type Query struct {
	SQL     string
	Columns []Column
}

// Expr is a bound expression.
type Expr struct {
	SQL      string
	Type     *types.Type
	Name     string
	Nullable bool
	// text is the value of a literal, for arguments that must be constant.
	text *string
	// number is set for numeric literals, which take a string's type freely.
	literal bool
	// members are the fields of a struct(...) or the keys and values of map(...).
	members []member
	// aggregate is set where the expression holds an aggregate function.
	aggregate bool
	comment   string
}

type member struct {
	name string
	x    *Expr
}

type binder struct {
	env       *Env
	relations int
	ctes      []map[string]*cte
	// views is the chain of views being expanded.
	views []string
	// noAggregates is set where aggregates are refused, with the clause's name.
	noAggregates string
	depth        int
}

type cte struct {
	sql     string
	columns []Column
}

func newBinder(env *Env) *binder {
	b := &binder{env: env}
	if env.Creating != nil {
		b.views = []string{viewKey(env.Creating)}
	}
	return b
}

// catch turns a panic with an error in Databricks' shape into that error.
func catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case *warehouse.Error:
		*err = r
	default:
		panic(r)
	}
}

// check panics with an error that is in Databricks' shape already.
func check(err error) {
	if err == nil {
		return
	}
	if e, ok := err.(*warehouse.Error); ok { //nolint:errorlint // never wrapped here
		panic(e)
	}
	panic(sqlerror.New("INTERNAL_ERROR", "XX000", "%s", err.Error()))
}

// Bind binds a query.
func Bind(env *Env, q *syntax.Query) (out *Query, err error) {
	defer catch(&err)
	b := newBinder(env)
	sql, cols := b.query(q, nil)
	return &Query{SQL: sql, Columns: cols}, nil
}

// Constant is the bound value of an expression without columns, as SQL of type t.
func Constant(env *Env, x syntax.Expr, t *types.Type) (sql string, err error) {
	defer catch(&err)
	b := newBinder(env)
	b.noAggregates = "a constant"
	e := b.expr(x, &scope{})
	return b.assign(e, t), nil
}

func (b *binder) relation() string {
	b.relations++
	return fmt.Sprintf("r%d", b.relations)
}

// field is one column that a scope can see.
type field struct {
	Column
	sql string
}

// relation is a table, view or subquery in FROM.
type relation struct {
	// qualifier is its alias, or its full name.
	qualifier []string
	fields    []field
	// meta are the hidden columns of _metadata; nil where there are none.
	meta *hiddenColumns
}

type hiddenColumns struct {
	rowID, rowCommit string
	tracking         bool
}

// scope is what names can refer to.
type scope struct {
	parent    *scope
	relations []*relation
	// merged are the columns of USING, by lower-case name.
	merged map[string]field
	// star is what * stands for, in order; nil means all fields.
	star []field
	// lambda are the parameters of an enclosing lambda.
	lambda map[string]field
	// aliases are the select items to the left, which later ones may name.
	aliases map[string]*Expr
	// windows are the named ones.
	windows map[string]*syntax.Window
}

func (r *relation) matches(qualifier []string) bool {
	if len(qualifier) > len(r.qualifier) {
		return false
	}
	tail := r.qualifier[len(r.qualifier)-len(qualifier):]
	for i := range tail {
		if !strings.EqualFold(tail[i], qualifier[i]) {
			return false
		}
	}
	return true
}

// find looks a column up by qualifier and name in this scope only.
func (s *scope) find(qualifier []string, name string) []field {
	var out []field
	if len(qualifier) == 0 {
		if f, ok := s.lambda[strings.ToLower(name)]; ok {
			return []field{f}
		}
		if f, ok := s.merged[strings.ToLower(name)]; ok {
			return []field{f}
		}
	}
	for _, r := range s.relations {
		if len(qualifier) > 0 && !r.matches(qualifier) {
			continue
		}
		for _, f := range r.fields {
			if strings.EqualFold(f.Name, name) {
				out = append(out, f)
			}
		}
	}
	return out
}

// name resolves a reference: the longest qualifier that fits, then a column,
// then struct fields; then an alias to the left; then the scopes around.
func (b *binder) name(parts []string, sc *scope) *Expr {
	for s := sc; s != nil; s = s.parent {
		for q := len(parts) - 1; q >= 0; q-- {
			found := s.find(parts[:q], parts[q])
			if len(found) > 1 {
				b.ambiguous(parts, s)
			}
			if len(found) == 1 {
				f := found[0]
				e := &Expr{SQL: f.sql, Type: f.Type, Name: f.Name, Nullable: f.Nullable, comment: f.Comment}
				return b.path(e, parts[q+1:])
			}
			if strings.EqualFold(parts[q], "_metadata") {
				if e := b.metadata(parts, q, s); e != nil {
					return e
				}
			}
		}
		if e := s.aliases[strings.ToLower(parts[0])]; e != nil {
			return b.path(e, parts[1:])
		}
	}
	panic(sqlerror.UnresolvedColumn(suggest(sc, parts[len(parts)-1]), parts...))
}

func (b *binder) path(e *Expr, fields []string) *Expr {
	for _, f := range fields {
		e = b.field(e, f)
	}
	return e
}

func (b *binder) ambiguous(parts []string, sc *scope) {
	var names []string
	for _, r := range sc.relations {
		for _, f := range r.fields {
			if strings.EqualFold(f.Name, parts[len(parts)-1]) {
				names = append(names, quoting.Name(append(shortQualifier(r), f.Name)...))
			}
		}
	}
	panic(
		sqlerror.New(
			"AMBIGUOUS_REFERENCE",
			"42704",
			"Reference %s is ambiguous, could be: [%s].",
			quoting.Name(parts...),
			strings.Join(names, ", "),
		),
	)
}

// metadata resolves _metadata.row_id and _metadata.row_commit_version.
func (b *binder) metadata(parts []string, q int, s *scope) *Expr {
	for _, r := range s.relations {
		if r.meta == nil || q > 0 && !r.matches(parts[:q]) {
			continue
		}
		if q+1 >= len(parts) {
			panic(sqlerror.Unsupported("_metadata as a whole"))
		}
		if r.meta.tracking {
			switch strings.ToLower(parts[q+1]) {
			case "row_id":
				return &Expr{SQL: r.meta.rowID, Type: types.BigIntType, Name: "row_id"}
			case "row_commit_version":
				return &Expr{SQL: r.meta.rowCommit, Type: types.BigIntType, Name: "row_commit_version"}
			}
		}
		known := "`file_path`, `file_name`, `file_size`, `file_block_start`, `file_block_length`, `file_modification_time`"
		panic(sqlerror.New("FIELD_NOT_FOUND", "42704", "No such struct field %s in %s.", quoting.Name(parts[q+1]), known))
	}
	return nil
}

// suggest lists the columns in sight, the most alike first.
func suggest(sc *scope, name string) []string {
	var names []string
	for s := sc; s != nil; s = s.parent {
		for _, r := range s.relations {
			for _, f := range r.fields {
				if f.Name != "" {
					names = append(names, quoting.Name(append(shortQualifier(r), f.Name)...))
				}
			}
		}
	}
	return closest(names, name, 5)
}

func shortQualifier(r *relation) []string {
	if len(r.qualifier) == 0 {
		return nil
	}
	return []string{r.qualifier[len(r.qualifier)-1]}
}
