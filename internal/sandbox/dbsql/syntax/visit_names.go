package syntax

// VisitNames calls f for every column name in an expression, except in subqueries,
// and reports whether the expression contains a star.
func VisitNames(x Expr, f func(parts []string)) (star bool) {
	walk := func(xs ...Expr) {
		for _, x := range xs {
			if x != nil && VisitNames(x, f) {
				star = true
			}
		}
	}
	switch x := x.(type) {
	case *Name:
		f(x.Parts)
	case *Star:
		return true
	case *Unary:
		walk(x.X)
	case *Binary:
		walk(x.L, x.R)
	case *Call:
		walk(x.Args...)
		walk(x.Filter)
	case *Cast:
		walk(x.X)
	case *Case:
		walk(x.Operand, x.Else)
		for _, w := range x.Whens {
			walk(w.Cond, w.Then)
		}
	case *In:
		walk(x.X)
		walk(x.List...)
	case *Between:
		walk(x.X, x.Low, x.High)
	case *Like:
		walk(x.X, x.Pattern)
	case *Is:
		walk(x.X)
	case *Lambda:
		walk(x.Body)
	case *Field:
		walk(x.X)
	case *Index:
		walk(x.X, x.I)
	case *Named:
		walk(x.X)
	case *Aliased:
		walk(x.X)
	case *Interval:
		walk(x.Values...)
	}
	return star
}
