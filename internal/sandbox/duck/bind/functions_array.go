package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/ducktype"
)

func init() {
	register("reverse", function{min: 1, max: 1, bind: func(c *call) *Expr {
		if c.args[0].Type.Kind == types.Array {
			return c.arrayResult("list_reverse("+c.args[0].SQL+")", c.args[0].Type)
		}
		return template(types.StringType, "reverse($1)", types.StringType).bind(c)
	}})
	register(
		"array_distinct",
		function{min: 1, max: 1, bind: func(c *call) *Expr { return c.arrayResult(distinctElements(c.arrayArgument(0).SQL), c.args[0].Type) }},
	)
	register("array_union", function{min: 2, max: 2, bind: func(c *call) *Expr {
		pair := c.twoArrays()
		return c.arrayResult(distinctElements("("+pair[0].SQL+" || "+pair[1].SQL+")"), pair[0].Type)
	}})
	register("array_intersect", function{min: 2, max: 2, bind: bindArraySet("IS NOT NULL")})
	register("array_except", function{min: 2, max: 2, bind: bindArraySet("IS NULL")})
	register("array_max", function{min: 1, max: 1, bind: bindArrayToElement("list_max(%s)")})
	register("array_min", function{min: 1, max: 1, bind: bindArrayToElement("list_min(%s)")})
	register("array_remove", function{min: 2, max: 2, bind: func(c *call) *Expr {
		a := c.arrayArgument(0)
		x := c.b.implicitCast(c.args[1], a.Type.Elem)
		v := c.b.newVariable()
		return &Expr{
			SQL:      fmt.Sprintf("list_filter(%s, lambda %s: %s IS NULL OR %s <> %s)", a.SQL, v, v, v, x.SQL),
			Type:     a.Type,
			Nullable: a.Nullable || x.Nullable,
		}
	}})
	register("array_append", function{min: 2, max: 2, bind: bindArrayAddElement("list_append(%s, %s)")})
	register("array_prepend", function{min: 2, max: 2, bind: bindArrayAddElement("list_prepend(%[2]s, %[1]s)")})
	register("arrays_overlap", function{min: 2, max: 2, bind: func(c *call) *Expr {
		pair := c.twoArrays()
		return &Expr{SQL: fmt.Sprintf("list_has_any(%s, %s)", pair[0].SQL, pair[1].SQL), Type: types.BooleanType, Nullable: true}
	}})
	register("map_concat", function{min: 1, max: -1, bind: bindMapConcat})
	register("map_filter", function{min: 2, max: 2, lambda: true, bind: func(c *call) *Expr {
		m, v, body := c.mapLambda()
		return &Expr{
			SQL: fmt.Sprintf(
				"map_from_entries(list_filter(map_entries(%s), lambda %s: %s))",
				m.SQL,
				v,
				c.b.implicitCast(body, types.BooleanType).SQL,
			),
			Type:     m.Type,
			Nullable: m.Nullable,
		}
	}})
	register("transform_values", function{min: 2, max: 2, lambda: true, bind: func(c *call) *Expr {
		m, v, body := c.mapLambda()
		return &Expr{
			SQL: fmt.Sprintf(
				"map_from_entries(list_transform(map_entries(%s), lambda %[2]s: struct_pack(\"key\" := %[2]s.key, \"value\" := %[3]s)))",
				m.SQL,
				v,
				body.SQL,
			),
			Type:     types.MapOf(m.Type.Key, body.Type),
			Nullable: m.Nullable,
		}
	}})
	register("transform_keys", function{min: 2, max: 2, lambda: true, bind: func(c *call) *Expr {
		m, v, body := c.mapLambda()
		return &Expr{
			SQL: fmt.Sprintf(
				"map_from_entries(list_transform(map_entries(%s), lambda %[2]s: struct_pack(\"key\" := %[3]s, \"value\" := %[2]s.value)))",
				m.SQL,
				v,
				body.SQL,
			),
			Type:     types.MapOf(body.Type, m.Type.Elem),
			Nullable: m.Nullable,
		}
	}})
	register("aggregate reduce", function{min: 3, max: 4, lambda: true, bind: bindReduce})
}

// arrayResult returns the expression of a function whose result is an array.
func (c *call) arrayResult(sql string, t *types.Type) *Expr {
	return &Expr{SQL: sql, Type: t, Nullable: anyNullable(c.args)}
}

// distinctElements keeps the first of equal elements, in order.
func distinctElements(list string) string {
	return "list_filter(" + list + ", lambda x, i: list_position(" + list + ", x) = i)"
}

// twoArrays returns the two arguments, cast to a common array type.
func (c *call) twoArrays() []*Expr {
	pair := []*Expr{c.arrayArgument(0), c.arrayArgument(1)}
	c.b.castToCommonType(pair)
	c.args = pair
	return pair
}

