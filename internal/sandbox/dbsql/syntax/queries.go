package syntax

import "strings"

// query parses [WITH ...] body [ORDER BY] [LIMIT] [OFFSET].
func (p *parser) query() *Query {
	defer p.enterNested()()
	q := &Query{}
	if p.accept("WITH") {
		if p.is("RECURSIVE") && !p.isOpAt(1, "(") && p.peekAt(1).Upper != "AS" {
			p.syntaxError("recursive queries are not available in this sandbox")
		}
		for {
			c := CTE{Name: p.identifier()}
			if p.isOp("(") {
				c.Columns = p.nameList()
			}
			p.accept("AS")
			p.expectOp("(")
			c.Query = p.query()
			p.expectOp(")")
			q.With = append(q.With, c)
			if !p.acceptOp(",") {
				break
			}
		}
	}
	q.Body = p.setOps(0)
	p.queryTail(q)
	return q
}

func (p *parser) queryTail(q *Query) {
	for {
		switch {
		case q.Order == nil && (p.accept("ORDER", "BY") || p.accept("SORT", "BY")):
			if p.is("ALL") && !p.isOpAt(1, "(") && !p.isOpAt(1, ".") {
				p.refuse("ORDER BY ALL")
			}
			q.Order = p.orderItems()
		case q.Limit == nil && p.accept("LIMIT"):
			if p.accept("ALL") {
				continue
			}
			q.Limit = p.expr()
		case q.Offset == nil && p.accept("OFFSET"):
			q.Offset = p.expr()
		default:
			return
		}
	}
}

// setOps parses UNION, EXCEPT, MINUS (level 0) and INTERSECT (level 1).
func (p *parser) setOps(level int) QueryBody {
	operand := func() QueryBody {
		if level == 0 {
			return p.setOps(1)
		}
		return p.queryPrimary()
	}
	l := operand()
	for {
		op := ""
		if level == 1 {
			op = p.acceptAny("INTERSECT")
		} else {
			op = p.acceptAny("UNION", "EXCEPT", "MINUS")
		}
		if op == "" {
			return l
		}
		if op == "MINUS" {
			op = "EXCEPT"
		}
		s := &SetOp{Op: op, L: l}
		if p.accept("ALL") {
			s.All = true
		} else {
			p.accept("DISTINCT")
		}
		if p.is("BY", "NAME") {
			p.refuse("UNION BY NAME")
		}
		s.R = operand()
		l = s
	}
}

func (p *parser) queryPrimary() QueryBody {
	switch {
	case p.acceptOp("("):
		q := p.query()
		p.expectOp(")")
		return q
	case p.is("SELECT"):
		return p.selectBlock()
	case p.accept("VALUES"):
		return p.values()
	case p.accept("TABLE"):
		t := &TableName{Parts: p.name()}
		p.timeTravel(t)
		return &Select{Items: []SelectItem{{X: &Star{}}}, From: []TableExpr{t}}
	case p.is("FROM"):
		p.syntaxError("a query that begins with FROM is not available in this sandbox")
	}
	p.syntaxError("")
	return nil
}

func (p *parser) values() QueryBody {
	v := &Values{}
	for {
		// A row in parentheses parses as one expression: (1) is 1, (1, 2) is a struct.
		if p.isOp("(") && !p.startsQuery() {
			p.i++
			v.Rows = append(v.Rows, p.exprList())
		} else {
			v.Rows = append(v.Rows, []Expr{p.expr()})
		}
		if !p.acceptOp(",") {
			return v
		}
	}
}

func (p *parser) selectBlock() QueryBody {
	p.expect("SELECT")
	s := &Select{}
	if p.accept("DISTINCT") {
		s.Distinct = true
	} else {
		p.accept("ALL")
	}
	s.Items = p.selectItems()
	if p.accept("FROM") {
		s.From = append(s.From, p.tableExpr())
		for p.acceptOp(",") {
			s.From = append(s.From, p.tableExpr())
		}
		for p.is("LATERAL", "VIEW") {
			last := len(s.From) - 1
			s.From[last] = p.lateralView(s.From[last])
		}
	}
	if p.accept("WHERE") {
		s.Where = p.expr()
	}
	if p.accept("GROUP", "BY") {
		s.Group = p.groupBy()
	}
	if p.accept("HAVING") {
		s.Having = p.expr()
	}
	if p.is("WINDOW") {
		p.refuse("the WINDOW clause")
	}
	if p.accept("QUALIFY") {
		s.Qualify = p.expr()
	}
	return s
}

func (p *parser) selectItems() []SelectItem {
	var out []SelectItem
	for {
		item := SelectItem{X: p.expr()}
		switch t := p.peek(); {
		case p.accept("AS"):
			if p.isOp("(") {
				item.Aliases = p.nameList()
			} else {
				item.Alias = p.anyIdentifier()
			}
		case t.Kind == QuotedWord, t.Kind == Word && !reserved[t.Upper] && t.Upper != "MINUS":
			if t.Upper == "ORDER" || t.Upper == "SORT" {
				break
			}
			item.Alias = p.identifier()
		}
		out = append(out, item)
		if !p.acceptOp(",") {
			return out
		}
	}
}

