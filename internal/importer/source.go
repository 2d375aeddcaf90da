package importer

import (
	"context"
	"errors"
	"iter"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
)

// source is the table where it is. Timestamps are microseconds since 1970.
type source interface {
	// latest gives the newest version; ok is false for a source without history.
	latestVersion(ctx context.Context) (version int64, ok bool, err error)
	// columns gives the schema at a version, or of the source as it is now.
	columns(ctx context.Context, version *int64) ([]SourceColumn, error)
	// copy makes a table of the rows at or after from, and those without a
	// timestamp, to read instead of the source. An empty name is a table that
	// ends with the session.
	copy(ctx context.Context, t *table, name string, from int64) (snapshot, error)
	// drop removes a copy.
	drop(ctx context.Context, name string) error
	// count looks at timestamps only.
	count(ctx context.Context, s snapshot, q countQuery) (counts, error)
	// histogram counts rows by ranges of equal width, leaving out empty ones.
	histogram(ctx context.Context, s snapshot, from, width, to int64) ([]slice, error)
	// rows reads rows in order. Batches have the columns timestamp, digest, row,
	// time of the event; with key columns, their text; with a previous snapshot,
	// how often the row is there, and how often it was there before.
	rows(ctx context.Context, s snapshot, q rowsQuery) iter.Seq2[*databricks.Batch, error]
}

// errSnapshotGone marks the error of a snapshot that cannot be read any more.
var errSnapshotGone = errors.New("the snapshot is gone")

// errPreviousGone marks that of the version that the last run read.
var errPreviousGone = errors.New("the version to compare with is gone")

// errNoHistory marks the error of a version that the source does not let be
// read, although it has one.
var errNoHistory = errors.New("versions of the source cannot be read")

// snapshot is a source that does not move.
type snapshot struct {
	table   *table
	version *int64
	// copied is the table that the rows were copied to, as it stands in SQL.
	copied string
	label  string
}

// countQuery asks for the rows above the watermark.
type countQuery struct {
	// from is the first timestamp, inclusive.
	from int64
	// upper is the last one that is not of the future; nil takes the
	// warehouse's clock.
	upper *int64
	// window, if set, is the range to count besides, inclusive.
	window *slice
}

type counts struct {
	upper int64
	// rows lie from the first timestamp to upper, first and last being theirs;
	// future is what lies above, last of it at futureLast.
	rows, first, last  int64
	future, futureLast int64
	nulls              int64
	window             int64
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
	// after leaves out what is certainly not after a position of this order.
	after *Position
	// previous leaves out rows that are there no more often than they were.
	previous *snapshot
	// upper is the time of events that have none of their own.
	upper int64
}
