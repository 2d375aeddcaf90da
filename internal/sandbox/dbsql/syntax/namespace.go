package syntax

import (
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
)

// Namespace is the current catalog and schema, which complete short names.
type Namespace struct{ Catalog, Schema string }

// Table completes a table's name of one to three parts.
func (n Namespace) Table(parts []string) (catalog, schema, table string, err error) {
	switch len(parts) {
	case 1:
		return n.Catalog, n.Schema, parts[0], nil
	case 2:
		return n.Catalog, parts[0], parts[1], nil
	case 3:
		return parts[0], parts[1], parts[2], nil
	}
	return "", "", "", sqlerror.WrongNameParts("The name %s has too many parts: a table's name is catalog.schema.table.", parts...)
}

// SchemaName completes a schema's name of one or two parts.
func (n Namespace) SchemaName(parts []string) (catalog, schema string, err error) {
	switch len(parts) {
	case 1:
		return n.Catalog, parts[0], nil
	case 2:
		return parts[0], parts[1], nil
	}
	return "", "", sqlerror.WrongNameParts("%s has too many parts for a schema's name.", parts...)
}

// Use returns the namespace after a USE. USE CATALOG sets the schema to default.
func (n Namespace) Use(st *Use) (Namespace, error) {
	switch {
	case st.Catalog && len(st.Name) == 1:
		return Namespace{st.Name[0], "default"}, nil
	case !st.Catalog && len(st.Name) == 1:
		return Namespace{n.Catalog, st.Name[0]}, nil
	case !st.Catalog && len(st.Name) == 2:
		return Namespace{st.Name[0], st.Name[1]}, nil
	}
	return n, sqlerror.WrongNameParts("USE requires a name of one or two parts, but got %s.", st.Name...)
}

// ParseRelationName parses the name of a table of one to three parts, as functions such
// as table_changes take it.
func ParseRelationName(text string) ([]string, error) {
	st, err := Parse("DESCRIBE TABLE " + text)
	if err != nil {
		return nil, err
	}
	named, ok := st.(*Describe)
	if !ok || len(named.Name) == 0 || len(named.Name) > 3 {
		return nil, sqlerror.WrongNameParts("A table's name has one to three parts, but got %s.", text)
	}
	return named.Name, nil
}

// ParseTableName parses catalog.schema.table; parts may be in back-quotes.
func ParseTableName(text string) (parts []string, err error) {
	st, err := Parse("DESCRIBE TABLE " + text)
	if err != nil {
		return nil, fmt.Errorf("parse the table name %q (catalog.schema.table, parts in back-quotes if needed): %w", text, err)
	}
	named, ok := st.(*Describe)
	if !ok || len(named.Name) != 3 {
		return nil, fmt.Errorf("the table name %q must have three parts: catalog.schema.table", text)
	}
	return named.Name, nil
}
