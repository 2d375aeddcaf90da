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
	table, found, err := wh.FindTable(ctx, target)
	if err != nil {
		return existingTable{}, err
	}
	if !found {
		return existingTable{version: -1}, nil
	}
	if err := refuseView(target, table); err != nil {
		return existingTable{}, err
	}
	if err := e.checkKind(ctx, wh); err != nil {
		return existingTable{}, err
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
		return existingTable{}, notCreatedHere(target, why)
	}
	before := existingTable{exists: true, ours: ours, properties: properties, version: -1}
	if before.columns, err = wh.Columns(ctx, target, ""); err != nil {
		return existingTable{}, err
	}
	commits, err := wh.LatestCommits(ctx, target, 1)
	refused := databricks.IsNotApplicable(err)
	if err != nil && !refused {
		return before, err
	}
	if len(commits) > 0 {
		before.version = commits[0].Version
	}
	before.detail, err = wh.Detail(ctx, target)
	before.historyRefused = refused && (ours || err == nil)
	if refused && databricks.IsNotApplicable(err) {
		err = nil // the table is not a Delta table, or its policies refuse this too
	}
	return before, err
}

// tblProperties returns the properties of a table.
func tblProperties(ctx context.Context, wh *databricks.Warehouse, table string) (map[string]string, error) {
	rows, err := wh.QueryTexts(ctx, "SHOW TBLPROPERTIES "+table)
	all := map[string]string{}
	for _, row := range rows {
		if len(row) != 2 {
			return nil, fmt.Errorf("SHOW TBLPROPERTIES %s: got %d columns, want 2", table, len(row))
		}
		all[row[0]] = row[1]
	}
	return all, err
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
		err := e.once(ctx, func(wh *databricks.Warehouse) error {
			if before.mayHavePartitions() {
				if err := wh.SetStaticOverwrite(ctx); err != nil {
					return err
				}
			}
			return wh.Exec(ctx, statement)
		})
		unsure := databricks.IsOutcomeUnknown(err) || databricks.IsSessionLost(err) || isConcurrentCommit(err)
		if err == nil || !unsure || attempt == maxReconnects || ctx.Err() != nil {
			return e.computedColumn(err)
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
// version before.version. No other run of this job can have written it. Where the version of
// an existing table could not be read, an older replacement cannot be told from this one: the
// statement is sent again, and puts the same rows in place.
func (e *Export) replacementCommitted(ctx context.Context, rows int64, before existingTable) (committed bool, err error) {
	if before.exists && before.version < 0 {
		return false, nil
	}
	err = e.inSession(ctx, func(wh *databricks.Warehouse) error {
		committed = false
		commits, err := wh.LatestCommits(ctx, e.target(), historyCommits)
		class := databricks.Class(err)
		if strings.HasPrefix(class, "TABLE_OR_VIEW_NOT_FOUND") || strings.HasPrefix(class, "DELTA_TABLE_NOT_FOUND") {
			return nil
		}
		if databricks.IsNotApplicable(err) || databricks.IsServerFailure(err) {
			return nil // the statement is sent again: it puts the same rows in place
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
