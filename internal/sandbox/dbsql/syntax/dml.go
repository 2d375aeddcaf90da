package syntax

import "strings"

// insert parses INSERT INTO and INSERT OVERWRITE.
func (p *parser) insert() Statement {
	ins := &Insert{}
	switch {
	case p.accept("OVERWRITE"):
		ins.Overwrite = true
		p.accept("TABLE")
	case p.accept("INTO"):
		p.accept("TABLE")
	default:
		p.syntaxError("missing 'INTO'")
	}
	ins.Table = p.name()
	if p.is("REPLACE", "WHERE") {
		p.refuse("INSERT with REPLACE WHERE")
	}
	if p.accept("BY", "NAME") {
		ins.ByName = true
	} else if p.isOp("(") && !p.startsQuery() {
		ins.Columns = p.nameList()
		if p.accept("BY", "NAME") {
			p.i--
			p.syntaxError("BY NAME does not go with a list of columns")
		}
	}
	ins.Query = p.query()
	return ins
}

func (p *parser) optionalAlias() string {
	if p.accept("AS") {
		return p.identifier()
	}
	if t := p.peek(); t.Kind == QuotedWord || t.Kind == Word && !reserved[t.Upper] {
		return p.identifier()
	}
	return ""
}

func (p *parser) update() Statement {
	u := &Update{Table: p.name()}
	u.Alias = p.optionalAlias()
	p.expect("SET")
	u.Set = p.assignments()
	if p.accept("WHERE") {
		u.Where = p.expr()
	}
	return u
}

func (p *parser) assignments() []Assignment {
	var out []Assignment
	for {
		a := Assignment{Column: []string{p.anyIdentifier()}}
		for p.acceptOp(".") {
			a.Column = append(a.Column, p.anyIdentifier())
		}
		p.expectOp("=")
		if p.is("DEFAULT") && (p.isOpAt(1, ",") || p.peekAt(1).Kind == EOF) {
			a.Value = &Name{Parts: []string{p.next().Text}}
		} else {
			a.Value = p.expr()
		}
		out = append(out, a)
		if !p.acceptOp(",") {
			return out
		}
	}
}

func (p *parser) delete() Statement {
	p.expect("FROM")
	d := &Delete{Table: p.name()}
	d.Alias = p.optionalAlias()
	if p.accept("WHERE") {
		d.Where = p.expr()
	}
	return d
}

func (p *parser) merge() Statement {
	p.expect("INTO")
	m := &Merge{Table: p.name()}
	m.Alias = p.optionalAlias()
	p.expect("USING")
	m.Source = p.tablePrimary()
	p.expect("ON")
	m.On = p.expr()
	for p.accept("WHEN") {
		m.Clauses = append(m.Clauses, p.mergeClause())
	}
	if len(m.Clauses) == 0 {
		p.syntaxError("missing 'WHEN'")
	}
	return m
}

func (p *parser) mergeClause() MergeClause {
	var c MergeClause
	switch {
	case p.accept("MATCHED"):
		c.When = "MATCHED"
	case p.accept("NOT", "MATCHED", "BY", "SOURCE"):
		c.When = "NOT MATCHED BY SOURCE"
	case p.accept("NOT", "MATCHED"):
		p.accept("BY", "TARGET")
		c.When = "NOT MATCHED"
	default:
		p.syntaxError("")
	}
	if p.accept("AND") {
		c.Cond = p.expr()
	}
	p.expect("THEN")
	switch {
	case c.When != "NOT MATCHED" && p.accept("DELETE"):
		c.Do = "DELETE"
	case c.When != "NOT MATCHED" && p.accept("UPDATE", "SET"):
		c.Do = "UPDATE"
		if c.All = p.acceptOp("*"); !c.All {
			c.Set = p.assignments()
		}
	case c.When == "NOT MATCHED" && p.accept("INSERT"):
		c.Do = "INSERT"
		if c.All = p.acceptOp("*"); !c.All {
			c.Columns = p.nameList()
			p.expect("VALUES")
			p.expectOp("(")
			c.Values = p.exprList()
		}
	default:
		p.syntaxError("")
	}
	return c
}

// copyInto parses COPY INTO.
func (p *parser) copyInto() Statement {
	p.expect("INTO")
	c := &CopyInto{Table: p.name()}
	if p.isOp("(") {
		c.Columns = p.nameList()
	}
	if p.accept("BY", "POSITION") {
		p.i -= 2
		p.syntaxError("BY POSITION is not available in this sandbox")
	}
	p.expect("FROM")
	if p.acceptOp("(") {
		p.expect("SELECT")
		c.Items = p.selectItems()
		p.expect("FROM")
		c.Source = p.fileSource()
		if p.accept("AS") || p.peek().Kind == QuotedWord || p.peek().Kind == Word && !reserved[p.peek().Upper] {
			c.Source.Name = p.identifier()
		}
		p.expectOp(")")
	} else {
		c.Source = p.fileSource()
	}
	p.expect("FILEFORMAT")
	p.expectOp("=")
	c.Format = strings.ToUpper(p.anyIdentifier())
	for {
		switch {
		case p.accept("VALIDATE"):
			c.Validate = true
			if !p.accept("ALL") && p.peek().Kind == Number {
				p.i++
				p.expect("ROWS")
			}
		case p.accept("FILES"):
			p.expectOp("=")
			p.expectOp("(")
			for {
				c.Files = append(c.Files, p.stringLiteral())
				if p.acceptOp(")") {
					break
				}
				p.expectOp(",")
			}
		case p.accept("PATTERN"):
			p.expectOp("=")
			c.Pattern = p.stringLiteral()
		case p.accept("FORMAT_OPTIONS"):
			c.Options = p.properties()
		case p.accept("COPY_OPTIONS"):
			c.Copy = p.properties()
		default:
			return c
		}
	}
}

// fileSource parses 's3://...' [WITH (CREDENTIAL (...))].
func (p *parser) fileSource() *FileSource {
	f := &FileSource{URL: p.stringLiteral()}
	if !p.accept("WITH") {
		return f
	}
	p.expectOp("(")
	p.expect("CREDENTIAL")
	if !p.isOp("(") {
		// The name of a storage credential.
		f.Credential = map[string]string{"NAME": p.anyIdentifier()}
		p.expectOp(")")
		return f
	}
	f.Credential = map[string]string{}
	for _, kv := range p.properties() {
		f.Credential[strings.ToUpper(kv.Key)] = kv.Value
	}
	if p.accept("ENCRYPTION") {
		p.i--
		p.syntaxError("ENCRYPTION is not available in this sandbox")
	}
	p.expectOp(")")
	return f
}
