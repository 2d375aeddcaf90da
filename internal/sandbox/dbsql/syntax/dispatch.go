package syntax

import (
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
)

// statement parses one statement, chosen by its first word.
func (p *parser) statement() Statement {
	if p.startsQuery() {
		return &QueryStatement{Query: p.query()}
	}
	t := p.peek()
	if t.Kind != Word {
		p.syntaxError("")
	}
	p.i++
	switch t.Upper {
	case "CREATE":
		return p.create()
	case "REPLACE":
		p.expect("TABLE")
		return p.createTable(true)
	case "DROP":
		return p.drop()
	case "ALTER":
		return p.alter()
	case "COMMENT":
		return p.commentOn()
	case "INSERT":
		return p.insert()
	case "UPDATE":
		return p.update()
	case "DELETE":
		return p.delete()
	case "MERGE":
		return p.merge()
	case "COPY":
		return p.copyInto()
	case "TRUNCATE":
		p.expect("TABLE")
		return &Truncate{Table: p.name()}
	case "VACUUM":
		return p.vacuum()
	case "OPTIMIZE":
		return &Optimize{Table: p.name()}
	case "DESCRIBE", "DESC":
		return p.describe()
	case "SHOW":
		return p.show()
	case "USE":
		return p.use()
	case "SET":
		return p.set()
	case "RESET":
		s := &Set{Reset: true}
		if p.peek().Kind == Word {
			s.Key = p.propertyKey()
		}
		return s
	case "RESTORE", "EXPLAIN":
		p.refuse("the statement " + t.Upper)
	case "GRANT", "REVOKE", "ANALYZE", "REFRESH", "CACHE", "UNCACHE", "MSCK", "DECLARE", "EXECUTE", "CALL", "BEGIN":
		panic(sqlerror.Unsupported("the statement " + t.Upper))
	}
	p.i--
	p.syntaxError("")
	return nil
}

func (p *parser) vacuum() Statement {
	v := &Vacuum{Table: p.name()}
	p.acceptAny("FULL", "LITE")
	if p.accept("RETAIN") {
		h, err := strconv.ParseFloat(p.peek().Text, 64)
		if err != nil {
			p.syntaxError("a number of hours is expected")
		}
		p.i++
		p.expect("HOURS")
		v.Hours = &h
	}
	v.DryRun = p.accept("DRY", "RUN")
	return v
}

func (p *parser) describe() Statement {
	d := &Describe{Kind: "TABLE"}
	switch {
	case p.is("HISTORY") && p.nameFollows():
		p.i++
		d.Kind, d.Name = "HISTORY", p.name()
		if p.accept("LIMIT") {
			d.Limit = p.expr()
		}
		return d
	case p.is("DETAIL") && p.nameFollows():
		p.i++
		d.Kind, d.Name = "DETAIL", p.name()
		return d
	case (p.is("SCHEMA") || p.is("DATABASE")) && p.nameFollows():
		p.i++
		d.Kind, d.Extended, d.Name = "SCHEMA", p.accept("EXTENDED"), p.name()
		return d
	case p.is("CATALOG") && p.nameFollows():
		p.i++
		d.Kind, d.Extended, d.Name = "CATALOG", p.accept("EXTENDED"), p.name()
		return d
	case p.accept("QUERY") || p.startsQuery() && !p.is("TABLE"):
		d.Kind, d.Query = "QUERY", p.query()
		return d
	}
	p.accept("TABLE")
	d.Extended = p.nameFollows() && (p.accept("EXTENDED") || p.accept("FORMATTED"))
	d.Name = p.name()
	if p.accept("AS", "JSON") {
		p.i -= 2
		p.syntaxError("AS JSON is not available in this sandbox")
	}
	return d
}

// nameFollows reports whether a word follows the next word, which is then a keyword
// and not a name.
func (p *parser) nameFollows() bool {
	k := p.peekAt(1).Kind
	return k == Word || k == QuotedWord
}

func (p *parser) show() Statement {
	s := &Show{}
	switch {
	case p.accept("CATALOGS"):
		s.Kind = "CATALOGS"
	case p.accept("SCHEMAS"), p.accept("DATABASES"), p.accept("NAMESPACES"):
		s.Kind = "SCHEMAS"
	case p.accept("TABLES"):
		s.Kind = "TABLES"
	case p.accept("VIEWS"):
		s.Kind = "VIEWS"
	case p.accept("COLUMNS"):
		s.Kind = "COLUMNS"
	case p.accept("TBLPROPERTIES"):
		s.Kind, s.In = "TBLPROPERTIES", p.name()
		if p.acceptOp("(") {
			s.Key = p.propertyKey()
			p.expectOp(")")
		}
		return s
	case p.accept("CREATE", "TABLE"):
		s.Kind, s.In = "CREATE TABLE", p.name()
		return s
	case p.accept("CURRENT"):
		p.acceptAny("SCHEMA", "DATABASE", "NAMESPACE")
		s.Kind = "CURRENT"
		return s
	default:
		for _, what := range []string{"FUNCTIONS", "GRANTS", "GRANT", "VOLUMES", "PARTITIONS", "USERS", "GROUPS", "TABLE", "CREATE", "ALL"} {
			if p.is(what) {
				panic(sqlerror.Unsupported("SHOW " + what))
			}
		}
		p.syntaxError("")
	}
	if s.Kind != "CATALOGS" && p.acceptAny("IN", "FROM") != "" {
		s.In = p.name()
		if s.Kind == "COLUMNS" && p.acceptAny("IN", "FROM") != "" {
			s.In = append(p.name(), s.In...)
		}
	}
	if s.Kind == "COLUMNS" {
		return s
	}
	p.accept("LIKE")
	if p.peek().Kind == StringToken {
		pattern := p.stringLiteral()
		s.Pattern = &pattern
	}
	return s
}

func (p *parser) use() Statement {
	switch {
	case p.is("CATALOG") && p.peekAt(1).Kind != EOF:
		p.i++
		if p.peek().Kind == StringToken {
			return &Use{Catalog: true, Name: []string{p.stringLiteral()}}
		}
		return &Use{Catalog: true, Name: p.name()}
	case (p.is("SCHEMA") || p.is("DATABASE") || p.is("NAMESPACE")) && p.nameFollows():
		p.i++
	}
	return &Use{Name: p.name()}
}

func (p *parser) set() Statement {
	if p.accept("TIME", "ZONE") {
		if p.accept("LOCAL") {
			return &Set{Key: "TIMEZONE", Reset: true}
		}
		v := p.stringLiteral()
		return &Set{Key: "TIMEZONE", Value: &v}
	}
	if p.peek().Kind == EOF {
		return &Set{}
	}
	if p.is("VAR") || p.is("VARIABLE") {
		panic(sqlerror.Unsupported("SET VARIABLE"))
	}
	s := &Set{Key: p.propertyKey()}
	if p.acceptOp("=") {
		// The value is the rest of the statement, quoted or not.
		start := p.peek().Start
		var v string
		if p.peek().Kind == StringToken {
			v = p.stringLiteral()
		} else {
			for p.peek().Kind != EOF && !p.isOp(";") {
				p.i++
			}
			v = strings.TrimSpace(p.src[start:p.peek().Start])
		}
		s.Value = &v
	}
	return s
}
