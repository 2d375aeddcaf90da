package exporter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// ownerProperty marks a table as an export's: its value is the job's id.
const ownerProperty = "lytics.job_id"

// existing is the target as the run found it.
type existing struct {
	exists  bool
	columns []jobs.ColumnInfo
	// ours is false for a table that overwrite_existing lets us take.
	ours bool
	// mapped tables cannot be replaced by tables without column mapping.
	mapped bool
}

// inspect reads the target, and refuses one that is not ours.
func (e *Export) inspect(ctx context.Context) (before existing, err error) {
	err = e.session(ctx, func(wh *databricks.Warehouse) error {
		before, err = e.look(ctx, wh)
		return err
	})
	return before, err
}

func (e *Export) look(ctx context.Context, wh *databricks.Warehouse) (existing, error) {
	target := e.target()
	pattern := target.Table
	if strings.ContainsAny(pattern, "*|") { // these are not a pattern's here
		pattern = ""
	}
	tables, err := wh.Tables(ctx, target.Catalog, target.Database, pattern)
	if err != nil {
		return existing{}, err
	}
	found := slices.IndexFunc(tables, func(t jobs.TableInfo) bool { return strings.EqualFold(t.Name, target.Table) })
	if found < 0 {
		return existing{}, nil
	}
	if kind := tables[found].Type; strings.Contains(kind, "VIEW") {
		return existing{}, jobs.Invalid("table_name", fmt.Sprintf("%s is a %s", target, strings.ToLower(strings.ReplaceAll(kind, "_", " "))),
			"An export replaces a table.", "Choose another table_name")
	}
	has, err := properties(ctx, wh, e.sql)
	if err != nil {
		return existing{}, err
	}
	owner := has[ownerProperty]
	ours := owner == e.JobID || slices.Contains(e.Owners, owner)
	if !ours && !e.Spec.OverwriteExisting {
		why := "It carries no " + ownerProperty + " property."
		if owner != "" {
			why = "Its property " + ownerProperty + " says that job " + owner + " made it."
		}
		return existing{}, jobs.Invalid("table_name", fmt.Sprintf("%s exists and was not made by this export", target), why,
			"Choose another table_name, or set overwrite_existing = true to replace it")
	}
	columns, err := wh.Columns(ctx, target, "")
	return existing{exists: true, columns: columns, ours: ours, mapped: has["delta.columnMapping.mode"] == "name"}, err
}

// properties of a table, as SHOW TBLPROPERTIES gives them.
func properties(ctx context.Context, wh *databricks.Warehouse, table string) (map[string]string, error) {
	rows, err := wh.Query(ctx, "SHOW TBLPROPERTIES "+table)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	all := map[string]string{}
	for rows.Next() {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			return nil, err
		}
		all[key] = value
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

// replace puts the run's table in place in one commit. INSERT OVERWRITE keeps
// the table's identity, comments, grants and readers; it needs the same
// columns. Both statements may be sent twice: the second changes nothing.
func (e *Export) replace(ctx context.Context, columns []column, before existing) error {
	e.Progress.Phase("replacing the table", 0)
	if before.exists && before.ours && sameColumns(before.columns, columns) {
		return e.exec(ctx, fmt.Sprintf("INSERT OVERWRITE %s BY NAME SELECT * FROM %s", e.sql, e.load))
	}
	return e.exec(ctx, fmt.Sprintf("CREATE OR REPLACE TABLE %s%s AS SELECT * FROM %s",
		e.sql, e.properties(before.mapped || needsMapping(columns)), e.load))
}

func sameColumns(have []jobs.ColumnInfo, want []column) bool {
	return slices.EqualFunc(have, want, func(h jobs.ColumnInfo, w column) bool {
		return h.Name == w.name && strings.EqualFold(h.Type, w.sqlType)
	})
}
