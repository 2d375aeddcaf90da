package exporter

import (
	"context"
	"errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Privileges is what Unity Catalog tells of the privileges of a login.
type Privileges interface {
	// CheckPrivileges fails with CodeForbidden if the login lacks a privilege on a catalog, a
	// schema or a table. It returns nil where Unity Catalog does not tell.
	CheckPrivileges(ctx context.Context, on jobs.TableName, privileges ...string) error
	// TableProperties returns the properties of a table, and whether it exists.
	TableProperties(ctx context.Context, table jobs.TableName) (properties map[string]string, exists bool, err error)
}

var _ Privileges = (*databricks.UnityCatalog)(nil)

// CheckPrivileges fails if the login lacks a privilege that an export needs to write, with
// the attribute that leads to the object: USE CATALOG, USE SCHEMA, CREATE TABLE, and MODIFY
// on a table that the export is to replace. An empty table name is not known yet.
func CheckPrivileges(ctx context.Context, s jobs.AudienceExport, p Privileges) error {
	e := Export{Spec: s}
	load, err := e.scratch()
	if err != nil {
		return err
	}
	var properties map[string]string
	exists, told := false, false
	if s.TableName != "" {
		properties, exists, err = p.TableProperties(ctx, e.target())
		told = err == nil
	}
	inDatabase := []string{"USE_SCHEMA"}
	if s.ScratchSchema == "" || told && !exists {
		inDatabase = append(inDatabase, "CREATE_TABLE")
	}
	checks := []need{
		{"catalog", jobs.TableName{Catalog: s.Catalog}, []string{"USE_CATALOG"}},
		{"database", jobs.TableName{Catalog: s.Catalog, Database: s.Database}, inDatabase},
	}
	if s.ScratchSchema != "" && databricks.InUnityCatalog(load.Catalog) {
		checks = append(checks,
			need{"scratch_schema", jobs.TableName{Catalog: load.Catalog}, []string{"USE_CATALOG"}},
			need{"scratch_schema", jobs.TableName{Catalog: load.Catalog, Database: load.Database}, []string{"USE_SCHEMA", "CREATE_TABLE"}})
	}
	// A table that the export may not replace is an error of its own.
	if exists && (s.OverwriteExisting || properties[ownerProperty] != "") {
		checks = append(checks, need{"table_name", e.target(), []string{"SELECT", "MODIFY"}})
	}
	for _, c := range checks {
		if err := p.CheckPrivileges(ctx, c.on, c.privileges...); err != nil {
			return atAttribute(err, c.attribute)
		}
	}
	return nil
}

// need is what an export needs on an object, and the attribute that leads to it.
type need struct {
	attribute  string
	on         jobs.TableName
	privileges []string
}

func atAttribute(err error, attribute string) error {
	if e, ok := errors.AsType[*jobs.Error](err); ok {
		e.Attribute = attribute
	}
	return err
}
