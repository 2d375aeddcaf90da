// Package bind binds syntax trees: it resolves names against the catalog, gives
// every expression its Databricks type, and generates the DuckDB SQL that computes
// it. On an error, the binder panics with a *warehouse.Error, which the exported
// functions return.
//
// It serves every statement that reads or writes rows. Its functions are those that the
// provider, its tests and examples and the clients send, and the commonest ones with
// which people look at a table.
package bind

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Env is the environment in which a statement is bound.
type Env struct {
	Snapshot *catalog.Snapshot
	// Catalog and Schema are the current namespace.
	Catalog, Schema string
	// TempViews holds the session's temporary views, by lower-case name.
	TempViews map[string]*catalog.View
	ANSI      bool
	// Zone is the session's time zone.
	Zone   string
	User   string
	Now    time.Time
	Params []warehouse.Parameter
	// Creating is the full name of the view that the statement creates. The view's
	// query must not read it.
	Creating []string
	// Cluster is set for a session of a cluster, which has no dbsql_version.
	Cluster bool
}

// Column is a column of a bound query.
type Column struct {
	Name     string
	Type     *types.Type
	Nullable bool
	Comment  string
}

// Query is a bound query. Its columns are named c0, c1, ... in DuckDB.
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
	// literal is true for literals.
	literal bool
	// members are the fields of struct(...), or the entries of map(...) with their keys.
	members []member
	// aggregate is true if the expression contains an aggregate function.
	aggregate bool
	comment   string
}

type member struct {
	name string
	expr *Expr
}

type binder struct {
	env        *Env
	aliasCount int
	ctes       []map[string]*cte
	// views are the views being expanded, outermost first.
	views []string
	// noAggregates is the name of the clause that is being bound, if it allows no
	// aggregate functions.
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

// recoverError recovers a panic with a *warehouse.Error.
func recoverError(err *error) {
	switch r := recover().(type) {
	case nil:
	case *warehouse.Error:
		*err = r
	default:
		panic(r)
	}
}

// panicOnError panics with err, if it is not nil.
func panicOnError(err error) {
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
	defer recoverError(&err)
	b := newBinder(env)
	sql, cols := b.query(q, nil)
	return &Query{SQL: sql, Columns: cols}, nil
}

// Constant binds an expression without columns, and returns it as SQL of type t.
func Constant(env *Env, x syntax.Expr, t *types.Type) (sql string, err error) {
	defer recoverError(&err)
	b := newBinder(env)
	b.noAggregates = "a constant"
	e := b.expr(x, &scope{})
	return b.storeCast(e, t), nil
}

func (b *binder) newAlias() string {
	b.aliasCount++
	return fmt.Sprintf("r%d", b.aliasCount)
}

// field is a column in a scope.
type field struct {
	Column
	sql string
}

// relation is a table, view or subquery in FROM.
type relation struct {
	// qualifier is the relation's alias, or its full name.
	qualifier []string
	fields    []field
}

// scope is the set of names that an expression can refer to.
type scope struct {
	parent    *scope
	relations []*relation
	// merged are the columns of USING, by lower-case name.
	merged map[string]field
	// star are the columns of *, in order; nil means all fields.
	star []field
	// lambda are the parameters of the enclosing lambda.
	lambda map[string]field
	// aliases are the preceding select items, which later ones may refer to.
	aliases map[string]*Expr
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

// find returns the columns with a qualifier and a name, in this scope only.
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

// name resolves a reference. In each scope, innermost first, it tries the longest
// qualifier, then a column, then struct fields, then an alias of a preceding item.
func (b *binder) name(parts []string, sc *scope) *Expr {
	for s := sc; s != nil; s = s.parent {
		for q := len(parts) - 1; q >= 0; q-- {
			found := s.find(parts[:q], parts[q])
			if len(found) > 1 {
				b.panicAmbiguous(parts, s)
			}
			if len(found) == 1 {
				f := found[0]
				e := &Expr{SQL: f.sql, Type: f.Type, Name: f.Name, Nullable: f.Nullable, comment: f.Comment}
				return b.fieldPath(e, parts[q+1:])
			}
		}
		if e := s.aliases[strings.ToLower(parts[0])]; e != nil {
			return b.fieldPath(e, parts[1:])
		}
	}
	if slices.ContainsFunc(parts, func(p string) bool { return strings.EqualFold(p, "_metadata") }) {
		panic(sqlerror.NotOnDuckDB("the column _metadata"))
	}
	panic(sqlerror.UnresolvedColumn(suggestColumns(sc, parts[len(parts)-1]), parts...))
}

func (b *binder) fieldPath(e *Expr, fields []string) *Expr {
	for _, f := range fields {
		e = b.field(e, f)
	}
	return e
}

func (b *binder) panicAmbiguous(parts []string, sc *scope) {
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

// suggestColumns returns the visible columns whose names are most similar.
func suggestColumns(sc *scope, name string) []string {
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
