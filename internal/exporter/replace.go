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
		return existing{version: -1}, nil
	}
	if kind := tables[found].Type; strings.Contains(kind, "VIEW") {
		return existing{}, jobs.Invalid("table_name", fmt.Sprintf("%s is a %s", target, strings.ToLower(strings.ReplaceAll(kind, "_", " "))),
			"An export replaces a table.", "Choose another table_name")
	}
	properties, err := properties(ctx, wh, e.sql)
	if err != nil {
		return existing{}, err
	}
	owner := properties[ownerProperty]
	ours := owner == e.JobID || owner != "" && slices.Contains(e.Owners, owner)
	if !ours && !e.Spec.OverwriteExisting {
		why := "It carries no " + ownerProperty + " property."
		if owner != "" {
			why = "Its property " + ownerProperty + " says that job " + owner + " made it."
		}
		return existing{}, jobs.Invalid("table_name", fmt.Sprintf("%s exists and was not made by this export", target), why,
			"Choose another table_name, or set overwrite_existing = true to replace it")
	}
	before := existing{exists: true, ours: ours, properties: properties, version: -1}
	if before.columns, err = wh.Columns(ctx, target, ""); err != nil {
		return existing{}, err
	}
	commits, err := wh.LatestCommits(ctx, target, 1)
	if err == nil {
		before.detail, err = wh.Detail(ctx, target)
	}
	if !ours && databricks.Class(err) != "" {
		return before, nil // not a Delta table, which has nothing more to keep
	}
	if len(commits) > 0 {
		before.version = commits[0].Version
	}
	return before, err
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
// the table's identity, comments, grants, constraints and readers; it needs the
// same columns. Where they changed, what can be is said again.
func (e *Export) replace(ctx context.Context, columns []column, rows int64, before existing) error {
	e.Progress.Phase("replacing the table", 0)
	if before.exists && before.ours && sameColumns(before.columns, columns) {
		if err := e.commit(ctx, fmt.Sprintf("INSERT OVERWRITE %s BY NAME SELECT * FROM %s", e.sql, e.load), rows, before); err != nil {
			return err
		}
		return e.recluster(ctx, before, columns)
	}
	if err := e.checkConstraints(ctx, before); err != nil {
		return err
	}
	if err := e.keepComments(ctx, before, columns); err != nil {
		return err
	}
	statement := fmt.Sprintf("CREATE OR REPLACE TABLE %s%s AS SELECT * FROM %s", e.sql, e.clauses(before, columns), e.load)
	if err := e.commit(ctx, statement, rows, before); err != nil {
		return err
	}
	if err := e.restoreConstraints(ctx, before); err != nil {
		return err
	}
	return e.recluster(ctx, before, columns)
}

// historyShown bounds the look for a commit of ours: others write seldom.
const historyShown = 20

// commit runs the statement that replaces the table. The driver and the guard
// do not repeat it: where its answer is lost, the table's history says whether
// it took effect, before it is sent again. Should the first one still be at
// work, Delta lets one of the two through, with the same rows.
func (e *Export) commit(ctx context.Context, statement string, rows int64, before existing) error {
	for attempt := 0; ; attempt++ {
		err := e.attempt(ctx, func(wh *databricks.Warehouse) error { return wh.Exec(ctx, statement) })
		unsure := databricks.IsOutcomeUnknown(err) || databricks.IsSessionLost(err) || concurrent(err)
		if err == nil || !unsure || attempt == reconnects || ctx.Err() != nil {
			return err
		}
		if !concurrent(err) {
			_ = e.disconnect() // there is little left to close
		}
		landed, lookErr := e.landed(ctx, rows, before)
		if lookErr != nil {
			return errors.Join(err, lookErr)
		}
		if landed {
			return nil
		}
		if err := e.Fence(ctx); err != nil {
			return err
		}
	}
}

// concurrent reports that another commit came first.
func concurrent(err error) bool {
	class := databricks.Class(err)
	return strings.HasPrefix(class, "DELTA_CONCURRENT") || class == "DELTA_METADATA_CHANGED" || class == "DELTA_PROTOCOL_CHANGED"
}

// landed looks for the replacement in the table's history: since the run looked
// at the table, nobody else of ours has written it.
func (e *Export) landed(ctx context.Context, rows int64, before existing) (found bool, err error) {
	err = e.session(ctx, func(wh *databricks.Warehouse) error {
		found = false
		commits, err := wh.LatestCommits(ctx, e.target(), historyShown)
		if strings.HasPrefix(databricks.Class(err), "TABLE_OR_VIEW_NOT_FOUND") || strings.HasPrefix(databricks.Class(err), "DELTA_TABLE_NOT_FOUND") {
			return nil
		}
		for _, c := range commits {
			whole := c.Operation == "WRITE" && c.Mode == "Overwrite" || strings.HasSuffix(c.Operation, "TABLE AS SELECT")
			if c.Version > before.version && whole && (c.OutputRows == rows || c.OutputRows < 0) {
				found = true
			}
		}
		return err
	})
	return found, err
}

func sameColumns(have []jobs.ColumnInfo, want []column) bool {
	return slices.EqualFunc(have, want, func(h jobs.ColumnInfo, w column) bool {
		return h.Name == w.name && strings.EqualFold(h.Type, w.sqlType)
	})
}
