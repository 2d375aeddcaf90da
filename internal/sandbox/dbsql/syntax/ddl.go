package syntax

import (
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
)

// create parses every statement that begins with CREATE.
func (p *parser) create() Statement {
	replace := p.accept("OR", "REPLACE")
	switch {
	case p.accept("TABLE"):
		return p.createTable(replace)
	case p.accept("TEMPORARY", "VIEW"), p.accept("TEMP", "VIEW"):
		return p.createView(replace, true)
	case p.accept("VIEW"):
		return p.createView(replace, false)
	case !replace && p.accept("CATALOG"):
		return p.createNamespace(true)
	case !replace && (p.accept("SCHEMA") || p.accept("DATABASE")):
		return p.createNamespace(false)
	}
	for _, what := range []string{"FUNCTION", "VOLUME", "MATERIALIZED", "STREAMING", "TEMPORARY", "TEMP", "GLOBAL", "EXTERNAL"} {
		if p.is(what) {
			panic(sqlerror.Unsupported("CREATE " + what))
		}
	}
	p.syntaxError("")
	return nil
}

func (p *parser) ifNotExists() bool { return p.accept("IF", "NOT", "EXISTS") }

func (p *parser) createNamespace(catalog bool) Statement {
	c := &CreateNamespace{Catalog: catalog, IfNotExists: p.ifNotExists(), Name: p.name()}
	if p.accept("COMMENT") {
		c.Comment = p.stringLiteral()
	}
	return c
}

func (p *parser) createTable(replace bool) Statement {
	c := &CreateTable{OrReplace: replace, IfNotExists: p.ifNotExists(), Name: p.name()}
	if p.isOp("(") && !p.startsQuery() {
		c.Columns, c.Keys = p.columnDefs(true)
	}
	for {
		switch {
		case p.accept("USING"):
			c.Using = p.identifier()
			if !strings.EqualFold(c.Using, "delta") {
				panic(sqlerror.Unsupported("USING " + strings.ToUpper(c.Using)))
			}
		case p.accept("COMMENT"):
			s := p.stringLiteral()
			c.Comment = &s
		case p.accept("TBLPROPERTIES"):
			c.Properties = append(c.Properties, p.properties()...)
		case p.accept("CLUSTER", "BY"):
			if p.accept("AUTO") || p.accept("NONE") {
				continue
			}
			c.Cluster = p.nameList()
		case p.accept("PARTITIONED", "BY"):
			c.Partition = p.nameList()
		case p.is("DEEP", "CLONE") || p.is("SHALLOW", "CLONE") || p.is("CLONE"):
			p.refuse("CLONE")
		case p.is("AS") || p.startsQuery():
			p.accept("AS")
			start := p.peek().Start
			c.As = p.query()
			c.Text = strings.TrimSpace(p.src[start:p.peek().Start])
			return c
		default:
			return c
		}
	}
}

// columnDefs parses the columns of a table, and if it is a new one also its keys.
func (p *parser) columnDefs(newTable bool) (columns []ColumnDef, keys []Key) {
	p.expectOp("(")
	if p.acceptOp(")") {
		return nil, nil
	}
	for {
		if key := p.newTableKey(newTable); key != nil {
			keys = append(keys, *key)
		} else {
			columns = append(columns, p.columnDef())
			if key := columns[len(columns)-1].Key; key != nil {
				keys = append(keys, *key)
			}
		}
		if p.acceptOp(")") {
			return columns, keys
		}
		p.expectOp(",")
	}
}

func (p *parser) newTableKey(newTable bool) *Key {
	if !newTable || !p.is("CONSTRAINT") && !p.is("PRIMARY", "KEY") && !p.is("FOREIGN", "KEY") {
		return nil
	}
	return p.tableKey()
}