func (p *parser) groupBy() *GroupBy {
	g := &GroupBy{}
	if p.is("ALL") && !p.isOpAt(1, "(") && !p.isOpAt(1, ".") && !p.isOpAt(1, ",") {
		p.i++
		g.All = true
		return g
	}
	for _, sets := range [][]string{{"ROLLUP"}, {"CUBE"}, {"GROUPING", "SETS"}} {
		if p.is(sets...) && p.isOpAt(len(sets), "(") {
			p.refuse(strings.Join(sets, " "))
		}
	}
	for {
		g.Keys = append(g.Keys, p.expr())
		if !p.acceptOp(",") {
			break
		}
	}
	if p.is("WITH", "ROLLUP") || p.is("WITH", "CUBE") {
		p.refuse("GROUP BY WITH " + p.peekAt(1).Upper)
	}
	return g
}

// tableExpr parses an item of FROM with its joins.
func (p *parser) tableExpr() TableExpr {
	t := p.tablePrimary()
	for {
		if p.is("NATURAL") {
			p.refuse("NATURAL JOIN")
		}
		kind := ""
		switch {
		case p.accept("CROSS"):
			kind = "CROSS"
		case p.accept("INNER"):
			kind = "INNER"
		case p.accept("LEFT", "SEMI"), p.accept("SEMI"):
			kind = "LEFT SEMI"
		case p.accept("LEFT", "ANTI"), p.accept("ANTI"):
			kind = "LEFT ANTI"
		case p.is("LEFT") || p.is("RIGHT") || p.is("FULL"):
			kind = p.next().Upper
			p.accept("OUTER")
		case p.is("JOIN"):
			kind = "INNER"
		case p.is("LATERAL", "VIEW"):
			t = p.lateralView(t)
			continue
		default:
			return t
		}
		p.expect("JOIN")
		j := &Join{Kind: kind, L: t, R: p.tablePrimary()}
		switch {
		case p.accept("ON"):
			j.On = p.expr()
		case p.accept("USING"):
			j.Using = p.nameList()
		}
		t = j
	}
}

func (p *parser) tablePrimary() TableExpr {
	if p.is("LATERAL") {
		p.refuse("LATERAL in FROM")
	}
	if p.isOp("(") {
		if p.startsQuery() {
			p.i++
			q := p.query()
			p.expectOp(")")
			return &TableQuery{Query: q, Alias: p.alias()}
		}
		p.i++
		t := p.tableExpr()
		p.expectOp(")")
		return t
	}
	if p.is("VALUES") {
		p.i++
		q := &Query{Body: p.values()}
		return &TableQuery{Query: q, Alias: p.alias()}
	}
	parts := p.name()
	if p.acceptOp("(") {
		c := p.callArgs(&Call{Name: parts})
		return &TableFunction{Call: c, Alias: p.alias()}
	}
	t := &TableName{Parts: parts}
	p.timeTravel(t)
	t.Alias = p.alias()
	return t
}

// timeTravel parses [FOR] VERSION AS OF n.
func (p *parser) timeTravel(t *TableName) {
	start := p.i
	p.accept("FOR")
	switch {
	case p.accept("VERSION", "AS", "OF"), p.accept("SYSTEM_VERSION", "AS", "OF"):
		t.Version = p.operand()
	case p.is("TIMESTAMP", "AS", "OF"), p.is("SYSTEM_TIME", "AS", "OF"):
		p.refuse("TIMESTAMP AS OF")
	default:
		p.i = start
	}
}

// clauseWords may follow a table and are not its alias.
var clauseWords = map[string]bool{}

func init() {
	for w := range strings.FieldsSeq("ORDER SORT WINDOW MINUS TABLESAMPLE CLUSTER DISTRIBUTE VERSION FILEFORMAT WITH WHEN") {
		clauseWords[w] = true
	}
}

func (p *parser) alias() Alias {
	var a Alias
	t := p.peek()
	if p.accept("AS") {
		a.Name = p.identifier()
	} else if t.Kind == QuotedWord || t.Kind == Word && !reserved[t.Upper] && !clauseWords[t.Upper] {
		a.Name = p.identifier()
	}
	if a.Name != "" && p.isOp("(") {
		a.Columns = p.nameList()
	}
	return a
}

func (p *parser) lateralView(t TableExpr) TableExpr {
	p.i += 2
	v := &LateralView{X: t, Outer: p.accept("OUTER")}
	name := p.name()
	p.expectOp("(")
	v.Call = p.callArgs(&Call{Name: name})
	if t := p.peek(); t.Kind == QuotedWord || t.Kind == Word && !reserved[t.Upper] {
		v.Name = p.identifier()
	}
	if p.accept("AS") {
		v.Columns = append(v.Columns, p.identifier())
		for p.acceptOp(",") {
			v.Columns = append(v.Columns, p.identifier())
		}
	}
	return v
}
