package syntax

import (
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
)

// alter reads ALTER TABLE and ALTER VIEW with one action.
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
		p.fail("")
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
	case p.accept("RENAME", "TO"):
		a.Action, a.To = "RENAME", p.name()
	case a.View:
		p.fail("")
	case p.accept("ADD", "COLUMNS"), p.accept("ADD", "COLUMN"):
		a.Action = "ADD COLUMNS"
		if p.isOp("(") {
			a.Columns = p.columnDefs()
		} else {
			a.Columns = []ColumnDef{p.columnDef()}
			for p.acceptOp(",") {
				a.Columns = append(a.Columns, p.columnDef())
			}
		}
	case p.accept("DROP", "COLUMNS"), p.accept("DROP", "COLUMN"):
		a.Action, a.IfExists = "DROP COLUMNS", p.accept("IF", "EXISTS")
		if p.isOp("(") {
			a.Names = p.names()
		} else {
			a.Names = []string{p.anyIdent()}
			for p.acceptOp(",") {
				a.Names = append(a.Names, p.anyIdent())
			}
		}
	case p.accept("RENAME", "COLUMN"):
		a.Action, a.Column = "RENAME COLUMN", p.anyIdent()
		p.expect("TO")
		a.To = []string{p.anyIdent()}
	case p.accept("ALTER", "COLUMN"), p.accept("CHANGE", "COLUMN"):
		p.alterColumn(a)
	case p.accept("CLUSTER", "BY"):
		a.Action = "CLUSTER BY"
		if !p.accept("NONE") && !p.accept("AUTO") {
			a.Names = p.names()
		}
	default:
		if p.is("ADD", "CONSTRAINT") || p.is("DROP", "CONSTRAINT") || p.is("SET") || p.is("OWNER") {
			panic(sqlerror.Unsupported("ALTER TABLE " + p.peek().Upper + " " + p.peekAt(1).Upper))
		}
		p.fail("")
	}
	return a
}

func (p *parser) alterColumn(a *Alter) {
	a.Column = p.anyIdent()
	switch {
	case p.accept("COMMENT"):
		a.Action, a.Comment = "COLUMN COMMENT", p.str()
	case p.accept("TYPE"):
		a.Action, a.Type = "COLUMN TYPE", p.dataType()
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
		p.fail("")
	}
}
