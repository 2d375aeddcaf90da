package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

func init() {
	register("struct", function{min: 1, max: -1, bind: bindStruct})
	register("named_struct", function{min: 2, max: -1, bind: bindNamedStruct})
	register("array", function{min: 0, max: -1, bind: bindArray})
	register("map", function{min: 0, max: -1, bind: bindMap})
	register("size", function{min: 1, max: 1, bind: bindSize})
	register("element_at", function{min: 2, max: 2, bind: bindElementAt})
	register("array_contains", function{min: 2, max: 2, bind: func(c *call) *Expr {
		a := c.arrayArgument(0)
		x := c.b.implicitCast(c.args[1], a.Type.Elem)
		// Without the element, an array with NULL gives NULL.
		sql := fmt.Sprintf("CASE WHEN list_contains(%[1]s, %[2]s) THEN TRUE "+
			"WHEN %[2]s IS NOT NULL AND len(%[1]s) = list_count(%[1]s) THEN FALSE END", a.SQL, x.SQL)
		return &Expr{SQL: sql, Type: types.BooleanType, Nullable: true}
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

// arrayLambda binds f(array, x -> body).
func (c *call) arrayLambda() (array *Expr, variable string, body *Expr) {
	c.args = []*Expr{c.b.expr(c.ast.Args[0], c.sc)}
	a := c.arrayArgument(0)
	l, ok := c.ast.Args[1].(*syntax.Lambda)
	if !ok || len(l.Params) != 1 {
		panic(sqlerror.NotOnDuckDB(c.name + " without a lambda of one parameter"))
	}
	v := c.b.newVariable()
	f := field{Column: Column{Name: l.Params[0], Type: a.Type.Elem, Nullable: true}, sql: v}
	return a, v, c.b.expr(l.Body, &scope{parent: c.sc, lambda: map[string]field{strings.ToLower(l.Params[0]): f}})
}
