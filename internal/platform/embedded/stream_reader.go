package embedded

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"iter"
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Events reads a stream in the order of commit, up to the last event that is committed
// when the iteration begins. The iteration ends with the first error.
func (p *Platform) Events(ctx context.Context, stream string) iter.Seq2[jobs.Event, error] {
	return func(yield func(jobs.Event, error) bool) {
		r, err := p.readStream(ctx, stream)
		if err != nil {
			yield(jobs.Event{}, err)
			return
		}
		defer r.close()
		for {
			e, err := r.next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(jobs.Event{}, err)
				return
			}
			if !yield(jobs.Event{ID: e.id, Time: time.UnixMicro(e.micros).UTC(), Data: []byte(e.data)}, nil) {
				return
			}
		}
	}
}

// readStream returns a reader of the extents that a stream has now. The caller must close it.
func (p *Platform) readStream(ctx context.Context, stream string) (*streamReader, error) {
	if _, err := p.StreamInfo(ctx, stream); err != nil {
		return nil, err
	}
	last, err := p.lastExtent(ctx, stream)
	if err != nil {
		return nil, err
	}
	return &streamReader{p: p, stream: stream, last: last}, nil
}

// lastExtent returns the id of a stream's newest extent; 0 if it has none.
func (p *Platform) lastExtent(ctx context.Context, stream string) (id int64, err error) {
	err = p.db.Read().QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM extents WHERE stream = ?`, stream).Scan(&id)
	if err != nil {
		return 0, p.storageError("Cannot read stream "+stream, err)
	}
	return id, nil
}

// position is a position in a stream. The zero position is the beginning of the stream.
type position struct {
	// extent is the id of an extent.
	extent int64
	// offset is the number of bytes of the extent's text before the position. An offset
	// of 0 means the end of the extent.
	offset int64
	// events is the number of events in these bytes, and checksum their checksum.
	events   int64
	checksum uint32
}

// storedExtent is a row of the table extents, with the file of its segment.
type storedExtent struct {
	id     int64
	file   string
	start  int64
	length int64
	// textLength is the number of bytes of its lines, if they are compressed.
	textLength sql.Null[int64]
	events     int64
	checksum   uint32
}

// text is the number of bytes of the extent's lines.
func (x *storedExtent) text() int64 {
	if x.textLength.Valid {
		return x.textLength.V
	}
	return x.length
}

// streamReader reads a stream from a position up to the extent last.
type streamReader struct {
	p      *Platform
	stream string
	last   int64
	// at is the position after the last event that next returned.
	at position

	pending []storedExtent
	current storedExtent
	// retried means that the extents were read again because a segment was missing.
	retried bool
	// openName is the name of the segment that file reads.
	openName string
	file     segmentReader
	text     extentText
}

func (r *streamReader) close() {
	if r.file != nil {
		_ = r.file.Close()
		r.file, r.openName = nil, ""
	}
	r.text.close()
}

// atEnd reports whether the current extent was read.
func (r *streamReader) atEnd() bool {
	return r.current.id == 0 || r.at.offset == r.current.text()
}

// next returns the next event, or io.EOF.
func (r *streamReader) next(ctx context.Context) (rawEvent, error) {
	line, err := r.nextLine(ctx)
	if err != nil {
		return rawEvent{}, err
	}
	e, ok := parseLine(string(line))
	if !ok {
		return rawEvent{}, r.damage("there is no event before " + r.place())
	}
	return e, nil
}

// read reads the next line of the extent.
func (r *streamReader) read() ([]byte, rawEvent, error) {
	line, err := r.line()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, rawEvent{}, r.readError(err)
	}
	e, ok := parseLine(string(line))
	if !ok {
		return nil, rawEvent{}, r.damage(fmt.Sprintf("there is no event at byte %d", r.current.start+r.at.offset))
	}
	return line, e, r.accept(line)
}

// accept moves the position behind a line. Behind the last line of the extent, it checks
// the extent's checksum.
func (r *streamReader) accept(line []byte) error {
	r.at.checksum = crc32.Update(r.at.checksum, castagnoli, line)
	r.at.offset += int64(len(line))
	r.at.events++
	return r.checkExtent()
}

// nextLine returns the next line, which the caller parses, or io.EOF. The result is valid
// until the next read.
func (r *streamReader) nextLine(ctx context.Context) ([]byte, error) {
	for r.atEnd() {
		if err := r.advance(ctx); err != nil {
			return nil, err
		}
	}
	line, err := r.line()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, r.readError(err)
	}
	if len(line) == 0 || line[len(line)-1] != '\n' {
		return nil, r.damage(fmt.Sprintf("there is no event at byte %d", r.current.start+r.at.offset))
	}
	return line, r.accept(line)
}

// checkExtent compares an extent with what was written, if all of it was read.
func (r *streamReader) checkExtent() error {
	if r.at.offset == r.current.text() && (r.at.checksum != r.current.checksum || r.at.events != r.current.events) {
		return r.damage(
			fmt.Sprintf("the %d bytes from byte %d on differ from the bytes that were written", r.current.length, r.current.start))
	}
	return nil
}

// line reads a line. The result is valid until the next read.
func (r *streamReader) line() ([]byte, error) {
	line, err := r.text.buffer.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, r.text.explain(err)
	}
	long := slices.Clone(line)
	rest, err := r.text.buffer.ReadBytes('\n')
	return append(long, rest...), r.text.explain(err)
}

// readError returns a *jobs.Error for an error of extentText.
func (r *streamReader) readError(err error) error {
	if errors.Is(err, errDamaged) {
		return r.damage(fmt.Sprintf("the %d bytes from byte %d on: %s", r.current.length, r.current.start, err))
	}
	return r.p.storageError("Cannot read stream "+r.stream, err)
}

// place names the position for people.
func (r *streamReader) place() string {
	return fmt.Sprintf("byte %d of segment %s", r.current.start+r.at.offset, r.current.file)
}

func (r *streamReader) damage(detail string) error {
	return r.p.damageError("Stream "+r.stream+" is damaged", "segment "+r.current.file+": "+detail)
}

// extentPage is the number of extents that one query reads.
const extentPage = 500

// advance opens the next extent, or the extent of the position.
func (r *streamReader) advance(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return r.p.storageError("Cannot read stream "+r.stream, err)
	}
	resume := r.current.id == 0 && r.at.offset > 0
	if len(r.pending) == 0 {
		from := r.at.extent
		if resume {
			// The page begins with the extent that was read in part.
			from--
		}
		var err error
		if r.pending, err = r.page(ctx, from); err != nil {
			return r.p.storageError("Cannot read stream "+r.stream, err)
		}
		if len(r.pending) == 0 {
			return io.EOF
		}
	}
	r.current, r.pending = r.pending[0], r.pending[1:]
	if !resume || r.current.id != r.at.extent {
		r.at = position{extent: r.current.id}
	}
	if r.current.text() == 0 {
		return nil
	}
	err := r.openCurrent(ctx)
	if errors.Is(err, fs.ErrNotExist) && !r.retried && r.at.offset == 0 {
		// An erasure replaced the segment since the page of extents was read.
		r.retried, r.pending, r.current = true, nil, storedExtent{}
		r.at = position{extent: r.at.extent - 1}
		return r.advance(ctx)
	}
	r.retried = false
	if errors.Is(err, fs.ErrNotExist) {
		return r.damage("it does not exist")
	}
	if err != nil {
		return r.readError(err)
	}
	return nil
}

// openCurrent opens the current extent at the position. It fails with fs.ErrNotExist if
// the segment does not exist.
func (r *streamReader) openCurrent(ctx context.Context) error {
	if r.openName != r.current.file {
		r.close()
		f, err := r.p.segments.open(ctx, r.current.file)
		if err != nil {
			return err
		}
		r.file, r.openName = f, r.current.file
	}
	if err := r.text.open(r.file, r.current, r.at.offset); err != nil {
		r.close()
		return err
	}
	if _, err := r.text.buffer.Peek(1); errors.Is(err, fs.ErrNotExist) {
		r.close()
		return err
	}
	// The next read reports any other error.
	return nil
}

func (r *streamReader) page(ctx context.Context, after int64) ([]storedExtent, error) {
	rows, err := r.p.db.Read().QueryContext(ctx, `
		SELECT x.id, s.file, x.start, x.length, x.text_length, x.events, x.checksum FROM extents x JOIN segments s ON s.id = x.segment
		WHERE x.stream = ? AND x.id > ? AND x.id <= ? ORDER BY x.id LIMIT ?`, r.stream, after, r.last, extentPage)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var page []storedExtent
	for rows.Next() {
		var x storedExtent
		if err := rows.Scan(&x.id, &x.file, &x.start, &x.length, &x.textLength, &x.events, &x.checksum); err != nil {
			return nil, err
		}
		page = append(page, x)
	}
	return page, rows.Err()
}
