package syntax

// call parses the arguments of a call, and FILTER and OVER after them.
func (p *parser) call(name []string) *Call {
	p.expectOp("(")
	return p.callArgs(&Call{Name: name})
}

func (p *parser) callArgs(c *Call) *Call {
	if p.accept("DISTINCT") {
		c.Distinct = true
	} else {
		p.accept("ALL")
	}
	for !p.acceptOp(")") {
		if len(c.Args) > 0 {
			p.expectOp(",")
		}
		c.Args = append(c.Args, p.argument())
		p.refuseNullTreatment()
	}
	if p.is("WITHIN", "GROUP") {
		p.i += 2
		p.expectOp("(")
		p.expect("ORDER", "BY")
		c.WithinGroup = p.orderItems()
		p.expectOp(")")
	}
	if p.is("FILTER") && p.isOpAt(1, "(") {
		p.i += 2
		p.expect("WHERE")
		c.Filter = p.expr()
		p.expectOp(")")
	}
	p.refuseNullTreatment()
	if p.accept("OVER") {
		if !p.isOp("(") {
			p.refuse("the WINDOW clause")
		}
		p.i++
		c.Over = p.windowSpec()
	}
	return c
}

func (p *parser) refuseNullTreatment() {
	if p.is("IGNORE", "NULLS") || p.is("RESPECT", "NULLS") {
		p.refuse(p.peek().Upper + " NULLS")
	}
}

// argument parses one argument: an expression, name => value, or a value with an
// alias, as in struct(a AS b).
func (p *parser) argument() Expr {
	if t := p.peek(); (t.Kind == Word || t.Kind == QuotedWord) && p.isOpAt(1, "=>") {
		p.i += 2
		return &Named{Name: t.Text, X: p.expr()}
	}
	x := p.expr()
	if p.accept("AS") {
		return &Aliased{X: x, Name: p.anyIdentifier()}
	}
	return x
}

func (p *parser) windowSpec() *Window {
	w := &Window{}
	if p.accept("PARTITION", "BY") || p.accept("DISTRIBUTE", "BY") {
		w.Partition = append(w.Partition, p.expr())
		for p.acceptOp(",") {
			w.Partition = append(w.Partition, p.expr())
		}
	}
	if p.accept("ORDER", "BY") || p.accept("SORT", "BY") {
		w.Order = p.orderItems()
	}
	if p.is("ROWS") || p.is("RANGE") {
		p.refuse("a window frame")
	}
	p.expectOp(")")
	return w
}

func (p *parser) orderItems() []OrderItem {
	var out []OrderItem
	for {
		out = append(out, p.orderTail(p.expr()))
		if !p.acceptOp(",") {
			return out
		}
	}
}

// orderTail parses ASC, DESC and NULLS. By default, NULL sorts as the least value.
func (p *parser) orderTail(x Expr) OrderItem {
	o := OrderItem{X: x}
	if p.acceptAny("ASC", "DESC") == "DESC" {
		o.Desc = true
	}
	o.NullsFirst = !o.Desc
	if p.accept("NULLS") {
		switch p.acceptAny("FIRST", "LAST") {
		case "FIRST":
			o.NullsFirst = true
		case "LAST":
			o.NullsFirst = false
		default:
			p.syntaxError("FIRST or LAST is expected")
		}
	}
	return o
}
