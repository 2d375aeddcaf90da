package syntax

import "strings"

// expr parses an expression. The functions below follow the operators' precedence,
// lowest first.
func (p *parser) expr() Expr {
	defer p.enterNested()()
	if lambda := p.lambda(); lambda != nil {
		return lambda
	}
	return p.or()
}

// lambda parses x -> body or (x, y) -> body, or returns nil.
func (p *parser) lambda() Expr {
	t := p.peek()
	if (t.Kind == Word || t.Kind == QuotedWord) && p.isOpAt(1, "->") {
		p.i += 2
		return &Lambda{Params: []string{t.Text}, Body: p.expr()}
	}
	if !p.isOp("(") {
		return nil
	}
	n := 1
	var params []string
	for {
		t := p.peekAt(n)
		if t.Kind != Word && t.Kind != QuotedWord {
			return nil
		}
		params = append(params, t.Text)
		if p.isOpAt(n+1, ")") {
			break
		}
		if !p.isOpAt(n+1, ",") {
			return nil
		}
		n += 2
	}
	if !p.isOpAt(n+2, "->") {
		return nil
	}
	p.i += n + 3
	return &Lambda{Params: params, Body: p.expr()}
}

func (p *parser) or() Expr {
	x := p.and()
	for p.accept("OR") {
		x = &Binary{Op: "OR", L: x, R: p.and()}
	}
	return x
}

func (p *parser) and() Expr {
	x := p.not()
	for p.accept("AND") {
		x = &Binary{Op: "AND", L: x, R: p.not()}
	}
	return x
}

func (p *parser) not() Expr {
	if p.is("NOT") || p.isOp("!") {
		defer p.enterNested()()
		p.i++
		return &Unary{Op: "NOT", X: p.not()}
	}
	return p.predicate()
}

// predicate parses comparisons, IS, IN, BETWEEN and LIKE.
func (p *parser) predicate() Expr {
	x := p.operand()
	for {
		t := p.peek()
		if t.Kind == Op {
			op := t.Text
			switch op {
			case "=", "==", "<", ">", "<=", ">=", "<>", "!=", "<=>":
				p.i++
				if op == "==" {
					op = "="
				}
				if op == "!=" {
					op = "<>"
				}
				x = &Binary{Op: op, L: x, R: p.operand()}
				continue
			}
			return x
		}
		if p.accept("IS") {
			x = p.isPredicate(x)
			continue
		}
		y := p.negatablePredicate(x)
		if y == nil {
			return x
		}
		x = y
	}
}

func (p *parser) isPredicate(x Expr) Expr {
	not := p.accept("NOT")
	if p.accept("DISTINCT", "FROM") {
		y := &Binary{Op: "<=>", L: x, R: p.operand()}
		if not {
			return y
		}
		return &Unary{Op: "NOT", X: y}
	}
	what := p.acceptAny("NULL", "TRUE", "FALSE", "UNKNOWN")
	if what == "" {
		p.syntaxError("")
	}
	return &Is{X: x, Value: what, Not: not}
}