// bindArraySet binds array_intersect and array_except.
func bindArraySet(test string) func(c *call) *Expr {
	return func(c *call) *Expr {
		pair := c.twoArrays()
		kept := fmt.Sprintf("list_filter(%s, lambda x: list_position(%s, x) %s)", pair[0].SQL, pair[1].SQL, test)
		return c.arrayResult(distinctElements(kept), pair[0].Type)
	}
}

func bindArrayToElement(sql string) func(c *call) *Expr {
	return func(c *call) *Expr {
		a := c.arrayArgument(0)
		return &Expr{SQL: fmt.Sprintf(sql, a.SQL), Type: a.Type.Elem, Nullable: true}
	}
}

func bindArrayAddElement(sql string) func(c *call) *Expr {
	return func(c *call) *Expr {
		a := c.arrayArgument(0)
		x := c.b.implicitCast(c.args[1], a.Type.Elem)
		return &Expr{SQL: fmt.Sprintf(sql, a.SQL, x.SQL), Type: a.Type, Nullable: a.Nullable}
	}
}

func bindMapConcat(c *call) *Expr {
	t := c.b.castToCommonType(c.args)
	if t.Kind != types.Map {
		panic(c.mismatch(c.args[0], "MAP"))
	}
	entries := make([]string, len(c.args))
	for i, a := range c.args {
		entries[i] = "map_entries(" + a.SQL + ")"
	}
	// A duplicate key is an error, as in Spark.
	return &Expr{SQL: "map_from_entries(" + strings.Join(entries, " || ") + ")", Type: t, Nullable: anyNullable(c.args)}
}

// mapLambda binds f(map, (k, v) -> body). variable is an entry of the map.
func (c *call) mapLambda() (m *Expr, variable string, body *Expr) {
	c.args = []*Expr{c.b.expr(c.ast.Args[0], c.sc)}
	m = c.mapArgument()
	l, ok := c.ast.Args[1].(*syntax.Lambda)
	if !ok || len(l.Params) != 2 {
		panic(sqlerror.Unsupported(c.name + " without a lambda of two parameters"))
	}
	v := c.b.newVariable()
	key := field{Column: Column{Name: l.Params[0], Type: m.Type.Key}, sql: v + ".key"}
	value := field{Column: Column{Name: l.Params[1], Type: m.Type.Elem, Nullable: true}, sql: v + ".value"}
	sc := &scope{parent: c.sc, lambda: map[string]field{strings.ToLower(l.Params[0]): key, strings.ToLower(l.Params[1]): value}}
	return m, v, c.b.expr(l.Body, sc)
}

// bindReduce binds aggregate(array, start, (acc, x) -> ... [, acc -> ...]).
func bindReduce(c *call) *Expr {
	c.args = []*Expr{c.b.expr(c.ast.Args[0], c.sc), c.b.expr(c.ast.Args[1], c.sc)}
	a, start := c.arrayArgument(0), c.args[1]
	merge, ok := c.ast.Args[2].(*syntax.Lambda)
	if !ok || len(merge.Params) != 2 {
		panic(sqlerror.Unsupported(c.name + " without a lambda of two parameters"))
	}
	acc, x := c.b.newVariable(), c.b.newVariable()
	sc := &scope{parent: c.sc, lambda: map[string]field{
		strings.ToLower(merge.Params[0]): {Column: Column{Name: merge.Params[0], Type: start.Type, Nullable: true}, sql: acc},
		strings.ToLower(merge.Params[1]): {Column: Column{Name: merge.Params[1], Type: a.Type.Elem, Nullable: true}, sql: x},
	}}
	body := c.b.implicitCast(c.b.expr(merge.Body, sc), start.Type)
	if ducktype.Of(a.Type.Elem) != ducktype.Of(start.Type) {
		panic(sqlerror.Unsupported(c.name + " with an accumulator of another type than the elements"))
	}
	out := &Expr{
		SQL:      fmt.Sprintf("list_reduce(%s, lambda %s, %s: %s, %s)", a.SQL, acc, x, body.SQL, start.SQL),
		Type:     start.Type,
		Nullable: true,
	}
	if len(c.ast.Args) == 4 {
		finish, ok := c.ast.Args[3].(*syntax.Lambda)
		if !ok || len(finish.Params) != 1 {
			panic(sqlerror.Unsupported(c.name + " without a finishing lambda of one parameter"))
		}
		f := field{Column: Column{Name: finish.Params[0], Type: start.Type, Nullable: true}, sql: "(" + out.SQL + ")"}
		return c.b.expr(finish.Body, &scope{parent: c.sc, lambda: map[string]field{strings.ToLower(finish.Params[0]): f}})
	}
	return out
}
