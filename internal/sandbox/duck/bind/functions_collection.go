package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/ducktype"
)

func init() {
	i := types.IntType
	register("struct", function{min: 1, max: -1, bind: bindStruct})
	register("named_struct", function{min: 2, max: -1, bind: bindNamedStruct})
	register("array", function{min: 0, max: -1, bind: bindArray})
	register("map", function{min: 0, max: -1, bind: bindMap})
	register("map_from_arrays", function{min: 2, max: 2, bind: func(c *call) *Expr {
		k, v := c.array(0), c.array(1)
		return &Expr{
			SQL:      fmt.Sprintf("map(%s, %s)", k.SQL, v.SQL),
			Type:     types.MapOf(k.Type.Elem, v.Type.Elem),
			Nullable: k.Nullable || v.Nullable,
		}
	}})
	register("map_from_entries", function{min: 1, max: 1, bind: func(c *call) *Expr {
		a := c.array(0)
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
		k := c.b.coerce(c.args[1], m.Type.Key)
		return &Expr{
			SQL:      fmt.Sprintf("list_contains(map_keys(%s), %s)", m.SQL, k.SQL),
			Type:     types.BooleanType,
			Nullable: m.Nullable || k.Nullable,
		}
	}})
	register("size cardinality", function{min: 1, max: 1, bind: func(c *call) *Expr { return c.size("-1") }})
	register("array_size", function{min: 1, max: 1, bind: func(c *call) *Expr { c.array(0); return c.size("") }})
	register("element_at", function{min: 2, max: 2, bind: bindElementAt})
	register("try_element_at", function{min: 2, max: 2, bind: func(c *call) *Expr {
		ansi := c.b.env.ANSI
		c.b.env.ANSI = false
		defer func() { c.b.env.ANSI = ansi }()
		return bindElementAt(c)
	}})
	register("get", function{min: 2, max: 2, bind: func(c *call) *Expr {
		a, n := c.array(0), c.b.coerce(c.args[1], i)
		return &Expr{
			SQL:      fmt.Sprintf("CASE WHEN %[2]s >= 0 THEN list_extract(%[1]s, %[2]s + 1) END", a.SQL, n.SQL),
			Type:     a.Type.Elem,
			Nullable: true,
		}
	}})
	register("array_contains", function{min: 2, max: 2, bind: func(c *call) *Expr {
		a := c.array(0)
		x := c.b.coerce(c.args[1], a.Type.Elem)
		return &Expr{SQL: fmt.Sprintf("list_contains(%s, %s)", a.SQL, x.SQL), Type: types.BooleanType, Nullable: true}
	}})
	register("array_position", function{min: 2, max: 2, bind: func(c *call) *Expr {
		a := c.array(0)
		x := c.b.coerce(c.args[1], a.Type.Elem)
		return &Expr{
			SQL:      fmt.Sprintf("CAST(coalesce(list_position(%s, %s), 0) AS BIGINT)", a.SQL, x.SQL),
			Type:     types.BigIntType,
			Nullable: a.Nullable,
		}
	}})
	for name, sql := range map[string]string{"array_sort": "list_sort(%s, 'ASC', 'NULLS LAST')", "array_compact": "list_filter(%s, lambda x: x IS NOT NULL)"} {
		register(name, function{min: 1, max: 1, bind: func(c *call) *Expr {
			a := c.array(0)
			return &Expr{SQL: fmt.Sprintf(sql, a.SQL), Type: a.Type, Nullable: a.Nullable}
		}})
	}
	register("sort_array", function{min: 1, max: 2, bind: func(c *call) *Expr {
		a, order := c.array(0), "'ASC', 'NULLS FIRST'"
		if len(c.args) == 2 && c.args[1].SQL == "FALSE" {
			order = "'DESC', 'NULLS LAST'"
		}
		return &Expr{SQL: fmt.Sprintf("list_sort(%s, %s)", a.SQL, order), Type: a.Type, Nullable: a.Nullable}
	}})
	register("slice", function{min: 3, max: 3, bind: func(c *call) *Expr {
		a, from, n := c.array(0), c.b.coerce(c.args[1], i), c.b.coerce(c.args[2], i)
		start := fmt.Sprintf("CASE WHEN %[1]s < 0 THEN len(%[2]s) + %[1]s + 1 ELSE %[1]s END", from.SQL, a.SQL)
		return &Expr{SQL: fmt.Sprintf("list_slice(%s, %s, %s + %s - 1)", a.SQL, start, start, n.SQL), Type: a.Type, Nullable: a.Nullable}
	}})
	register("flatten", function{min: 1, max: 1, bind: func(c *call) *Expr {
		a := c.array(0)
		if a.Type.Elem.Kind != types.Array {
			panic(c.mismatch(a, "ARRAY<ARRAY>"))
		}
		return &Expr{SQL: "flatten(" + a.SQL + ")", Type: a.Type.Elem, Nullable: true}
	}})
	register("array_join", function{min: 2, max: 3, bind: func(c *call) *Expr {
		a := c.b.widen(c.array(0), types.ArrayOf(types.StringType))
		sep := c.b.coerce(c.args[1], types.StringType)
		if len(c.args) == 3 {
			n := c.b.coerce(c.args[2], types.StringType)
			v := c.b.lambda()
			a.SQL = fmt.Sprintf("list_transform(%s, lambda %s: coalesce(%s, %s))", a.SQL, v, v, n.SQL)
		}
		return &Expr{
			SQL:      fmt.Sprintf("CASE WHEN len(%[1]s) = 0 THEN '' ELSE array_to_string(%[1]s, %[2]s) END", a.SQL, sep.SQL),
			Type:     types.StringType,
			Nullable: a.Nullable,
		}
	}})
	register("array_repeat", function{min: 2, max: 2, bind: func(c *call) *Expr {
		n := c.b.coerce(c.args[1], i)
		return &Expr{
			SQL:      fmt.Sprintf("list_transform(range(greatest(%s, 0)), lambda unused: %s)", n.SQL, c.args[0].SQL),
			Type:     types.ArrayOf(c.args[0].Type),
			Nullable: n.Nullable,
		}
	}})
	register("sequence", function{min: 2, max: 3, bind: bindSequence})
	register("transform", function{min: 2, max: 2, lambda: true, bind: func(c *call) *Expr {
		a, v, body := c.lambdaOver()
		return &Expr{
			SQL:      fmt.Sprintf("list_transform(%s, lambda %s: %s)", a.SQL, v, body.SQL),
			Type:     types.ArrayOf(body.Type),
			Nullable: a.Nullable,
		}
	}})
	register("filter", function{min: 2, max: 2, lambda: true, bind: func(c *call) *Expr {
		a, v, body := c.lambdaOver()
		return &Expr{
			SQL:      fmt.Sprintf("list_filter(%s, lambda %s: %s)", a.SQL, v, c.b.coerce(body, types.BooleanType).SQL),
			Type:     a.Type,
			Nullable: a.Nullable,
		}
	}})
	register("exists", function{min: 2, max: 2, lambda: true, bind: func(c *call) *Expr {
		a, v, body := c.lambdaOver()
		return &Expr{
			SQL:      fmt.Sprintf("list_bool_or(list_transform(%s, lambda %s: %s))", a.SQL, v, c.b.coerce(body, types.BooleanType).SQL),
			Type:     types.BooleanType,
			Nullable: true,
		}
	}})
	register("forall", function{min: 2, max: 2, lambda: true, bind: func(c *call) *Expr {
		a, v, body := c.lambdaOver()
		return &Expr{
			SQL: fmt.Sprintf(
				"coalesce(list_bool_and(list_transform(%s, lambda %s: %s)), TRUE)",
				a.SQL,
				v,
				c.b.coerce(body, types.BooleanType).SQL,
			),
			Type:     types.BooleanType,
			Nullable: true,
		}
	}})
}

