package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// query binds a query in a scope. Its columns are named c0, c1, ...
func (b *binder) query(q *syntax.Query, outer *scope) (string, []Column) {
	defer func(n int, clause string) { b.ctes, b.noAggregates = b.ctes[:n], clause }(len(b.ctes), b.noAggregates)
	b.noAggregates = ""
	for _, w := range q.With {
		sql, cols := b.query(w.Query, outer)
		cols = renameColumns(cols, w.Columns)
		b.ctes = append(b.ctes, map[string]*cte{strings.ToLower(w.Name): {sql: sql, columns: cols}})
	}
	var sql string
	var cols []Column
	if s, ok := q.Body.(*syntax.Select); ok {
		sql, cols = b.selectBlock(s, q, outer)
	} else {
		sql, cols = b.queryBody(q.Body, outer)
		if order := b.orderOutput(q, cols); order != "" {
			sql = fmt.Sprintf("SELECT * FROM (%s) AS %s%s", sql, b.newAlias(), order)
		} else if q.Limit != nil || q.Offset != nil {
			sql = fmt.Sprintf("SELECT * FROM (%s) AS %s", sql, b.newAlias())
		}
	}
	return sql + b.limit("LIMIT", q.Limit) + b.limit("OFFSET", q.Offset), cols
}

func renameColumns(cols []Column, names []string) []Column {
	if names == nil {
		return cols
	}
	if len(names) != len(cols) {
		panic(
			sqlerror.New(
				"ASSIGNMENT_ARITY_MISMATCH",
				"42802",
				"The number of columns or variables assigned or aliased: %d does not match the number of source expressions: %d.",
				len(names),
				len(cols),
			),
		)
	}
	out := append([]Column(nil), cols...)
	for i := range out {
		out[i].Name = names[i]
	}
	return out
}

func (b *binder) queryBody(body syntax.QueryBody, outer *scope) (string, []Column) {
	switch body := body.(type) {
	case *syntax.Select:
		return b.selectBlock(body, &syntax.Query{}, outer)
	case *syntax.Query:
		return b.query(body, outer)
	case *syntax.Values:
		return b.values(body, outer)
	case *syntax.SetOp:
		return b.setOp(body, outer)
	}
	panic(sqlerror.NotOnDuckDB(fmt.Sprintf("the query %T", body)))
}

// limit binds LIMIT or OFFSET, which must be constant.
func (b *binder) limit(word string, x syntax.Expr) string {
	if x == nil {
		return ""
	}
	e := b.expr(x, &scope{})
	if !e.Type.Integral() {
		panic(
			sqlerror.New(
				"INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE",
				"42K0E",
				"The limit like expression \"%s\" is invalid. The %s expression must be integer type, but got \"%s\".",
				e.Name,
				strings.ToLower(word),
				e.Type,
			),
		)
	}
	if e.text != nil && strings.HasPrefix(*e.text, "-") {
		panic(
			sqlerror.New(
				"INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE",
				"42K0E",
				"The limit like expression \"%s\" is invalid. The %s expression must be equal to or greater than 0, but got %s.",
				e.Name,
				strings.ToLower(word),
				*e.text,
			),
		)
	}
	return " " + word + " " + e.SQL
}

func orderDirection(o syntax.OrderItem) string {
	s := " ASC"
	if o.Desc {
		s = " DESC"
	}
	if o.NullsFirst {
		return s + " NULLS FIRST"
	}
	return s + " NULLS LAST"
}

// orderOutput binds ORDER BY on the columns of a set operation or VALUES.
func (b *binder) orderOutput(q *syntax.Query, cols []Column) string {
	if len(q.Order) == 0 {
		return ""
	}
	rel := &relation{}
	for i, c := range cols {
		rel.fields = append(rel.fields, field{Column: c, sql: fmt.Sprintf("c%d", i)})
	}
	keys := make([]string, len(q.Order))
	for i, o := range q.Order {
		if n, ok := ordinalOf(o.X); ok {
			keys[i] = b.ordinalKey(n, len(cols)) + orderDirection(o)
			continue
		}
		e := b.expr(o.X, &scope{relations: []*relation{rel}})
		checkOrderable(e)
		keys[i] = e.SQL + orderDirection(o)
	}
	return " ORDER BY " + strings.Join(keys, ", ")
}

func ordinalOf(x syntax.Expr) (string, bool) {
	n, ok := x.(syntax.Num)
	if !ok || strings.ContainsAny(n.Text, ".ELSYFDB-") {
		return "", false
	}
	return n.Text, true
}

