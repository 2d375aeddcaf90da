package embedded

import (
	"context"
	"io"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// segmentStorage stores segments, in files of the data directory or in objects of a
// bucket or volume. Names of segments are paths with slashes; no name is used twice.
type segmentStorage interface {
	// maxSize is the length of a segment, in bytes, from which on an append begins
	// a new one.
	maxSize() int64
	// compressed says whether the lines of new extents are compressed.
	compressed() bool
	// writerName is the name of this process. The base names of its segments
	// begin with it.
	writerName(ctx context.Context) (string, error)
	// create begins a segment. ctx is the context of the first append to it.
	create(ctx context.Context, stream, name string) (segmentFile, error)
	// commitSegment is called in the transaction that commits a new segment. It
	// fails with errGivenUp if another process removed the segment.
	commitSegment(ctx context.Context, tx *store.Tx, name string) error
	// discard removes a segment that is not committed, and prevents it from being
	// committed later. It keeps a segment that was committed by a transaction whose
	// response was lost.
	discard(ctx context.Context, name string) error
	// open opens a segment for reading. If the segment does not exist, open or
	// the first read fails with fs.ErrNotExist.
	open(ctx context.Context, name string) (segmentReader, error)
	// remove removes a segment that the store no longer refers to, if it exists.
	remove(ctx context.Context, name string) error
	// sweep removes the uncommitted bytes of dead writers from a stream.
	sweep(ctx context.Context, stream string, extent sweepExtent) error
	close() error
}

// sweepExtent selects the bytes that a sweep removes.
type sweepExtent int

const (
	// sweepExpired removes bytes that certainly belong to a dead writer.
	sweepExpired sweepExtent = iota
	// sweepUncommitted removes all uncommitted bytes of the stream, and prevents
	// them from being committed later.
	sweepUncommitted
)

// segmentFile is a segment that is being written, from its beginning to its end; after
// a Truncate, writing continues at the new end.
type segmentFile interface {
	io.WriterAt
	io.Closer
	// Sync makes the written bytes durable.
	Sync() error
	Truncate(size int64) error
}

// segmentReader is a segment that is being read.
type segmentReader interface {
	io.ReaderAt
	io.Closer
}

// segmentSuffix is the end of a segment's name: WRITER-NUMBER.ndjson.
const segmentSuffix = ".ndjson"
