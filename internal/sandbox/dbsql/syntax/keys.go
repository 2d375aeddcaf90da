package syntax

import (
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
)

// Key is an informational primary or foreign key, which Databricks does not enforce.
type Key struct {
	// Name is empty if the statement gives none.
	Name    string
	Foreign bool
	Columns []string
	// Parent and ParentColumns are what a foreign key references. Without columns it
	// references the parent's primary key.
	Parent        []string
	ParentColumns []string
}

// tableKey parses [CONSTRAINT name] PRIMARY KEY (...) or FOREIGN KEY (...) REFERENCES
// ..., or returns nil.
func (p *parser) tableKey() *Key {
	k := &Key{}
	if p.accept("CONSTRAINT") {
		k.Name = p.identifier()
	}
	switch {
	case p.accept("PRIMARY", "KEY"):
		k.Columns = p.nameList()
	case p.accept("FOREIGN", "KEY"):
		k.Columns = p.nameList()
		p.references(k)
	case k.Name != "":
		panic(sqlerror.Unsupported("a constraint that is not a key"))
	default:
		return nil
	}
	p.keyOptions()
	return k
}

// columnKey parses a key of one column after its type, or returns nil.
func (p *parser) columnKey(column string) *Key {
	k := &Key{Columns: []string{column}}
	if p.accept("CONSTRAINT") {
		k.Name = p.identifier()
	}
	switch {
	case p.accept("PRIMARY", "KEY"):
	case p.accept("FOREIGN", "KEY") || p.is("REFERENCES"):
		p.references(k)
	case k.Name != "":
		panic(sqlerror.Unsupported("a constraint that is not a key"))
	default:
		return nil
	}
	p.keyOptions()
	return k
}

func (p *parser) references(k *Key) {
	p.expect("REFERENCES")
	k.Foreign, k.Parent = true, p.name()
	if p.isOp("(") {
		k.ParentColumns = p.nameList()
	}
}

// keyOptions skips the options of a key. All of them describe what Databricks does
// anyway, or inform its optimizer.
func (p *parser) keyOptions() {
	options := [][]string{{"NOT", "ENFORCED"}, {"DEFERRABLE"}, {"INITIALLY", "DEFERRED"}, {"RELY"}, {"NORELY"}, {"MATCH", "FULL"},
		{"ON", "UPDATE", "NO", "ACTION"}, {"ON", "DELETE", "NO", "ACTION"}}
	isOption := func(words []string) bool { return p.accept(words...) }
	for found := true; found; {
		found = slices.ContainsFunc(options, isOption)
	}
}

// dropKey parses the rest of ALTER TABLE ... DROP CONSTRAINT or DROP PRIMARY KEY.
func (p *parser) dropKey(a *Alter) {
	switch {
	case p.accept("CONSTRAINT"):
		a.Action, a.IfExists = "DROP CONSTRAINT", p.accept("IF", "EXISTS")
		a.To = []string{p.identifier()}
	case p.accept("PRIMARY", "KEY"):
		a.Action, a.IfExists = "DROP CONSTRAINT", p.accept("IF", "EXISTS")
	default:
		p.syntaxError("")
	}
	p.acceptAny("CASCADE", "RESTRICT")
}
