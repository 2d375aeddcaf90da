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

// bindStruct binds struct(...), whose fields are named after columns or aliases.
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
					generatedName(c.ast),
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
		value := m.expr.SQL
		if m.expr.Type.Kind == types.Void {
			value = cast("NULL", types.IntType)
		}
		parts[i] = ducktype.Quote(m.name) + " := " + value
		fields[i] = types.Field{Name: m.name, Type: m.expr.Type, NotNull: !m.expr.Nullable}
		if seen[strings.ToLower(m.name)] {
			panic(sqlerror.NotOnDuckDB("a struct with two fields called " + quoting.Name(m.name)))
		}
		seen[strings.ToLower(m.name)] = true
		aggregate = aggregate || m.expr.aggregate
	}
	return &Expr{
		SQL:       "struct_pack(" + strings.Join(parts, ", ") + ")",
		Type:      types.StructOf(fields...),
		members:   members,
		aggregate: aggregate,
	}
}

func bindArray(c *call) *Expr {
	t := c.b.castToCommonType(c.args)
	parts := make([]string, len(c.args))
	for i, a := range c.args {
		parts[i] = a.SQL
	}
	e := &Expr{SQL: "[" + strings.Join(parts, ", ") + "]", Type: types.ArrayOf(t)}
	e.SQL = cast(e.SQL, e.Type)
	return e
}

// bindMap binds map(...). It keeps the entries, since to_json reads them as options.
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
	t := types.MapOf(c.b.castToCommonType(keys), c.b.castToCommonType(values))
	list := func(xs []*Expr, t *types.Type) string {
		parts := make([]string, len(xs))
		for i, x := range xs {
			parts[i] = x.SQL
		}
		return cast("["+strings.Join(parts, ", ")+"]", types.ArrayOf(t))
	}
	return &Expr{SQL: fmt.Sprintf("map(%s, %s)", list(keys, t.Key), list(values, t.Elem)), Type: t, members: members}
}

// bindSize binds the length of an array or map. Outside of ANSI mode, that of NULL is -1.
func bindSize(c *call) *Expr {
	a := c.args[0]
	sql := "len(" + a.SQL + ")"
	switch a.Type.Kind {
	case types.Array:
	case types.Map:
		sql = "cardinality(" + a.SQL + ")"
	default:
		panic(c.mismatch(a, "ARRAY or MAP"))
	}
	if !c.b.env.ANSI {
		sql = "coalesce(" + sql + ", -1)"
	}
	return &Expr{SQL: cast(sql, types.IntType), Type: types.IntType, Nullable: a.Nullable}
}

func bindElementAt(c *call) *Expr {
	a := c.args[0]
	if a.Type.Kind == types.Map {
		return c.b.element(a, c.args[1])
	}
	a = c.arrayArgument(0)
	i := c.b.implicitCast(c.args[1], types.IntType)
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

// bindSequence binds sequence(from, to [, step]) of whole numbers.
func bindSequence(c *call) *Expr {
	pair := []*Expr{c.args[0], c.args[1]}
	t := c.b.castToCommonType(pair)
	if !t.Integral() {
		panic(sqlerror.NotOnDuckDB("sequence of other values than whole numbers"))
	}
	step := fmt.Sprintf("CASE WHEN %s <= %s THEN 1 ELSE -1 END", pair[0].SQL, pair[1].SQL)
	if len(c.args) == 3 {
		step = c.b.implicitCast(c.args[2], t).SQL
	}
	sql := fmt.Sprintf("generate_series(CAST(%s AS BIGINT), CAST(%s AS BIGINT), CAST(%s AS BIGINT))", pair[0].SQL, pair[1].SQL, step)
	return &Expr{SQL: cast(sql, types.ArrayOf(t)), Type: types.ArrayOf(t), Nullable: anyNullable(pair)}
}
