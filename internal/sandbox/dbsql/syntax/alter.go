package syntax

import (
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
)

// alter parses ALTER TABLE and ALTER VIEW, which have one action.
func (p *parser) alter() Statement {
	a := &Alter{}
	switch {
	case p.accept("TABLE"):
	case p.accept("VIEW"):
		a.View = true
	default:
		if p.is("SCHEMA") || p.is("CATALOG") || p.is("DATABASE") {
			panic(sqlerror.Unsupported("ALTER " + p.peek().Upper))
		}
		p.syntaxError("")
	}
	a.Name = p.name()
	switch {
	case p.accept("SET", "TBLPROPERTIES"):
		a.Action, a.Properties = "SET PROPERTIES", p.properties()
	case p.accept("UNSET", "TBLPROPERTIES"):
		a.Action, a.IfExists = "UNSET PROPERTIES", p.accept("IF", "EXISTS")
		for _, kv := range p.properties() {
			a.Keys = append(a.Keys, kv.Key)
		}
	case p.accept("SET", "TAGS"):
		a.Action, a.Properties = "SET TAGS", p.properties()
	case p.accept("UNSET", "TAGS"):
		p.unsetTags(a)
	case p.accept("SET", "ROW", "FILTER"):
		a.Action, a.To = "ROW FILTER", p.name()
		p.expect("ON")
		a.Names = p.nameList()
	case p.accept("DROP", "ROW", "FILTER"):
		a.Action = "ROW FILTER"
	case p.accept("RENAME", "TO"):
		a.Action, a.To = "RENAME", p.name()
	case a.View:
		p.syntaxError("")
	case p.accept("ADD", "COLUMNS"), p.accept("ADD", "COLUMN"):
		a.Action = "ADD COLUMNS"
		if p.isOp("(") {
			a.Columns, _ = p.columnDefs(false)
		} else {
			a.Columns = []ColumnDef{p.columnDef()}
			for p.acceptOp(",") {
				a.Columns = append(a.Columns, p.columnDef())
			}
		}
	case p.is("ADD", "CONSTRAINT"), p.is("ADD", "PRIMARY", "KEY"), p.is("ADD", "FOREIGN", "KEY"):
		p.i++
		a.Action, a.Key = "ADD CONSTRAINT", p.tableKey()
	case p.is("DROP", "CONSTRAINT"), p.is("DROP", "PRIMARY", "KEY"):
		p.i++
		p.dropKey(a)
	case p.accept("DROP", "COLUMNS"), p.accept("DROP", "COLUMN"):
		a.Action, a.IfExists = "DROP COLUMNS", p.accept("IF", "EXISTS")
		if p.isOp("(") {
			a.Names = p.nameList()
		} else {
			a.Names = []string{p.anyIdentifier()}
			for p.acceptOp(",") {
				a.Names = append(a.Names, p.anyIdentifier())
			}
		}
	case p.accept("RENAME", "COLUMN"):
		a.Action, a.Column = "RENAME COLUMN", p.anyIdentifier()
		p.expect("TO")
		a.To = []string{p.anyIdentifier()}
	case p.accept("ALTER", "COLUMN"), p.accept("CHANGE", "COLUMN"):
		p.alterColumn(a)
	case p.accept("CLUSTER", "BY"):
		a.Action = "CLUSTER BY"
		if !p.accept("NONE") && !p.accept("AUTO") {
			a.Names = p.nameList()
		}
	default:
		if p.is("SET") || p.is("OWNER") {
			panic(sqlerror.Unsupported("ALTER TABLE " + p.peek().Upper + " " + p.peekAt(1).Upper))
		}
		p.syntaxError("")
	}
	return a
}

func (p *parser) unsetTags(a *Alter) {
	a.Action = "UNSET TAGS"
	for _, kv := range p.properties() {
		a.Keys = append(a.Keys, kv.Key)
	}
}

func (p *parser) alterColumn(a *Alter) {
	a.Column = p.anyIdentifier()
	switch {
	case p.accept("COMMENT"):
		a.Action, a.Comment = "COLUMN COMMENT", p.stringLiteral()
	case p.accept("TYPE"):
		a.Action, a.Type = "COLUMN TYPE", p.dataType()
	case p.accept("SET", "MASK"):
		a.Action, a.To = "COLUMN MASK", p.name()
		if p.accept("USING", "COLUMNS") {
			a.Names = p.nameList()
		}
	case p.accept("DROP", "MASK"):
		a.Action = "COLUMN MASK"
	case p.accept("SET", "TAGS"):
		a.Action, a.Properties = "SET TAGS", p.properties()
	case p.accept("UNSET", "TAGS"):
		p.unsetTags(a)
	case p.accept("SET", "NOT", "NULL"):
		a.Action, a.NotNull = "COLUMN NULLABLE", true
	case p.accept("DROP", "NOT", "NULL"):
		a.Action = "COLUMN NULLABLE"
	case p.accept("SET", "DEFAULT"):
		start := p.peek().Start
		a.Action, a.Default = "COLUMN DEFAULT", p.expr()
		a.Text = strings.TrimSpace(p.src[start:p.peek().Start])
	case p.accept("DROP", "DEFAULT"):
		a.Action = "COLUMN DEFAULT"
	default:
		p.syntaxError("")
	}
}
