package bind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkvalue"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
)

// The hidden columns of every physical table: the first version that contains the row,
// the first version after it that does not, and the row id, which the row keeps when it
// is updated.
const (
	ColumnFrom = "_from"
	ColumnTo   = "_to"
	ColumnRow  = "_rid"
	// NoEnd is the value of ColumnTo for a row of the current version.
	NoEnd = 9223372036854775807
)

// Resolve completes a name with the current namespace.
func (e *Env) Resolve(parts []string) (catalogName, schema, name string, err error) {
	return e.Namespace().Table(parts)
}

// Namespace returns the current namespace.
func (e *Env) Namespace() syntax.Namespace {
	return syntax.Namespace{Catalog: e.Catalog, Schema: e.Schema}
}

// Table returns a table or view, or Databricks' error if it does not exist.
func (e *Env) Table(parts []string) (*catalog.Table, error) {
	c, s, n, err := e.Resolve(parts)
	if err != nil {
		return nil, err
	}
	if t := e.Snapshot.Table(c, s, n); t != nil {
		return t, nil
	}
	return nil, sqlerror.TableNotFound(parts...)
}

// tableName binds a common table expression, a temporary view, a view, a table, or a
// relation of information_schema, in this order.
func (b *binder) tableName(t *syntax.TableName, outer *scope) *fromItem {
	if len(t.Parts) == 1 {
		for i := len(b.ctes) - 1; i >= 0; i-- {
			if c := b.ctes[i][strings.ToLower(t.Parts[0])]; c != nil {
				b.refuseTimeTravel(t)
				return b.subquery("("+c.sql+")", c.columns, t.Alias, t.Parts, outer)
			}
		}
		if v := b.env.TempViews[strings.ToLower(t.Parts[0])]; v != nil {
			b.refuseTimeTravel(t)
			return b.view(v, t.Parts, t, outer)
		}
	}
	c, s, n, err := b.env.Resolve(t.Parts)
	panicOnError(err)
	if strings.EqualFold(s, "information_schema") {
		b.refuseTimeTravel(t)
		sql, cols := b.informationSchema(c, n, t.Parts)
		return b.subquery("("+sql+")", cols, t.Alias, []string{c, s, n}, outer)
	}
	tab, err := b.env.Table(t.Parts)
	panicOnError(err)
	if tab.View != nil {
		b.refuseTimeTravel(t)
		return b.view(tab.View, []string{tab.Catalog, tab.Schema, tab.Name}, t, outer)
	}
	v := tab.Head()
	if t.Version != nil && v.Governed() {
		panic(sqlerror.PolicyNotSupported(tab.FullName(), "TIME_TRAVEL",
			"Time travel for table with row level security policy and column mask policies"))
	}
	if t.Version != nil {
		v, err = tab.VersionAt(b.timeTravelVersion(t.Version))
		panicOnError(err)
	}
	return b.scan(tab, v, t.Alias, outer)
}

func (b *binder) refuseTimeTravel(t *syntax.TableName) {
	if t.Version != nil {
		panic(
			sqlerror.New(
				"UNSUPPORTED_FEATURE.TIME_TRAVEL",
				"0A000",
				"The feature is not supported: Time travel on the relation: %s.",
				quoting.Name(t.Parts...),
			),
		)
	}
}

// ScanQuery returns a query of a version's rows, with columns c0, c1, ... and the
// row id.
func ScanQuery(v *catalog.Version) string {
	var parts []string
	for i, c := range v.Columns {
		parts = append(parts, fmt.Sprintf("%s AS c%d", c.Phys, i))
	}
	parts = append(parts, ColumnRow)
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s <= %d AND %s > %d", strings.Join(parts, ", "), v.Phys, ColumnFrom, v.N, ColumnTo, v.N)
}

// scan returns the relation of a table's version.
func (b *binder) scan(t *catalog.Table, v *catalog.Version, alias syntax.Alias, outer *scope) *fromItem {
	if len(v.Columns) == 0 {
		panic(
			sqlerror.New(
				"DELTA_READ_TABLE_WITHOUT_COLUMNS",
				"428GU",
				"You are trying to read a Delta table %s that does not have any columns. Write some new data with the option `mergeSchema = true` to be able to read the table.",
				quoting.Name(t.Catalog, t.Schema, t.Name),
			),
		)
	}
	cols := make([]Column, len(v.Columns))
	for i, c := range v.Columns {
		cols[i] = Column{Name: c.Name, Type: c.Type, Nullable: !c.NotNull, Comment: c.Comment}
	}
	return b.subquery("("+ScanQuery(v)+")", cols, alias, []string{t.Catalog, t.Schema, t.Name}, outer)
}

func viewKey(name []string) string { return strings.ToLower(strings.Join(name, ".")) }

// view binds a view's query in the namespace in which the view was created.
func (b *binder) view(v *catalog.View, qualifier []string, t *syntax.TableName, outer *scope) *fromItem {
	key := viewKey(qualifier)
	if slices.Contains(b.views, key) {
		panic(sqlerror.New("RECURSIVE_VIEW", "42K0H", "Recursive view %s detected.", quoting.Name(qualifier...)))
	}
	q, err := syntax.ParseQuery(v.Text)
	panicOnError(err)
	env := *b.env
	env.Catalog, env.Schema, env.Params, env.Creating = v.Catalog, v.Schema, nil, nil
	if !v.Temporary {
		env.TempViews = nil
	}
	inner := &binder{env: &env, aliasCount: b.aliasCount, views: append(slices.Clone(b.views), key)}
	sql, cols := inner.query(q, nil)
	b.aliasCount = inner.aliasCount
	if len(v.Columns) > 0 && len(v.Columns) <= len(cols) {
		cols = slices.Clone(cols)
		for i, c := range v.Columns {
			cols[i].Name, cols[i].Comment = c.Name, c.Comment
		}
	}
	return b.subquery("("+sql+")", cols, t.Alias, qualifier, outer)
}

// timeTravelVersion binds VERSION AS OF n: a whole number, perhaps in quotes.
func (b *binder) timeTravelVersion(x syntax.Expr) int64 {
	e := b.expr(x, &scope{})
	if e.text != nil {
		if n, ok := sparkvalue.ParseInt(*e.text, 64, false); ok {
			return n
		}
	}
	panic(sqlerror.New("INVALID_TIME_TRAVEL_SPEC", "42K0E", "Cannot specify the version \"%s\": it must be a whole number.", generatedName(x)))
}
