package exporter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
)

const (
	// DefaultFileBytes is the default size of a file, in bytes of the text of its cells.
	// Compression reduces it to a third or a quarter. With the option multiLine, the
	// warehouse reads a CSV file in one task, so several files load in parallel.
	DefaultFileBytes = 128 << 20
	// maxWriters limits the number of files that are written at the same time. Each
	// holds parts of its upload in memory.
	maxWriters = 4
	// A chunk ends when it has chunkBytes, chunkRows or the size of a file.
	chunkBytes = 512 << 10
	chunkRows  = 2048
	// writeBuffer is the size of the buffer that collects small writes for the upload,
	// which runs in another goroutine.
	writeBuffer = 256 << 10
)

// stagedFiles are the files of a scan.
type stagedFiles struct {
	layout layout
	files  []string // names below the run's prefix
	rows   int64
	bytes  int64
}

// stager writes the rows of a scan to files. The scan goes on while several writers
// encode, compress and upload.
type stager struct {
	e      *Export
	layout layout
	chunks chan *rowChunk
	free   chan *rowChunk // written chunks, for reuse
	bytes  atomic.Int64

	mu sync.Mutex
	// begun is the number of files that were begun, and files are the names of the
	// finished ones.
	begun int
	files []string
}

// stageFiles writes the profiles to files below the run's prefix.
func (e *Export) stageFiles(ctx context.Context, l layout, profiles iter.Seq2[[]jobs.Value, error]) (*stagedFiles, error) {
	e.Progress.Phase("writing the audience to staging", 0)
	writers := max(1, min(runtime.GOMAXPROCS(0), maxWriters))
	s := &stager{e: e, layout: l, chunks: make(chan *rowChunk, writers), free: make(chan *rowChunk, 2*writers+1)}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for range writers {
		group.Go(func() error { return panics.Catch(func() error { return s.writeFiles(ctx) }) })
	}
	rows, scanErr := s.scan(ctx, profiles)
	if scanErr != nil {
		cancel() // abort the files of an incomplete scan
	}
	close(s.chunks)
	err := group.Wait()
	// A writer's failure also ends the scan. The writer's error is the cause.
	if err == nil || scanErr != nil && !errors.Is(scanErr, context.Canceled) {
		err = scanErr
	}
	if err != nil {
		return nil, err
	}
	out := &stagedFiles{layout: l, files: s.files, rows: rows, bytes: s.bytes.Load()}
	e.Progress.Count(func(c *jobs.Counts) { c.RowsRead, c.Bytes = out.rows, out.bytes })
	return out, nil
}

var errWritersStopped = errors.New("the writers of the staged files have stopped")

// scan passes the rows to the writers, in chunks.
func (s *stager) scan(ctx context.Context, profiles iter.Seq2[[]jobs.Value, error]) (rows int64, err error) {
	p := s.emptyChunk()
	width := len(s.layout.columns)
	enough := min(chunkBytes, s.e.fileBytes())
	send := func() error {
		n := int64(p.rows)
		select {
		case s.chunks <- p:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", errWritersStopped, ctx.Err())
		}
		rows += n
		s.e.Progress.Advance(n)
		p = s.emptyChunk()
		return nil
	}
	for values, err := range profiles {
		if err != nil {
			return rows, err
		}
		if len(values) != width {
			return rows, fmt.Errorf("a profile has %d values for %d columns", len(values), width)
		}
		s.layout.add(p, values)
		if p.size >= enough || p.rows >= chunkRows {
			if err := send(); err != nil {
				return rows, err
			}
		}
	}
	if p.rows == 0 {
		return rows, nil
	}
	return rows, send()
}

// emptyChunk returns a chunk to fill.
func (s *stager) emptyChunk() *rowChunk {
	select {
	case p := <-s.free:
		p.text, p.cells, p.rows, p.size = p.text[:0], p.cells[:0], 0, 0
		return p
	default:
	}
	p := &rowChunk{}
	if s.layout.format == jobs.FormatCSV {
		p.text = make([]byte, 0, chunkBytes+chunkBytes/8)
	}
	return p
}

// writeFiles writes one file after another until there are no more rows.
func (s *stager) writeFiles(ctx context.Context) error {
	for {
		select {
		case p, more := <-s.chunks:
			if !more {
				return nil
			}
			if err := s.writeFile(ctx, p); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// writeFile writes a file that begins with a chunk and ends when it is full or when
// there are no more rows.
func (s *stager) writeFile(ctx context.Context, p *rowChunk) error {
	name := s.nextName()
	object, err := s.e.Staging.Create(ctx, s.e.runPrefix(s.e.name)+name)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriterSize(object, writeBuffer)
	counted := &countingWriter{w: buffer}
	err = s.fill(ctx, counted, p)
	if err == nil {
		err = buffer.Flush()
	}
	s.bytes.Add(counted.n)
	if err != nil {
		return errors.Join(err, object.Abort())
	}
	if err := object.Close(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = append(s.files, name)
	return nil
}

// fill encodes chunks into a file.
func (s *stager) fill(ctx context.Context, w io.Writer, p *rowChunk) error {
	to, err := s.layout.newEncoder(w)
	if err != nil {
		return err
	}
	for size := 0; ; {
		if err := to.write(p); err != nil {
			return err
		}
		size += p.size
		s.free <- p // never blocks: the channel has room for all chunks
		if size >= s.e.fileBytes() {
			return to.close()
		}
		var more bool
		select {
		case p, more = <-s.chunks:
			if !more {
				return to.close()
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// nextName returns the name of the next file.
func (s *stager) nextName() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun++
	return fmt.Sprintf("part-%05d%s", s.begun-1, s.layout.extension())
}

// fileBytes is FileBytes with its default.
func (e *Export) fileBytes() int {
	if e.FileBytes > 0 {
		return e.FileBytes
	}
	return DefaultFileBytes
}

// countingWriter counts the bytes that are written.
type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
