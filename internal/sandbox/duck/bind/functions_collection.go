package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

func init() {
	i := types.IntType
	register("struct", function{min: 1, max: -1, bind: bindStruct})
	register("named_struct", function{min: 2, max: -1, bind: bindNamedStruct})
	register("array", function{min: 0, max: -1, bind: bindArray})
	register("map", function{min: 0, max: -1, bind: bindMap})
	register("map_from_arrays", function{min: 2, max: 2, bind: func(c *call) *Expr {
		k, v := c.arrayArgument(0), c.arrayArgument(1)
		return &Expr{
			SQL:      fmt.Sprintf("map(%s, %s)", k.SQL, v.SQL),
			Type:     types.MapOf(k.Type.Elem, v.Type.Elem),
			Nullable: k.Nullable || v.Nullable,
		}
	}})
	register("map_from_entries", function{min: 1, max: 1, bind: func(c *call) *Expr {
		a := c.arrayArgument(0)
		if a.Type.Elem.Kind != types.Struct || len(a.Type.Elem.Fields) != 2 {
			panic(c.mismatch(a, "ARRAY<STRUCT<k, v>>"))
		}
		return &Expr{
			SQL:      "map_from_entries(" + a.SQL + ")",
			Type:     types.MapOf(a.Type.Elem.Fields[0].Type, a.Type.Elem.Fields[1].Type),
			Nullable: a.Nullable,
		}
	}})
	register("map_keys", function{min: 1, max: 1, bind: func(c *call) *Expr {
		m := c.mapArgument()
		return &Expr{SQL: "map_keys(" + m.SQL + ")", Type: types.ArrayOf(m.Type.Key), Nullable: m.Nullable}
	}})
	register("map_values", function{min: 1, max: 1, bind: func(c *call) *Expr {
		m := c.mapArgument()
		return &Expr{SQL: "map_values(" + m.SQL + ")", Type: types.ArrayOf(m.Type.Elem), Nullable: m.Nullable}
	}})
	register("map_entries", function{min: 1, max: 1, bind: func(c *call) *Expr {
		m := c.mapArgument()
		t := types.StructOf(types.Field{Name: "key", Type: m.Type.Key, NotNull: true}, types.Field{Name: "value", Type: m.Type.Elem})
		return &Expr{SQL: "map_entries(" + m.SQL + ")", Type: types.ArrayOf(t), Nullable: m.Nullable}
	}})
	register("map_contains_key", function{min: 2, max: 2, bind: func(c *call) *Expr {
		m := c.mapArgument()
		k := c.b.implicitCast(c.args[1], m.Type.Key)
		return &Expr{
			SQL:      fmt.Sprintf("list_contains(map_keys(%s), %s)", m.SQL, k.SQL),
			Type:     types.BooleanType,
			Nullable: m.Nullable || k.Nullable,
		}
	}})
	register("size cardinality", function{min: 1, max: 1, bind: func(c *call) *Expr { return c.size("-1") }})
	register("array_size", function{min: 1, max: 1, bind: func(c *call) *Expr { c.arrayArgument(0); return c.size("") }})
	register("element_at", function{min: 2, max: 2, bind: bindElementAt})
	register("try_element_at", function{min: 2, max: 2, bind: func(c *call) *Expr {
		ansi := c.b.env.ANSI
		c.b.env.ANSI = false
		defer func() { c.b.env.ANSI = ansi }()
		return bindElementAt(c)
	}})
	register("get", function{min: 2, max: 2, bind: func(c *call) *Expr {
		a, n := c.arrayArgument(0), c.b.implicitCast(c.args[1], i)
		return &Expr{
			SQL:      fmt.Sprintf("CASE WHEN %[2]s >= 0 THEN list_extract(%[1]s, %[2]s + 1) END", a.SQL, n.SQL),
			Type:     a.Type.Elem,
			Nullable: true,
		}
	}})
	register("array_contains", function{min: 2, max: 2, bind: func(c *call) *Expr {
		a := c.arrayArgument(0)
		x := c.b.implicitCast(c.args[1], a.Type.Elem)
		return &Expr{SQL: fmt.Sprintf("list_contains(%s, %s)", a.SQL, x.SQL), Type: types.BooleanType, Nullable: true}
	}})
	register("array_position", function{min: 2, max: 2, bind: func(c *call) *Expr {
		a := c.arrayArgument(0)
		x := c.b.implicitCast(c.args[1], a.Type.Elem)
		return &Expr{
			SQL:      fmt.Sprintf("CAST(coalesce(list_position(%s, %s), 0) AS BIGINT)", a.SQL, x.SQL),
			Type:     types.BigIntType,
			Nullable: a.Nullable,
		}
	}})
	for name, sql := range map[string]string{"array_sort": "list_sort(%s, 'ASC', 'NULLS LAST')", "array_compact": "list_filter(%s, lambda x: x IS NOT NULL)"} {
		register(name, function{min: 1, max: 1, bind: func(c *call) *Expr {
			a := c.arrayArgument(0)
			return &Expr{SQL: fmt.Sprintf(sql, a.SQL), Type: a.Type, Nullable: a.Nullable}
		}})
	}
	register("sort_array", function{min: 1, max: 2, bind: func(c *call) *Expr {
		a, order := c.arrayArgument(0), "'ASC', 'NULLS FIRST'"
		if len(c.args) == 2 && c.args[1].SQL == "FALSE" {
			order = "'DESC', 'NULLS LAST'"
		}
		return &Expr{SQL: fmt.Sprintf("list_sort(%s, %s)", a.SQL, order), Type: a.Type, Nullable: a.Nullable}
	}})
	register("slice", function{min: 3, max: 3, bind: func(c *call) *Expr {
		a, from, n := c.arrayArgument(0), c.b.implicitCast(c.args[1], i), c.b.implicitCast(c.args[2], i)
		start := fmt.Sprintf("CASE WHEN %[1]s < 0 THEN len(%[2]s) + %[1]s + 1 ELSE %[1]s END", from.SQL, a.SQL)
		return &Expr{SQL: fmt.Sprintf("list_slice(%s, %s, %s + %s - 1)", a.SQL, start, start, n.SQL), Type: a.Type, Nullable: a.Nullable}
	}})
	register("flatten", function{min: 1, max: 1, bind: func(c *call) *Expr {
		a := c.arrayArgument(0)
		if a.Type.Elem.Kind != types.Array {
			panic(c.mismatch(a, "ARRAY<ARRAY>"))
		}
		return &Expr{SQL: "flatten(" + a.SQL + ")", Type: a.Type.Elem, Nullable: true}
	}})
	register("array_join", function{min: 2, max: 3, bind: func(c *call) *Expr {
		a := c.b.losslessCast(c.arrayArgument(0), types.ArrayOf(types.StringType))
		sep := c.b.implicitCast(c.args[1], types.StringType)
		if len(c.args) == 3 {
			n := c.b.implicitCast(c.args[2], types.StringType)
			v := c.b.newVariable()
			a.SQL = fmt.Sprintf("list_transform(%s, lambda %s: coalesce(%s, %s))", a.SQL, v, v, n.SQL)
		}
		return &Expr{
			SQL:      fmt.Sprintf("CASE WHEN len(%[1]s) = 0 THEN '' ELSE array_to_string(%[1]s, %[2]s) END", a.SQL, sep.SQL),
			Type:     types.StringType,
			Nullable: a.Nullable,
		}
	}})
	register("array_repeat", function{min: 2, max: 2, bind: func(c *call) *Expr {
		n := c.b.implicitCast(c.args[1], i)
		return &Expr{
			SQL:      fmt.Sprintf("list_transform(range(greatest(%s, 0)), lambda unused: %s)", n.SQL, c.args[0].SQL),
			Type:     types.ArrayOf(c.args[0].Type),
			Nullable: n.Nullable,
		}
	}})
	register("sequence", function{min: 2, max: 3, bind: bindSequence})
	register("transform", function{min: 2, max: 2, lambda: true, bind: func(c *call) *Expr {
		a, v, body := c.arrayLambda()
		return &Expr{
			SQL:      fmt.Sprintf("list_transform(%s, lambda %s: %s)", a.SQL, v, body.SQL),
			Type:     types.ArrayOf(body.Type),
			Nullable: a.Nullable,
		}
	}})
	register("filter", function{min: 2, max: 2, lambda: true, bind: func(c *call) *Expr {
		a, v, body := c.arrayLambda()
		return &Expr{
			SQL:      fmt.Sprintf("list_filter(%s, lambda %s: %s)", a.SQL, v, c.b.implicitCast(body, types.BooleanType).SQL),
			Type:     a.Type,
			Nullable: a.Nullable,
		}
	}})
	register("exists", function{min: 2, max: 2, lambda: true, bind: func(c *call) *Expr {
		a, v, body := c.arrayLambda()
		return &Expr{
			SQL:      fmt.Sprintf("list_bool_or(list_transform(%s, lambda %s: %s))", a.SQL, v, c.b.implicitCast(body, types.BooleanType).SQL),
			Type:     types.BooleanType,
			Nullable: true,
		}
	}})
	register("forall", function{min: 2, max: 2, lambda: true, bind: func(c *call) *Expr {
		a, v, body := c.arrayLambda()
		return &Expr{
			SQL: fmt.Sprintf(
				"coalesce(list_bool_and(list_transform(%s, lambda %s: %s)), TRUE)",
				a.SQL,
				v,
				c.b.implicitCast(body, types.BooleanType).SQL,
			),
			Type:     types.BooleanType,
			Nullable: true,
		}
	}})
}