func (b *binder) ordinalKey(n string, count int) string {
	var i int
	if _, err := fmt.Sscan(n, &i); err != nil || i < 1 || i > count {
		panic(
			sqlerror.New("ORDER_BY_POS_OUT_OF_RANGE", "42805", "ORDER BY position %s is not in select list (valid range is [1, %d]).", n, count),
		)
	}
	return n
}

func checkOrderable(e *Expr) {
	if e.Type.Contains(types.Map) {
		panic(
			sqlerror.New(
				"DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
				"42K09",
				"Cannot resolve \"%s\" due to data type mismatch: The `sortorder` does not support ordering on type \"%s\".",
				e.Name,
				e.Type,
			),
		)
	}
}

func (b *binder) values(v *syntax.Values, outer *scope) (string, []Column) {
	sc := &scope{parent: outer}
	width := len(v.Rows[0])
	columns := make([][]*Expr, width)
	for _, row := range v.Rows {
		if len(row) != width {
			panic(
				sqlerror.New(
					"INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH",
					"42000",
					"Invalid inline table. Inline table expected %d columns but found %d columns in row.",
					width,
					len(row),
				),
			)
		}
		for i, x := range row {
			columns[i] = append(columns[i], b.expr(x, sc))
		}
	}
	cols := make([]Column, width)
	for i, xs := range columns {
		cols[i] = Column{Name: fmt.Sprintf("col%d", i+1), Nullable: anyNullable(xs), Type: b.castToCommonType(xs)}
	}
	rows := make([]string, len(v.Rows))
	for r := range v.Rows {
		parts := make([]string, width)
		for i := range parts {
			parts[i] = columns[i][r].SQL
		}
		rows[r] = "(" + strings.Join(parts, ", ") + ")"
	}
	names := make([]string, width)
	selected := make([]string, width)
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i)
		// The cast gives a column of NULLs or literals its type.
		selected[i] = cast(names[i], cols[i].Type) + " AS " + names[i]
	}
	return fmt.Sprintf(
		"SELECT %s FROM (VALUES %s) AS %s(%s)",
		strings.Join(selected, ", "),
		strings.Join(rows, ", "),
		b.newAlias(),
		strings.Join(names, ", "),
	), cols
}

// setOp binds UNION, EXCEPT and INTERSECT.
func (b *binder) setOp(s *syntax.SetOp, outer *scope) (string, []Column) {
	lsql, lcols := b.queryBody(s.L, outer)
	rsql, rcols := b.queryBody(s.R, outer)
	if len(lcols) != len(rcols) {
		panic(
			sqlerror.New(
				"NUM_COLUMNS_MISMATCH",
				"42826",
				"%s can only be performed on inputs with the same number of columns, but the first input has %d columns and the second input has %d columns.",
				s.Op,
				len(lcols),
				len(rcols),
			),
		)
	}
	cols := make([]Column, len(lcols))
	lparts, rparts := make([]string, len(cols)), make([]string, len(cols))
	for i, l := range lcols {
		r := rcols[i]
		t := types.Common(l.Type, r.Type)
		if t == nil {
			panic(
				sqlerror.New(
					"INCOMPATIBLE_COLUMN_TYPE",
					"42825",
					"%s can only be performed on tables with compatible column types. The column number %d of the second table is \"%s\" type which is not compatible with \"%s\" at the same column of the first table.",
					s.Op,
					i+1,
					r.Type,
					l.Type,
				),
			)
		}
		if s.Op != "UNION" || !s.All {
			if t.Contains(types.Map) {
				panic(
					sqlerror.New(
						"UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE",
						"0A000",
						"The feature is not supported: Cannot have MAP type columns in DataFrame which calls set operations (INTERSECT, EXCEPT, etc.), but the type of column %s is \"%s\".",
						quoting.Name(l.Name),
						t,
					),
				)
			}
		}
		cols[i] = Column{Name: l.Name, Type: t, Nullable: l.Nullable || r.Nullable}
		lparts[i] = cast(b.castSQL(fmt.Sprintf("c%d", i), l.Type, t, b.sessionCastMode()), t) + fmt.Sprintf(" AS c%d", i)
		rparts[i] = cast(b.castSQL(fmt.Sprintf("c%d", i), r.Type, t, b.sessionCastMode()), t) + fmt.Sprintf(" AS c%d", i)
	}
	op := s.Op
	if s.All {
		op += " ALL"
	}
	return fmt.Sprintf("(SELECT %s FROM (%s) AS %s) %s (SELECT %s FROM (%s) AS %s)",
		strings.Join(lparts, ", "), lsql, b.newAlias(), op, strings.Join(rparts, ", "), rsql, b.newAlias()), cols
}
