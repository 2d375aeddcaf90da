package embedded

import (
	"context"
	"io"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// segmentStorage is where the bytes of streams are: files of the data
// directory, or objects of a bucket. Segments are named by paths with slashes,
// and no name is used twice.
type segmentStorage interface {
	// size is the length from which on an append begins another segment.
	size() int64
	// writer is the name of this process, which the base names of its segments
	// begin with.
	writer(ctx context.Context) (string, error)
	// create begins a segment. The context governs the first append to it.
	create(ctx context.Context, stream, name string) (segmentFile, error)
	// admit is said in the transaction by which a new segment begins to count.
	// It fails with errGivenUp when somebody removed the segment meanwhile.
	admit(ctx context.Context, tx *store.Tx, name string) error
	// abandon removes a segment that was not admitted, and sees to it that it
	// never is. One that was admitted after all, by a transaction whose answer
	// was lost, stays.
	abandon(ctx context.Context, name string) error
	// open opens a segment for reading. That it is not there, fs.ErrNotExist,
	// is told by open or by the first read.
	open(ctx context.Context, name string) (segmentReader, error)
	// remove removes a segment that counts no more. One that is not there is
	// no error.
	remove(ctx context.Context, name string) error
	// sweep removes what dead writers left in a stream. Thorough, it misses
	// nothing that a writer cannot commit any more.
	sweep(ctx context.Context, stream string, thorough bool) error
	close() error
}

// segmentFile is a segment being written: from its beginning to its end, and
// where Truncate cut it again.
type segmentFile interface {
	io.WriterAt
	io.Closer
	// Sync returns when what was written outlives a crash.
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
