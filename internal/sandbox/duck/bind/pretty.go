package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
)

// pretty is the name that Databricks gives a column without an alias.
func pretty(x syntax.Expr) string {
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
			return "(NOT " + pretty(x.X) + ")"
		}
		return "(" + x.Op + " " + pretty(x.X) + ")"
	case *syntax.Binary:
		if x.Op == "||" {
			return "concat(" + pretty(x.L) + ", " + pretty(x.R) + ")"
		}
		if x.Op == "<>" {
			return "(NOT (" + pretty(x.L) + " = " + pretty(x.R) + "))"
		}
		op := x.Op
		if op == "DIV" {
			op = "div"
		}
		return "(" + pretty(x.L) + " " + op + " " + pretty(x.R) + ")"
	case *syntax.Call:
		return prettyCall(x)
	case *syntax.Cast:
		name := "CAST("
		if x.Try {
			name = "TRY_CAST("
		}
		return name + pretty(x.X) + " AS " + x.Type.String() + ")"
	case *syntax.Case:
		return prettyCase(x)
	case *syntax.In:
		s := "(" + pretty(x.X) + " IN (" + prettyList(x.List) + "))"
		if x.Query != nil {
			s = "(" + pretty(x.X) + " IN (listquery()))"
		}
		return negated(s, x.Not)
	case *syntax.Between:
		return negated("between("+prettyList([]syntax.Expr{x.X, x.Low, x.High})+")", x.Not)
	case *syntax.Like:
		if x.Op == "LIKE" && x.Quantifier == "" {
			return negated(pretty(x.X)+" LIKE "+pretty(x.Patterns[0]), x.Not)
		}
		return negated(strings.ToUpper(x.Op)+"("+pretty(x.X)+", "+prettyList(x.Patterns)+")", x.Not)
	case *syntax.Is:
		if x.What == "NULL" {
			not := ""
			if x.Not {
				not = "NOT "
			}
			return "(" + pretty(x.X) + " IS " + not + "NULL)"
		}
		return negated("("+pretty(x.X)+" IS "+x.What+")", x.Not)
	case *syntax.Exists:
		return "exists()"
	case *syntax.Subquery:
		return "scalarsubquery()"
	case *syntax.Field:
		return pretty(x.X) + "." + x.Name
	case *syntax.Index:
		return pretty(x.X) + "[" + pretty(x.I) + "]"
	case *syntax.Aliased:
		return pretty(x.X) + " AS " + x.Name
	case *syntax.Lambda:
		return "lambdafunction(" + pretty(x.Body) + ")"
	case *syntax.Named:
		return x.Name + " => " + pretty(x.X)
	case *syntax.Interval:
		var parts []string
		for i, v := range x.Values {
			parts = append(parts, "INTERVAL '"+pretty(v)+"' "+x.Units[i])
		}
		return strings.Join(parts, " + ")
	case *syntax.Param:
		return ":" + x.Name
	}
	return "expr"
}

func negated(s string, not bool) string {
	if not {
		return "(NOT " + s + ")"
	}
	return s
}

func prettyList(xs []syntax.Expr) string {
	parts := make([]string, len(xs))
	for i, x := range xs {
		parts[i] = pretty(x)
	}
	return strings.Join(parts, ", ")
}

func prettyCall(x *syntax.Call) string {
	name := strings.ToLower(x.Name[len(x.Name)-1])
	args := prettyList(x.Args)
	if x.Distinct {
		args = "DISTINCT " + args
	}
	s := name + "(" + args + ")"
	if x.Filter != nil {
		s += " FILTER (WHERE " + pretty(x.Filter) + ")"
	}
	if x.Over != nil {
		s += " OVER (" + prettyWindow(x.Over) + ")"
	}
	return s
}

func prettyWindow(w *syntax.Window) string {
	var parts []string
	if len(w.Partition) > 0 {
		parts = append(parts, "PARTITION BY "+prettyList(w.Partition))
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
			keys[i] = pretty(o.X) + " " + dir + " " + nulls
		}
		parts = append(parts, "ORDER BY "+strings.Join(keys, ", "))
	}
	return strings.Join(parts, " ")
}

func prettyCase(x *syntax.Case) string {
	var s strings.Builder
	s.WriteString("CASE")
	for _, w := range x.Whens {
		cond := pretty(w.Cond)
		if x.Operand != nil {
			cond = "(" + pretty(x.Operand) + " = " + cond + ")"
		}
		s.WriteString(" WHEN " + cond + " THEN " + pretty(w.Then))
	}
	if x.Else != nil {
		s.WriteString(" ELSE " + pretty(x.Else))
	}
	return s.String() + " END"
}

// Describe is an expression as text, for a table's history; empty for nil.
func Describe(x syntax.Expr) string {
	if x == nil {
		return ""
	}
	return pretty(x)
}