func (p *parser) columnDef() ColumnDef {
	c := ColumnDef{Name: p.anyIdentifier(), Type: p.dataType()}
	for {
		switch {
		case p.accept("NOT", "NULL"):
			c.NotNull = true
		case p.accept("COMMENT"):
			c.Comment = p.stringLiteral()
		case p.accept("DEFAULT"):
			start := p.peek().Start
			c.Default = p.operand()
			c.DefaultText = strings.TrimSpace(p.src[start:p.peek().Start])
		case p.accept("FIRST"):
			c.First = true
		case p.accept("AFTER"):
			c.After = p.anyIdentifier()
		case p.is("GENERATED") || p.is("MASK"):
			panic(sqlerror.Unsupported("a column with " + p.peek().Upper))
		default:
			key := p.columnKey(c.Name)
			if key == nil {
				return c
			}
			c.Key = key
		}
	}
}

// properties parses ('a'='b', c.d = e).
func (p *parser) properties() []Property {
	p.expectOp("(")
	var out []Property
	if p.acceptOp(")") {
		return out
	}
	for {
		key := p.propertyKey()
		var value string
		if p.acceptOp("=") || p.peek().Kind != Op {
			value = p.propertyValue()
		}
		out = append(out, Property{Key: key, Value: value})
		if p.acceptOp(")") {
			return out
		}
		p.expectOp(",")
	}
}

func (p *parser) propertyKey() string {
	if p.peek().Kind == StringToken {
		return p.stringLiteral()
	}
	key := p.anyIdentifier()
	for p.acceptOp(".") {
		key += "." + p.anyIdentifier()
	}
	return key
}

func (p *parser) propertyValue() string {
	t := p.peek()
	switch {
	case t.Kind == StringToken:
		return p.stringLiteral()
	case t.Kind == Number:
		p.i++
		return t.Text
	case p.is("TRUE"), p.is("FALSE"):
		p.i++
		return strings.ToLower(t.Text)
	}
	p.syntaxError("a value is expected")
	return ""
}

func (p *parser) createView(replace, temporary bool) Statement {
	c := &CreateView{OrReplace: replace, Temporary: temporary, IfNotExists: p.ifNotExists(), Name: p.name()}
	if p.acceptOp("(") {
		for {
			col := ColumnDef{Name: p.anyIdentifier()}
			if p.accept("COMMENT") {
				col.Comment = p.stringLiteral()
			}
			c.Columns = append(c.Columns, col)
			if p.acceptOp(")") {
				break
			}
			p.expectOp(",")
		}
	}
	for !p.accept("AS") {
		switch {
		case p.accept("COMMENT"):
			s := p.stringLiteral()
			c.Comment = &s
		case p.accept("TBLPROPERTIES"):
			c.Properties = p.properties()
		default:
			p.syntaxError("missing 'AS'")
		}
	}
	start := p.peek().Start
	c.Query = p.query()
	c.Text = strings.TrimSpace(p.src[start:p.peek().Start])
	return c
}

func (p *parser) drop() Statement {
	what := p.acceptAny("TABLE", "VIEW", "SCHEMA", "DATABASE", "CATALOG")
	switch what {
	case "":
		if p.is("FUNCTION") || p.is("VOLUME") {
			panic(sqlerror.Unsupported("DROP " + p.peek().Upper))
		}
		p.syntaxError("")
	case "DATABASE":
		what = "SCHEMA"
	}
	d := &Drop{Kind: what, IfExists: p.accept("IF", "EXISTS"), Name: p.name()}
	d.Cascade = p.acceptAny("CASCADE", "RESTRICT", "PURGE") == "CASCADE"
	return d
}

func (p *parser) commentOn() Statement {
	p.expect("ON")
	what := p.acceptAny("TABLE", "VIEW", "COLUMN", "SCHEMA", "DATABASE", "CATALOG")
	if what == "" {
		p.syntaxError("")
	}
	if what == "DATABASE" {
		what = "SCHEMA"
	}
	c := &CommentOn{Kind: what, Name: p.name()}
	p.expect("IS")
	if !p.accept("NULL") {
		s := p.stringLiteral()
		c.Comment = &s
	}
	return c
}
