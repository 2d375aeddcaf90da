package embedded

import (
	"context"
	"io"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// segmentStorage is where the bytes of streams are: files of the data directory,
// or objects of a bucket. Names of segments are paths with slashes; no name is
// used twice.
type segmentStorage interface {
	// maxSize is the length, in bytes, from which on an append begins another
	// segment.
	maxSize() int64
	// writerName is the name of this process. The base names of its segments
	// begin with it.
	writerName(ctx context.Context) (string, error)
	// create begins a segment. The context governs the first append to it.
	create(ctx context.Context, stream, name string) (segmentFile, error)
	// commitSegment is part of the transaction that commits a new segment. It
	// fails with errGivenUp if another process removed the segment meanwhile.
	commitSegment(ctx context.Context, tx *store.Tx, name string) error
	// discard removes a segment that is not committed, and prevents that it is
	// committed later. A segment that was committed after all, by a transaction
	// whose answer was lost, stays.
	discard(ctx context.Context, name string) error
	// open opens a segment for reading. If the segment does not exist, open or
	// the first read fails with fs.ErrNotExist.
	open(ctx context.Context, name string) (segmentReader, error)
	// remove removes a segment that the store does not refer to any more. If it
	// does not exist, that is no error.
	remove(ctx context.Context, name string) error
	// sweep removes what dead writers left in a stream.
	sweep(ctx context.Context, stream string, extent sweepExtent) error
	close() error
}

// sweepExtent is how much a sweep removes.
type sweepExtent int

const (
	// sweepExpired removes what is certain to belong to a dead writer.
	sweepExpired sweepExtent = iota
	// sweepUncommitted removes everything of the stream that is not committed,
	// and takes care that it never is.
	sweepUncommitted
)

// segmentFile is a segment being written: from its beginning to its end, and
// after a Truncate on from there.
type segmentFile interface {
	io.WriterAt
	io.Closer
	// Sync returns when what was written survives a crash of the machine.
	Sync() error
	Truncate(size int64) error
}

// segmentReader is a segment being read.
type segmentReader interface {
	io.ReaderAt
	io.Closer
}

// segmentSuffix ends the name of a segment: WRITER-NUMBER.ndjson.
const segmentSuffix = ".ndjson"