// negatablePredicate parses [NOT] IN, BETWEEN and LIKE, or returns nil.
func (p *parser) negatablePredicate(x Expr) Expr {
	start := p.i
	not := p.accept("NOT") || p.acceptOp("!")
	switch {
	case p.accept("IN"):
		return p.in(x, not)
	case p.accept("BETWEEN"):
		low := p.operand()
		p.expect("AND")
		return &Between{X: x, Low: low, High: p.operand(), Not: not}
	}
	op := p.acceptAny("LIKE", "ILIKE", "RLIKE", "REGEXP")
	if op == "" {
		p.i = start
		return nil
	}
	if op == "REGEXP" {
		op = "RLIKE"
	}
	l := &Like{Op: op, X: x, Not: not, Escape: `\`}
	if q := p.acceptAny("ANY", "SOME", "ALL"); q != "" {
		p.refuse(op + " " + q)
	}
	l.Pattern = p.operand()
	if p.accept("ESCAPE") {
		l.Escape = p.stringLiteral()
	}
	return l
}

func (p *parser) in(x Expr, not bool) Expr {
	p.expectOp("(")
	if p.startsQuery() {
		q := p.query()
		p.expectOp(")")
		return &In{X: x, Query: q, Not: not}
	}
	return &In{X: x, List: p.exprList(), Not: not}
}

// exprList parses expressions up to the closing parenthesis.
func (p *parser) exprList() []Expr {
	var out []Expr
	for {
		out = append(out, p.expr())
		if p.acceptOp(")") {
			return out
		}
		p.expectOp(",")
	}
}

// operand parses what stands beside a comparison.
func (p *parser) operand() Expr {
	x := p.additive()
	if t := p.peek(); t.Kind == Op && (t.Text == "|" || t.Text == "^" || t.Text == "&") {
		p.refuse("the operator " + t.Text)
	}
	return x
}

func (p *parser) additive() Expr {
	x := p.multiplicative()
	for {
		t := p.peek()
		if t.Kind != Op || t.Text != "+" && t.Text != "-" && t.Text != "||" {
			return x
		}
		p.i++
		x = &Binary{Op: t.Text, L: x, R: p.multiplicative()}
	}
}

func (p *parser) multiplicative() Expr {
	x := p.unary()
	for {
		t := p.peek()
		switch {
		case t.Kind == Op && (t.Text == "*" || t.Text == "/" || t.Text == "%"):
			p.i++
			x = &Binary{Op: t.Text, L: x, R: p.unary()}
		case p.accept("DIV"):
			x = &Binary{Op: "DIV", L: x, R: p.unary()}
		default:
			return x
		}
	}
}

func (p *parser) unary() Expr {
	if p.isOp("~") {
		p.refuse("the operator ~")
	}
	for _, op := range []string{"-", "+"} {
		if p.acceptOp(op) {
			defer p.enterNested()()
			// The sign is part of the literal: otherwise -9223372036854775808 overflows.
			if n := p.peek(); op == "-" && n.Kind == Number && !p.isOpAt(1, "::") {
				p.i++
				return p.postfix(Num{Text: "-" + n.Upper})
			}
			return &Unary{Op: op, X: p.unary()}
		}
	}
	return p.postfix(p.primary())
}

// postfix parses fields, indexes and casts after a primary expression.
func (p *parser) postfix(x Expr) Expr {
	for {
		switch {
		case p.isOp("."):
			p.i++
			if n, ok := x.(*Name); ok {
				if p.acceptOp("*") {
					x = p.starExcept(&Star{Qualifier: n.Parts})
					return x
				}
				n.Parts = append(n.Parts, p.anyIdentifier())
				continue
			}
			x = &Field{X: x, Name: p.anyIdentifier()}
		case p.acceptOp("["):
			i := p.expr()
			p.expectOp("]")
			x = &Index{X: x, I: i}
		case p.acceptOp("::"):
			x = &Cast{X: x, Type: p.dataType()}
		default:
			n, ok := x.(*Name)
			if !ok || !p.isOp("(") {
				return x
			}
			x = p.call(n.Parts)
		}
	}
}

func (p *parser) starExcept(s *Star) *Star {
	if p.is("EXCEPT") && p.isOpAt(1, "(") {
		p.i += 2
		for {
			parts := []string{p.anyIdentifier()}
			for p.acceptOp(".") {
				parts = append(parts, p.anyIdentifier())
			}
			s.Except = append(s.Except, parts)
			if p.acceptOp(")") {
				break
			}
			p.expectOp(",")
		}
	}
	return s
}

// startsQuery reports whether a query begins at the next token.
func (p *parser) startsQuery() bool {
	n := 0
	for p.isOpAt(n, "(") {
		n++
	}
	t := p.peekAt(n)
	if t.Kind != Word {
		return false
	}
	switch t.Upper {
	case "SELECT", "VALUES", "FROM":
		return true
	case "WITH":
		return true
	case "TABLE":
		return n == 0 || !strings.EqualFold(p.peekAt(n+1).Text, "(")
	}
	return false
}
