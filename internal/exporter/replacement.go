package exporter

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
)

// replacement is how the target gets the rows of the load table: the statement that commits
// the rows, and those before and after it.
type replacement struct {
	// inPlace reports that the table stays, with its identity.
	inPlace         bool
	prepare, finish []step
	commit          string
	// why says why the table is altered; empty if it is not.
	why string
	// warning is for the operator; empty if there is none.
	warning string
}

// step is an idempotent statement of a replacement.
type step struct {
	sql string
	// done are the error classes of a statement that has nothing left to do.
	done []string
	// refused describes the warehouse's refusal; nil returns it as it is.
	refused func(error) error
}

// planReplacement decides how the target is replaced. INSERT OVERWRITE keeps the table's
// identity, comments, grants, constraints and streaming readers, and needs the same columns.
// With other columns, CREATE OR REPLACE is used, and what it drops is set again. A table that
// has what cannot be set again, such as policies, is altered instead. A dry run shows the
// same decision.
func (e *Export) planReplacement(ctx context.Context, columns []column, before existingTable) (replacement, error) {
	if before.exists && before.ours && sameColumns(before.columns, columns) {
		return replacement{inPlace: true, commit: e.overwriteSQL("*")}, nil
	}
	if before.exists {
		g, err := e.governanceOf(ctx, before)
		if err != nil {
			return replacement{}, err
		}
		if len(g.by) > 0 {
			return e.alteration(columns, before, g)
		}
	}
	return e.recreation(columns, before)
}

func (e *Export) overwriteSQL(selected string) string {
	return fmt.Sprintf("INSERT OVERWRITE %s BY NAME SELECT %s FROM %s", e.targetSQL, selected, e.loadSQL)
}

// alteration changes the columns of a governed table: ADD COLUMN, INSERT OVERWRITE, and
// DROP COLUMN if the table has column mapping. Without column mapping, a column that is no
// longer exported stays and is NULL. Between the statements, readers may see a new column
// that is NULL; they never see old rows beside new ones. The next run completes what a killed
// one began.
func (e *Export) alteration(columns []column, before existingTable, g governance) (replacement, error) {
	change, err := e.changeOf(columns, before, g)
	if err != nil {
		return replacement{}, err
	}
	r := replacement{inPlace: true, commit: e.overwriteSQL(strings.Join(change.selected, ", ")), warning: change.warning,
		why: fmt.Sprintf("%s has %s, which a replacement would remove: the table is altered, and never replaced.",
			e.target(), strings.Join(g.by, ", "))}
	for _, c := range change.widened {
		r.prepare = append(r.prepare, step{
			sql:     fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s TYPE %s", e.targetSQL, c.sql, c.sqlType),
			refused: func(err error) error { return e.notWidened(g, c, err) },
		})
	}
	for _, c := range change.added {
		r.prepare = append(r.prepare, step{sql: fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s", e.targetSQL, c.sql, c.sqlType),
			done: []string{"FIELD_ALREADY_EXISTS", "FIELDS_ALREADY_EXIST"}})
	}
	if !before.ours {
		owner := tableProperties(map[string]string{ownerProperty: e.JobID})
		r.prepare = append(r.prepare, step{sql: "ALTER TABLE " + e.targetSQL + " SET" + owner})
	}
	for _, name := range change.dropped {
		r.finish = append(r.finish, step{sql: fmt.Sprintf("ALTER TABLE %s DROP COLUMN IF EXISTS %s", e.targetSQL, name)})
	}
	return r, nil
}

// recreation creates the table again, with the metadata that can be set. The constraints are
// added to the load table too, so that a row that violates one fails the run before the
// target is replaced. CREATE OR REPLACE ... AS SELECT takes the comments of columns from
// there.
func (e *Export) recreation(columns []column, before existingTable) (r replacement, err error) {
	if r.prepare, err = e.constraintSteps(e.loadSQL, before); err != nil {
		return r, err
	}
	r.prepare = append(r.prepare, e.commentSteps(before, columns)...)
	r.commit = fmt.Sprintf("CREATE OR REPLACE TABLE %s%s AS SELECT * FROM %s", e.targetSQL, e.preservedClauses(before, columns), e.loadSQL)
	r.finish, err = e.constraintSteps(e.targetSQL, before)
	return r, err
}

// replaceTable replaces the target's rows by those of the load table, in one commit.
func (e *Export) replaceTable(ctx context.Context, columns []column, rows int64, before existingTable) error {
	e.Progress.Phase("replacing the table", 0)
	r, err := e.planReplacement(ctx, columns, before)
	if err != nil {
		return err
	}
	if r.warning != "" {
		e.Progress.Warn(r.warning)
	}
	if err := e.execSteps(ctx, r.prepare); err != nil {
		return err
	}
	if len(r.prepare) > 0 {
		if err := e.Fence(ctx); err != nil {
			return err
		}
	}
	if err := e.commitReplacement(ctx, r.commit, rows, before); err != nil {
		return err
	}
	if err := e.execSteps(ctx, r.finish); err != nil {
		return err
	}
	return e.restoreClustering(ctx, before, columns)
}

func (e *Export) execSteps(ctx context.Context, steps []step) error {
	for _, s := range steps {
		err := e.execRepeatable(ctx, s.sql)
		if class, _, _ := strings.Cut(databricks.Class(err), "."); err == nil || slices.Contains(s.done, class) {
			continue
		}
		if s.refused != nil {
			return s.refused(err)
		}
		return err
	}
	return nil
}
