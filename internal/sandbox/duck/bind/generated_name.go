package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
)

// generatedName returns the name that Databricks gives a column without an alias.
func generatedName(x syntax.Expr) string {
	switch x := x.(type) {
	case syntax.Null:
		return "NULL"
	case syntax.Bool:
		if x.Value {
			return "true"
		}
		return "false"
	case syntax.Str:
		return x.Value
	case syntax.Num:
		return strings.TrimRight(x.Text, "LSYFDB")
	case syntax.Bytes:
		return fmt.Sprintf("X'%X'", x.Value)
	case syntax.Typed:
		return x.Type.String() + " '" + x.Value + "'"
	case *syntax.Name:
		return x.Parts[len(x.Parts)-1]
	case *syntax.Star:
		return "1"
	case *syntax.Unary:
		if x.Op == "NOT" {
			return "(NOT " + generatedName(x.X) + ")"
		}
		return "(" + x.Op + " " + generatedName(x.X) + ")"
	case *syntax.Binary:
		if x.Op == "||" {
			return "concat(" + generatedName(x.L) + ", " + generatedName(x.R) + ")"
		}
		if x.Op == "<>" {
			return "(NOT (" + generatedName(x.L) + " = " + generatedName(x.R) + "))"
		}
		op := x.Op
		if op == "DIV" {
			op = "div"
		}
		return "(" + generatedName(x.L) + " " + op + " " + generatedName(x.R) + ")"
	case *syntax.Call:
		return nameOfCall(x)
	case *syntax.Cast:
		name := "CAST("
		if x.Try {
			name = "TRY_CAST("
		}
		return name + generatedName(x.X) + " AS " + x.Type.String() + ")"
	case *syntax.Case:
		return nameOfCase(x)
	case *syntax.In:
		s := "(" + generatedName(x.X) + " IN (" + nameOfList(x.List) + "))"
		if x.Query != nil {
			s = "(" + generatedName(x.X) + " IN (listquery()))"
		}
		return withNot(s, x.Not)
	case *syntax.Between:
		return withNot("between("+nameOfList([]syntax.Expr{x.X, x.Low, x.High})+")", x.Not)
	case *syntax.Like:
		if x.Op == "LIKE" {
			return withNot(generatedName(x.X)+" LIKE "+generatedName(x.Pattern), x.Not)
		}
		return withNot(x.Op+"("+generatedName(x.X)+", "+generatedName(x.Pattern)+")", x.Not)
	case *syntax.Is:
		if x.Value == "NULL" {
			not := ""
			if x.Not {
				not = "NOT "
			}
			return "(" + generatedName(x.X) + " IS " + not + "NULL)"
		}
		return withNot("("+generatedName(x.X)+" IS "+x.Value+")", x.Not)
	case *syntax.Exists:
		return "exists()"
	case *syntax.Subquery:
		return "scalarsubquery()"
	case *syntax.Field:
		return generatedName(x.X) + "." + x.Name
	case *syntax.Index:
		return generatedName(x.X) + "[" + generatedName(x.I) + "]"
	case *syntax.Aliased:
		return generatedName(x.X) + " AS " + x.Name
	case *syntax.Lambda:
		return "lambdafunction(" + generatedName(x.Body) + ")"
	case *syntax.Named:
		return x.Name + " => " + generatedName(x.X)
	case *syntax.Interval:
		var parts []string
		for i, v := range x.Values {
			parts = append(parts, "INTERVAL '"+generatedName(v)+"' "+x.Units[i])
		}
		return strings.Join(parts, " + ")
	case *syntax.Param:
		return ":" + x.Name
	}
	return "expr"
}

func withNot(s string, not bool) string {
	if not {
		return "(NOT " + s + ")"
	}
	return s
}

func nameOfList(xs []syntax.Expr) string {
	parts := make([]string, len(xs))
	for i, x := range xs {
		parts[i] = generatedName(x)
	}
	return strings.Join(parts, ", ")
}

func nameOfCall(x *syntax.Call) string {
	name := strings.ToLower(x.Name[len(x.Name)-1])
	args := nameOfList(x.Args)
	if x.Distinct {
		args = "DISTINCT " + args
	}
	s := name + "(" + args + ")"
	if x.Filter != nil {
		s += " FILTER (WHERE " + generatedName(x.Filter) + ")"
	}
	if x.Over != nil {
		s += " OVER (" + nameOfWindow(x.Over) + ")"
	}
	return s
}

func nameOfWindow(w *syntax.Window) string {
	var parts []string
	if len(w.Partition) > 0 {
		parts = append(parts, "PARTITION BY "+nameOfList(w.Partition))
	}
	if len(w.Order) > 0 {
		keys := make([]string, len(w.Order))
		for i, o := range w.Order {
			dir, nulls := "ASC", "NULLS LAST"
			if o.Desc {
				dir = "DESC"
			}
			if o.NullsFirst {
				nulls = "NULLS FIRST"
			}
			keys[i] = generatedName(o.X) + " " + dir + " " + nulls
		}
		parts = append(parts, "ORDER BY "+strings.Join(keys, ", "))
	}
	return strings.Join(parts, " ")
}

func nameOfCase(x *syntax.Case) string {
	var s strings.Builder
	s.WriteString("CASE")
	for _, w := range x.Whens {
		cond := generatedName(w.Cond)
		if x.Operand != nil {
			cond = "(" + generatedName(x.Operand) + " = " + cond + ")"
		}
		s.WriteString(" WHEN " + cond + " THEN " + generatedName(w.Then))
	}
	if x.Else != nil {
		s.WriteString(" ELSE " + generatedName(x.Else))
	}
	return s.String() + " END"
}

// Describe returns an expression as text for a table's history; empty for nil.
func Describe(x syntax.Expr) string {
	if x == nil {
		return ""
	}
	return generatedName(x)
}