func (c *call) mismatch(a *Expr, want string) error {
	return sqlerror.TypeMismatch(
		"Cannot resolve \"%s\" due to data type mismatch: The parameter requires the \"%s\" type, however \"%s\" has the type \"%s\".",
		generatedName(c.ast),
		want,
		a.Name,
		a.Type,
	)
}

func (c *call) arrayArgument(i int) *Expr {
	if c.args[i].Type.Kind != types.Array {
		panic(c.mismatch(c.args[i], "ARRAY"))
	}
	return c.args[i]
}

func (c *call) mapArgument() *Expr {
	if c.args[0].Type.Kind != types.Map {
		panic(c.mismatch(c.args[0], "MAP"))
	}
	return c.args[0]
}

// arrayLambda binds f(array, x -> body).
func (c *call) arrayLambda() (array *Expr, variable string, body *Expr) {
	c.args = []*Expr{c.b.expr(c.ast.Args[0], c.sc)}
	a := c.arrayArgument(0)
	l, ok := c.ast.Args[1].(*syntax.Lambda)
	if !ok || len(l.Params) != 1 {
		panic(sqlerror.Unsupported(c.name + " without a lambda of one parameter"))
	}
	v := c.b.newVariable()
	f := field{Column: Column{Name: l.Params[0], Type: a.Type.Elem, Nullable: true}, sql: v}
	return a, v, c.b.expr(l.Body, &scope{parent: c.sc, lambda: map[string]field{strings.ToLower(l.Params[0]): f}})
}
