package bind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

func init() {
	register("coalesce", function{min: 1, max: -1, bind: bindCoalesce})
	register("ifnull nvl", function{min: 2, max: 2, bind: bindCoalesce})
	register("nullif", function{min: 2, max: 2, bind: func(c *call) *Expr {
		eq := c.b.compare("=", c.args[0], c.args[1])
		return &Expr{SQL: fmt.Sprintf("CASE WHEN %s THEN NULL ELSE %s END", eq.SQL, c.args[0].SQL), Type: c.args[0].Type, Nullable: true}
	}})
	register("if", function{min: 3, max: 3, bind: func(c *call) *Expr {
		pair := []*Expr{c.args[1], c.args[2]}
		t := c.b.castToCommonType(pair)
		cond := c.b.implicitCast(c.args[0], types.BooleanType)
		return &Expr{
			SQL:      fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", cond.SQL, pair[0].SQL, pair[1].SQL),
			Type:     t,
			Nullable: anyNullable(pair),
		}
	}})
	constant := func(value func(e *Env) string) function {
		return function{bind: func(c *call) *Expr { return c.b.stringLiteral(value(c.b.env)) }}
	}
	register("current_catalog", constant(func(e *Env) string { return e.Catalog }))
	register("current_database current_schema", constant(func(e *Env) string { return e.Schema }))
	register("current_user session_user user", constant(func(e *Env) string { return e.User }))
	register("version", constant(func(*Env) string { return "4.0.0 sandbox" }))
	register("current_version", function{bind: func(c *call) *Expr {
		if c.b.env.Cluster {
			none := c.b.explicitCast(c.b.null(), types.StringType, false)
			return structOf([]member{{"dbr_version", c.b.stringLiteral("15.4.x-scala2.12")}, {"dbsql_version", none}})
		}
		return structOf([]member{{"dbr_version", c.b.null()}, {"dbsql_version", c.b.stringLiteral("2025.35")}})
	}})
}

func bindCoalesce(c *call) *Expr {
	if isText := func(a *Expr) bool { return a.Type.Kind == types.String }; !c.b.env.ANSI && slices.ContainsFunc(c.args, isText) {
		// Outside ANSI mode, the common type with a text is the text.
		for i, a := range c.args {
			if a.Type.Atomic() {
				c.args[i] = c.b.explicitCast(a, types.StringType, false)
			}
		}
	}
	t := c.b.castToCommonType(c.args)
	parts := make([]string, len(c.args))
	nullable := true
	for i, a := range c.args {
		parts[i] = a.SQL
		nullable = nullable && a.Nullable
	}
	return &Expr{SQL: "coalesce(" + strings.Join(parts, ", ") + ")", Type: t, Nullable: nullable}
}