func (c *call) mismatch(a *Expr, want string) error {
	return sqlerror.Mismatch(
		"Cannot resolve \"%s\" due to data type mismatch: The parameter requires the \"%s\" type, however \"%s\" has the type \"%s\".",
		pretty(c.ast),
		want,
		a.Name,
		a.Type,
	)
}

func (c *call) array(i int) *Expr {
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

// lambdaOver binds f(array, x -> body).
func (c *call) lambdaOver() (array *Expr, variable string, body *Expr) {
	c.args = []*Expr{c.b.expr(c.ast.Args[0], c.sc)}
	a := c.array(0)
	l, ok := c.ast.Args[1].(*syntax.Lambda)
	if !ok || len(l.Params) != 1 {
		panic(sqlerror.Unsupported(c.name + " without a lambda of one parameter"))
	}
	v := c.b.lambda()
	f := field{Column: Column{Name: l.Params[0], Type: a.Type.Elem, Nullable: true}, sql: v}
	return a, v, c.b.expr(l.Body, &scope{parent: c.sc, lambda: map[string]field{strings.ToLower(l.Params[0]): f}})
}

// bindStruct names members after their columns or aliases.
func bindStruct(c *call) *Expr {
	members := make([]member, len(c.args))
	stars := len(c.args) != len(c.ast.Args)
	for i, a := range c.args {
		name := fmt.Sprintf("col%d", i+1)
		if stars {
			name = a.Name
		} else {
			switch x := c.ast.Args[i].(type) {
			case *syntax.Star:
				name = a.Name
			case *syntax.Name, *syntax.Field, *syntax.Aliased:
				name = a.Name
			case *syntax.Named:
				name = x.Name
			}
		}
		members[i] = member{name, a}
	}
	return structOf(members)
}

func bindNamedStruct(c *call) *Expr {
	if len(c.args)%2 == 1 {
		panic(
			sqlerror.New(
				"WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
				"42605",
				"The `named_struct` requires 2n (n > 0) parameters but the actual number is %d.",
				len(c.args),
			),
		)
	}
	var members []member
	for i := 0; i < len(c.args); i += 2 {
		if c.args[i].text == nil || c.args[i].Type.Kind != types.String {
			panic(
				sqlerror.New(
					"DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING",
					"42K09",
					"Cannot resolve \"%s\" due to data type mismatch: Only foldable \"STRING\" expressions are allowed to appear at odd position.",
					pretty(c.ast),
				),
			)
		}
		members = append(members, member{*c.args[i].text, c.args[i+1]})
	}
	return structOf(members)
}

func structOf(members []member) *Expr {
	parts := make([]string, len(members))
	fields := make([]types.Field, len(members))
	seen := map[string]bool{}
	aggregate := false
	for i, m := range members {
		value := m.x.SQL
		if m.x.Type.Kind == types.Void {
			value = cast("NULL", types.IntType)
		}
		parts[i] = ducktype.Quote(m.name) + " := " + value
		fields[i] = types.Field{Name: m.name, Type: m.x.Type, NotNull: !m.x.Nullable}
		if seen[strings.ToLower(m.name)] {
			panic(sqlerror.Unsupported("a struct with two fields called " + quoting.Name(m.name)))
		}
		seen[strings.ToLower(m.name)] = true
		aggregate = aggregate || m.x.aggregate
	}
	return &Expr{
		SQL:       "struct_pack(" + strings.Join(parts, ", ") + ")",
		Type:      types.StructOf(fields...),
		members:   members,
		aggregate: aggregate,
	}
}

func bindArray(c *call) *Expr {
	t := c.b.unify(c.args)
	parts := make([]string, len(c.args))
	for i, a := range c.args {
		parts[i] = a.SQL
	}
	e := &Expr{SQL: "[" + strings.Join(parts, ", ") + "]", Type: types.ArrayOf(t)}
	e.SQL = cast(e.SQL, e.Type)
	return e
}

// bindMap keeps its literals, which to_json reads as options.
func bindMap(c *call) *Expr {
	if len(c.args)%2 == 1 {
		panic(
			sqlerror.New(
				"WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
				"42605",
				"The `map` requires 2n (n > 0) parameters but the actual number is %d.",
				len(c.args),
			),
		)
	}
	var keys, values []*Expr
	var members []member
	for i := 0; i < len(c.args); i += 2 {
		keys, values = append(keys, c.args[i]), append(values, c.args[i+1])
		name := ""
		if c.args[i].text != nil {
			name = *c.args[i].text
		}
		members = append(members, member{name, c.args[i+1]})
	}
	t := types.MapOf(c.b.unify(keys), c.b.unify(values))
	list := func(xs []*Expr, t *types.Type) string {
		parts := make([]string, len(xs))
		for i, x := range xs {
			parts[i] = x.SQL
		}
		return cast("["+strings.Join(parts, ", ")+"]", types.ArrayOf(t))
	}
	return &Expr{SQL: fmt.Sprintf("map(%s, %s)", list(keys, t.Key), list(values, t.Elem)), Type: t, members: members}
}

// size is an array's or map's length; otherwise is what NULL gives outside
// ANSI mode.
func (c *call) size(otherwise string) *Expr {
	a := c.args[0]
	sql := "len(" + a.SQL + ")"
	switch a.Type.Kind {
	case types.Array:
	case types.Map:
		sql = "cardinality(" + a.SQL + ")"
	default:
		panic(c.mismatch(a, "ARRAY or MAP"))
	}
	if otherwise != "" && !c.b.env.ANSI {
		sql = "coalesce(" + sql + ", " + otherwise + ")"
	}
	return &Expr{SQL: cast(sql, types.IntType), Type: types.IntType, Nullable: a.Nullable}
}

func bindElementAt(c *call) *Expr {
	a := c.args[0]
	if a.Type.Kind == types.Map {
		return c.b.element(a, c.args[1])
	}
	a = c.array(0)
	i := c.b.coerce(c.args[1], types.IntType)
	bad := fmt.Sprintf("(%[1]s = 0 OR abs(%[1]s) > len(%[2]s))", i.SQL, a.SQL)
	return c.b.arrayElement(
		a,
		i,
		fmt.Sprintf("list_extract(%s, %s)", a.SQL, i.SQL),
		bad,
		"INVALID_ARRAY_INDEX_IN_ELEMENT_AT",
		"The index ",
		" is out of bounds. The array has ",
	)
}

func bindSequence(c *call) *Expr {
	a, z := c.args[0], c.args[1]
	if a.Type.Temporal() {
		step := "to_days(1)"
		pair := []*Expr{a, z}
		t := c.b.unify(pair)
		if len(c.args) == 3 {
			if c.args[2].Type.Kind != types.Interval {
				panic(c.mismatch(c.args[2], "INTERVAL"))
			}
			step = c.args[2].SQL
		}
		at := types.ArrayOf(t)
		return &Expr{
			SQL: fmt.Sprintf(
				"CAST(generate_series(CAST(%s AS TIMESTAMP), CAST(%s AS TIMESTAMP), %s) AS %s)",
				pair[0].SQL,
				pair[1].SQL,
				step,
				ducktype.Of(at),
			),
			Type:     at,
			Nullable: a.Nullable || z.Nullable,
		}
	}
	pair := []*Expr{a, z}
	t := c.b.unify(pair)
	if !t.Integral() {
		panic(c.mismatch(a, "INTEGRAL"))
	}
	step := fmt.Sprintf("CASE WHEN %s <= %s THEN 1 ELSE -1 END", pair[0].SQL, pair[1].SQL)
	if len(c.args) == 3 {
		step = c.b.coerce(c.args[2], t).SQL
	}
	at := types.ArrayOf(t)
	return &Expr{
		SQL: fmt.Sprintf(
			"CAST(generate_series(CAST(%s AS BIGINT), CAST(%s AS BIGINT), CAST(%s AS BIGINT)) AS %s)",
			pair[0].SQL,
			pair[1].SQL,
			step,
			ducktype.Of(at),
		),
		Type:     at,
		Nullable: a.Nullable || z.Nullable,
	}
}
