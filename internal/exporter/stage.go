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
)

const (
	// DefaultFileText is how much text of cells a file holds: with multiLine a
	// CSV file is one task at the warehouse, so that several files load side by
	// side. Compressed it is a third or a quarter of that.
	DefaultFileText = 128 << 20
	// mostWriters bounds the files that are written side by side, and with them
	// memory: each holds parts of its upload.
	mostWriters = 4
	// pieceText and pieceRows bound the rows that are handed to a writer at once.
	pieceText = 512 << 10
	pieceRows = 2048
	// writeBuffer spares the upload, which is another goroutine, small pieces.
	writeBuffer = 256 << 10
)

// staged is what a scan wrote.
type staged struct {
	layout layout
	files  []string // names below the run's prefix
	rows   int64
	bytes  int64
}

// stager writes the rows of a scan to files: the scan goes on while several
// writers encode, compress and upload.
type stager struct {
	e      *Export
	layout layout
	pieces chan *piece
	free   chan *piece // written, to be filled again
	bytes  atomic.Int64

	mu    sync.Mutex
	begun int
	files []string
}

// stage writes the profiles to files below the run's prefix.
func (e *Export) stage(ctx context.Context, l layout, profiles iter.Seq2[[]jobs.Value, error]) (*staged, error) {
	e.Progress.Phase("writing the audience to staging", 0)
	writers := max(1, min(runtime.GOMAXPROCS(0), mostWriters))
	s := &stager{e: e, layout: l, pieces: make(chan *piece, writers), free: make(chan *piece, 2*writers+1)}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for range writers {
		group.Go(func() error { return s.writeFiles(ctx) })
	}
	rows, scanErr := s.scan(ctx, profiles)
	if scanErr != nil {
		cancel() // no file ends as if it were whole
	}
	close(s.pieces)
	err := group.Wait()
	// A writer's failure ends the scan too: then the scan's error only says so.
	if err == nil || scanErr != nil && !errors.Is(scanErr, context.Canceled) {
		err = scanErr
	}
	if err != nil {
		return nil, err
	}
	out := &staged{layout: l, files: s.files, rows: rows, bytes: s.bytes.Load()}
	e.Progress.Count(func(c *jobs.Counts) { c.RowsRead, c.Bytes = out.rows, out.bytes })
	return out, nil
}

var errWritersStopped = errors.New("nobody takes the rows any more")

// scan hands the rows to the writers.
func (s *stager) scan(ctx context.Context, profiles iter.Seq2[[]jobs.Value, error]) (rows int64, err error) {
	p := s.empty()
	width := len(s.layout.columns)
	send := func() error {
		n := int64(p.rows)
		select {
		case s.pieces <- p:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", errWritersStopped, ctx.Err())
		}
		rows += n
		s.e.Progress.Advance(n)
		p = s.empty()
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
		if p.size >= pieceText || p.rows >= pieceRows {
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

func (s *stager) empty() *piece {
	select {
	case p := <-s.free:
		p.text, p.cells, p.rows, p.size = p.text[:0], p.cells[:0], 0, 0
		return p
	default:
	}
	p := &piece{}
	if s.layout.format == jobs.FormatCSV {
		p.text = make([]byte, 0, pieceText+pieceText/8)
	}
	return p
}

// writeFiles writes one file after the other, until there are no more rows.
func (s *stager) writeFiles(ctx context.Context) error {
	for {
		select {
		case p, more := <-s.pieces:
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

// writeFile writes a file that begins with the piece and ends when it is full,
// or when there are no more rows.
func (s *stager) writeFile(ctx context.Context, p *piece) error {
	name := s.name()
	object, err := s.e.Staging.Create(ctx, s.e.prefix(s.e.name)+name)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriterSize(object, writeBuffer)
	counted := &counter{w: buffer}
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

func (s *stager) fill(ctx context.Context, w io.Writer, p *piece) error {
	to, err := s.layout.newEncoder(w)
	if err != nil {
		return err
	}
	for text := 0; ; {
		if err := to.write(p); err != nil {
			return err
		}
		text += p.size
		s.free <- p // there are never more pieces than it has room for
		if text >= s.e.fileText() {
			return to.close()
		}
		var more bool
		select {
		case p, more = <-s.pieces:
			if !more {
				return to.close()
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *stager) name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun++
	return fmt.Sprintf("part-%05d%s", s.begun-1, s.layout.extension())
}

// fileText is where a file ends.
func (e *Export) fileText() int {
	if e.FileText > 0 {
		return e.FileText
	}
	return DefaultFileText
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
