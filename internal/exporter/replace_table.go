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

// ownerProperty marks a table as created by an export. Its value is the job's id.
const ownerProperty = "lytics.job_id"

// inspectTarget reads the target. It refuses a view, and a table that others created
// unless overwrite_existing is set.
func (e *Export) inspectTarget(ctx context.Context) (before existingTable, err error) {
	err = e.inSession(ctx, func(wh *databricks.Warehouse) error {
		before, err = e.readTarget(ctx, wh)
		return err
	})
	return before, err
}

func (e *Export) readTarget(ctx context.Context, wh *databricks.Warehouse) (existingTable, error) {
	target := e.target()
	pattern := target.Table
	if strings.ContainsAny(pattern, "*|") { // a pattern would treat them as wildcards
		pattern = ""
	}
	tables, err := wh.Tables(ctx, target.Catalog, target.Database, pattern)
	if err != nil {
		return existingTable{}, err
	}
	found := slices.IndexFunc(tables, func(t jobs.TableInfo) bool { return strings.EqualFold(t.Name, target.Table) })
	if found < 0 {
		return existingTable{version: -1}, nil
	}
	if kind := tables[found].Type; strings.Contains(kind, "VIEW") {
		return existingTable{}, jobs.Invalid("table_name", fmt.Sprintf("%s is a %s", target, strings.ToLower(strings.ReplaceAll(kind, "_", " "))),
			"An export replaces a table.", "Choose another table_name")
	}
	properties, err := tblProperties(ctx, wh, e.targetSQL)
	if err != nil {
		return existingTable{}, err
	}
	owner := properties[ownerProperty]
	ours := owner == e.JobID || owner != "" && slices.Contains(e.Owners, owner)
	if !ours && !e.Spec.OverwriteExisting {
		why := "It has no property " + ownerProperty + "."
		if owner != "" {
			why = "By its property " + ownerProperty + ", job " + owner + " created it."
		}
		return existingTable{}, jobs.Invalid("table_name", fmt.Sprintf("%s exists and was not created by this export", target), why,
			"Choose another table_name, or set overwrite_existing = true to replace it")
	}
	before := existingTable{exists: true, ours: ours, properties: properties, version: -1}
	if before.columns, err = wh.Columns(ctx, target, ""); err != nil {
		return existingTable{}, err
	}
	commits, err := wh.LatestCommits(ctx, target, 1)
	if err == nil {
		before.detail, err = wh.Detail(ctx, target)
	}
	if !ours && databricks.Class(err) != "" {
		return before, nil // only a Delta table has a history and a clustering
	}
	if len(commits) > 0 {
		before.version = commits[0].Version
	}
	return before, err
}

// tblProperties returns the properties of a table.
func tblProperties(ctx context.Context, wh *databricks.Warehouse, table string) (map[string]string, error) {
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

// replaceTable replaces the target's rows by those of the load table, in one commit.
// INSERT OVERWRITE keeps the table's identity, comments, grants, constraints and
// streaming readers, and needs the same columns. With other columns, CREATE OR
// REPLACE is used, and what it drops is set again as far as possible.
func (e *Export) replaceTable(ctx context.Context, columns []column, rows int64, before existingTable) error {
	e.Progress.Phase("replacing the table", 0)
	if before.exists && before.ours && sameColumns(before.columns, columns) {
		overwrite := fmt.Sprintf("INSERT OVERWRITE %s BY NAME SELECT * FROM %s", e.targetSQL, e.loadSQL)
		if err := e.commitReplacement(ctx, overwrite, rows, before); err != nil {
			return err
		}
		return e.restoreClustering(ctx, before, columns)
	}
	if err := e.checkConstraints(ctx, before); err != nil {
		return err
	}
	if err := e.copyComments(ctx, before, columns); err != nil {
		return err
	}
	statement := fmt.Sprintf("CREATE OR REPLACE TABLE %s%s AS SELECT * FROM %s", e.targetSQL, e.preservedClauses(before, columns), e.loadSQL)
	if err := e.commitReplacement(ctx, statement, rows, before); err != nil {
		return err
	}
	if err := e.restoreConstraints(ctx, before); err != nil {
		return err
	}
	return e.restoreClustering(ctx, before, columns)
}

// historyCommits is the number of commits that are searched for the replacement. A few
// are enough, because others seldom write to the target.
const historyCommits = 20

// commitReplacement executes the statement that replaces the table. Neither the driver
// nor the transport repeats it. If its response is lost, commitReplacement looks into the
// table's history before it sends the statement again. If the first statement is still
// being executed then, Delta commits only one of the two, with the same rows.
func (e *Export) commitReplacement(ctx context.Context, statement string, rows int64, before existingTable) error {
	for attempt := 0; ; attempt++ {
		err := e.once(ctx, func(wh *databricks.Warehouse) error { return wh.Exec(ctx, statement) })
		unsure := databricks.IsOutcomeUnknown(err) || databricks.IsSessionLost(err) || isConcurrentCommit(err)
		if err == nil || !unsure || attempt == maxReconnects || ctx.Err() != nil {
			return err
		}
		if !isConcurrentCommit(err) {
			_ = e.disconnect() // the session is lost already
		}
		committed, lookErr := e.replacementCommitted(ctx, rows, before)
		if lookErr != nil {
			return errors.Join(err, lookErr)
		}
		if committed {
			return nil
		}
		if err := e.Fence(ctx); err != nil {
			return err
		}
	}
}

// isConcurrentCommit reports whether a concurrent commit made the statement fail.
func isConcurrentCommit(err error) bool {
	class := databricks.Class(err)
	return strings.HasPrefix(class, "DELTA_CONCURRENT") || class == "DELTA_METADATA_CHANGED" || class == "DELTA_PROTOCOL_CHANGED"
}

// replacementCommitted looks for the replacement in the table's history, after the
// version before.version. No other run of this job can have written it.
func (e *Export) replacementCommitted(ctx context.Context, rows int64, before existingTable) (committed bool, err error) {
	err = e.inSession(ctx, func(wh *databricks.Warehouse) error {
		committed = false
		commits, err := wh.LatestCommits(ctx, e.target(), historyCommits)
		class := databricks.Class(err)
		if strings.HasPrefix(class, "TABLE_OR_VIEW_NOT_FOUND") || strings.HasPrefix(class, "DELTA_TABLE_NOT_FOUND") {
			return nil
		}
		for _, c := range commits {
			whole := c.Operation == "WRITE" && c.Mode == "Overwrite" || strings.HasSuffix(c.Operation, "TABLE AS SELECT")
			if c.Version > before.version && whole && (c.OutputRows == rows || c.OutputRows < 0) {
				committed = true
			}
		}
		return err
	})
	return committed, err
}

func sameColumns(have []jobs.ColumnInfo, want []column) bool {
	return slices.EqualFunc(have, want, func(h jobs.ColumnInfo, w column) bool {
		return h.Name == w.name && strings.EqualFold(h.Type, w.sqlType)
	})
}
