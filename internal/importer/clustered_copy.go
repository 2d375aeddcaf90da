package importer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// layout is how a table's rows are stored, as DESCRIBE DETAIL reports it.
type layout struct {
	bytes, files int64
	// clustering and partitions are names of columns.
	clustering, partitions []string
}

// copiedFromSlices is the number of slices from which on a first load is made from a copy.
// Without a clustering by the timestamp, each slice reads the whole table. The copy costs one
// read of the table, and writing and reading what is imported of it.
const copiedFromSlices = 4

// way is how the rows of a first load are read, and why.
type way struct {
	// copied is set if a copy clustered by the timestamp is read instead of the table.
	copied bool
	// why is for the dry run; empty for a load that is too small for the question.
	why string
}

// chooseWay decides how the rows of a pinned version are read. Only a first load is copied:
// later runs compare versions of the table, and read less.
func (r *run) chooseWay(ctx context.Context) (way, error) {
	parts := (r.counted.rows + r.imp.sliceRows() - 1) / r.imp.sliceRows()
	if r.cursor.Watermark != nil || parts < copiedFromSlices {
		return way{}, nil
	}
	l, err := r.src.layout(ctx)
	if databricks.IsNotApplicable(err) || databricks.IsServerFailure(err) {
		return way{why: "The warehouse does not describe how the table is stored, so that its slices are read from the table itself."}, nil
	}
	if err != nil {
		return way{}, err
	}
	column := r.snap.table.timestamp.Name
	size := fmt.Sprintf("%s in %d files", bytesText(l.bytes), l.files)
	switch {
	case contains(l.clustering, column):
		return way{why: fmt.Sprintf("The table (%s) is clustered by %s: each of the %d slices reads its own part of the table.",
			size, column, parts)}, nil
	case contains(l.partitions, column):
		return way{why: fmt.Sprintf("The table (%s) is partitioned by %s: each of the %d slices reads its own part of the table.",
			size, column, parts)}, nil
	case r.imp.Spec.ScratchSchema == "":
		return way{why: fmt.Sprintf("The table (%s) is not clustered by %s: each of the %d slices may read all of it, about %s together. "+
			"With scratch_schema, a run copies it once, clustered by the timestamp.", size, column, parts, bytesText(l.bytes*parts))}, nil
	}
	return way{copied: true, why: fmt.Sprintf("The table (%s) is not clustered by %s, and each of %d slices may read all of it, "+
		"about %s together. "+
		"A run copies it once into %s, clustered by the timestamp, and reads the copy: about %s read, and up to as much written and read again.",
		size, column, parts, bytesText(l.bytes*parts), r.imp.Spec.ScratchSchema, bytesText(l.bytes))}, nil
}

func contains(columns []string, name string) bool {
	return slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(strings.Trim(c, "`"), name) })
}

// bytesText writes a size in the unit in which it has the fewest digits.
func bytesText(n int64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, units := float64(n), []string{"kB", "MB", "GB", "TB", "PB"}
	for i, u := range units {
		if value /= unit; value < unit || i == len(units)-1 {
			return fmt.Sprintf("%.1f %s", value, u)
		}
	}
	return ""
}

// copyClustered copies the rows of a pinned version into a table that is clustered by the
// timestamp, and reads that from now on. The counts stay those of the version, so that a copy
// with fewer or more rows fails the run. The version stays pinned: the next run compares with
// it. A copy that the warehouse refuses, or does not finish in time, is given up, and the
// rows are read from the table.
func (r *run) copyClustered(ctx context.Context) error {
	r.dropCopies(ctx)
	name, err := r.recordCopy(ctx)
	if err != nil {
		return err
	}
	r.imp.Progress.Phase("copying the table, clustered by the timestamp", 0)
	copied, err := r.src.copy(ctx, r.snap, name, r.cursor.firstUnread())
	switch {
	case isStatementError(err) && !jobs.IsCode(err, jobs.CodeCancelled), jobs.IsCode(err, jobs.CodeTimeout):
		r.imp.Progress.Phase("the copy was refused: reading the table itself", 0)
		return nil
	case err != nil:
		return err
	}
	r.snap = copied
	return nil
}

// recordCopy gives a copy its name, and stores it before the table is created: a copy that no
// cursor names would never be dropped.
func (r *run) recordCopy(ctx context.Context) (name string, err error) {
	if name, err = r.newCopyName(); err != nil {
		return "", err
	}
	r.cursor.addCopy(name)
	return name, r.imp.writeCursor(ctx, cursorChange{cursor: r.cursor})
}
