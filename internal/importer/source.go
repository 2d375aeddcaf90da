package importer

import (
	"context"
	"errors"
	"iter"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
)

// source is the table at the warehouse. Timestamps are microseconds since 1970.
type source interface {
	// latestVersion returns the commit of the newest version; ok is false for a source
	// without versions.
	latestVersion(ctx context.Context) (latest databricks.Commit, ok bool, err error)
	// commitsSince returns the commits from a version on, as far as the history has them.
	// latest is a version that is not before it.
	commitsSince(ctx context.Context, version, latest int64) ([]databricks.Commit, error)
	// columns returns the schema of a version; nil means the source as it is now.
	columns(ctx context.Context, version *int64) ([]SourceColumn, error)
	// layout returns how the source is stored.
	layout(ctx context.Context) (layout, error)
	// copy creates a table of the rows of a snapshot at or after from and of those
	// without a timestamp, which is then read instead. Without a name it is a temporary
	// table, which ends with the session. A copy of a version is clustered by the
	// timestamp.
	copy(ctx context.Context, of snapshot, name string, from int64) (snapshot, error)
	// drop removes a copy.
	drop(ctx context.Context, name string) error
	// count reads the timestamp column only.
	count(ctx context.Context, s snapshot, q countQuery) (counts, error)
	// countChanges counts a range of changes up to a version.
	countChanges(ctx context.Context, s snapshot, q changeCountQuery) (changeCounts, error)
	// checkFeed fails if the change data feed does not have the snapshot's commit.
	checkFeed(ctx context.Context, s snapshot) error
	// histogram counts the rows of ranges of equal width, without empty ranges.
	histogram(ctx context.Context, s snapshot, from, width, to int64) ([]slice, error)
	// rows reads rows in order. Pages have the columns timestamp, digest, row as
	// JSON, and time of the event; with key columns also their JSON; with a
	// previous snapshot also how often the row is in the snapshot, and how often it
	// is in the previous one; with changes also how often it was added, and 0.
	rows(ctx context.Context, s snapshot, q rowsQuery) iter.Seq2[*databricks.Batch, error]
}

// errSnapshotGone marks the error of a pinned snapshot that cannot be read any
// more.
var errSnapshotGone = errors.New("the snapshot is gone")

// errPreviousGone marks the error of the last run's version, when the comparison
// with it fails.
var errPreviousGone = errors.New("the version to compare with is gone")

// errNoHistory marks the error of a source that has versions and does not let
// this user read them: one with a row filter, say.
var errNoHistory = errors.New("versions of the source cannot be read")

// snapshot is a state of the source that later writes do not change: a version
// of it, or a copy.
type snapshot struct {
	table   *table
	version *int64
	// copied is the quoted name of the copy, which is read instead of the version.
	copied string
	// copyDerivable tells which columns of the copy follow from its others.
	copyDerivable derivable
	// label names the snapshot in counts and errors.
	label string
}

// countQuery asks for the rows above the watermark.
type countQuery struct {
	// from is the first timestamp, inclusive.
	from int64
	// upper is the timestamp after which rows count as future ones; nil takes the
	// warehouse's clock.
	upper *int64
	// window is a range that is counted as well; nil counts none.
	window *slice
}

// counts are the answer to a countQuery.
type counts struct {
	// upper is that of the query, or the warehouse's clock.
	upper int64
	// rows counts the timestamps up to upper; first and last are the least and the
	// greatest of them.
	rows, first, last int64
	// future counts the timestamps after upper, and futureLast is the greatest.
	future, futureLast int64
	// nulls counts the rows without a timestamp, window those of the window.
	nulls, window int64
}

// slice is a range of timestamps, inclusive, and how many rows it has.
type slice struct{ from, to, rows int64 }

// rowsQuery asks for rows, in the order of timestamp, key columns and digest.
type rowsQuery struct {
	slice
	// nulls asks for the rows without a timestamp instead.
	nulls bool
	// byDigest leaves the key columns out of the order.
	byDigest bool
	// after leaves out the rows that precede a position in the order of digests; nil
	// leaves out none. Rows of the position's own digest are returned.
	after *Position
	// previous leaves out rows that the snapshot has no more often than this one.
	previous *snapshot
	// changes reads the rows that were added by these changes, by as many as were
	// added more often than removed; nil reads the snapshot.
	changes *changeRange
	// deletes reads the keys of the rows that were removed more often than added
	// instead: the digest is that of the key, the row the key columns, and the times
	// are when they were removed. nulls includes rows without a timestamp.
	deletes bool
	// upper is the time of events of rows without any timestamp.
	upper int64
	// most is the largest number of rows, for samples; 0 is no limit.
	most int
}

// counted reports whether pages have the columns of counts.
func (q rowsQuery) counted() bool { return q.previous != nil || q.changes != nil }
