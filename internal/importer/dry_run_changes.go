package importer

import (
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// addCounts adds the statements that count, and how late rows are found.
func (d *dryRun) addCounts(shown snapshot, relation relation, upper *int64) error {
	r := d.r
	p := r.cursor.Pinned
	changes := r.changes()
	d.out.Reads.ChangesReason = r.changesReason
	switch {
	case changes != nil:
		d.out.Reads.Changes = changes.String()
		q := r.changeCountQuery(*changes)
		q.upper = upper
		statement, err := countChangesStatement(shown, q)
		if err != nil {
			return err
		}
		d.addStatement(statement)
	case r.cursor.Watermark != nil:
		d.out.Reads.Changes = "the lookback below the watermark"
	default:
		d.out.Reads.Changes = "every row"
	}
	if changes == nil || !p.Changes.NewRows {
		d.addStatement(countStatement(relation, r.countQuery(upper, changes == nil && !p.WindowCompared)))
	}
	return nil
}

// addChanges adds the late and the deleted rows that the changes have.
func (d *dryRun) addChanges(shown snapshot) error {
	r := d.r
	if r.cursor.Pinned.WindowCompared {
		return nil
	}
	if err := d.addChangesLate(shown); err != nil {
		return err
	}
	q, ok := r.deletedRowsQuery()
	if !ok {
		return nil
	}
	statement, err := rowsStatement(shown, q)
	if err != nil {
		return err
	}
	d.addStatement(statement)
	d.note(fmt.Sprintf("%d rows were removed or changed since the last run. "+
		"An event tells of each key of which no other row was added instead.", r.changed.removed))
	return nil
}

// addChangesLate adds the late rows that the changes have.
func (d *dryRun) addChangesLate(shown snapshot) error {
	r := d.r
	if r.cursor.Watermark == nil {
		return nil
	}
	changes := r.changes()
	w := slice{from: r.cursor.first(), to: *r.cursor.Watermark}
	late := r.changed.late
	d.out.Reads.Late = &jobs.DryRunLate{From: timeOf(w.from), To: time.UnixMicro(w.to).UTC(), Against: changes.String(), New: &late}
	d.out.Writes.Rows += late
	if late == 0 {
		return nil
	}
	statement, err := rowsStatement(shown, rowsQuery{slice: w, byDigest: true, changes: changes})
	if err != nil {
		return err
	}
	d.addStatement(statement)
	return nil
}
