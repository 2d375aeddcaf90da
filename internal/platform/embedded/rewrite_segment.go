package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// segment is a row of the table segments.
type segment struct {
	id     int64
	stream string
	file   string
}

func (p *Platform) segmentsOf(ctx context.Context, stream string) ([]segment, error) {
	rows, err := p.db.Read().QueryContext(ctx, `SELECT id, stream, file FROM segments WHERE stream = ? ORDER BY id`, stream)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []segment
	for rows.Next() {
		var s segment
		if err := rows.Scan(&s.id, &s.stream, &s.file); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// extentsAfter returns the extents of a segment whose id is greater than after, in the
// order in which they were written.
func (p *Platform) extentsAfter(ctx context.Context, segment, after int64) ([]storedExtent, error) {
	rows, err := p.db.Read().QueryContext(ctx,
		`SELECT id, start, length, text_length, events, checksum FROM extents WHERE segment = ? AND id > ? ORDER BY id`, segment, after)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []storedExtent
	for rows.Next() {
		var x storedExtent
		if err := rows.Scan(&x.id, &x.start, &x.length, &x.textLength, &x.events, &x.checksum); err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, rows.Err()
}

// eachLine calls f for each line of an extent. It checks the extent's checksum before
// the last call.
func (p *Platform) eachLine(ctx context.Context, s segment, file io.ReaderAt, x storedExtent, f func(line []byte, e rawEvent) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &streamReader{p: p, stream: s.stream, current: x, at: position{extent: x.id}}
	r.current.file = s.file
	defer r.text.close()
	if err := r.text.open(file, x, 0); err != nil {
		return r.readError(err)
	}
	for r.at.offset < x.text() {
		line, e, err := r.read()
		if err != nil {
			return err
		}
		if err := f(line, e); err != nil {
			return err
		}
	}
	return nil
}

// countErased counts the events of a stream that the matcher matches.
func (p *Platform) countErased(ctx context.Context, stream string, r *erasedMatcher) (n int64, err error) {
	if r == nil {
		return 0, nil
	}
	list, err := p.segmentsOf(ctx, stream)
	if err != nil {
		return 0, err
	}
	for _, s := range list {
		in, err := p.countInSegment(ctx, s, r)
		if err != nil {
			return 0, err
		}
		n += in
	}
	return n, nil
}

func (p *Platform) countInSegment(ctx context.Context, s segment, r *erasedMatcher) (n int64, err error) {
	extents, err := p.extentsAfter(ctx, s.id, 0)
	if err != nil || len(extents) == 0 {
		return 0, err
	}
	file, err := p.segments.open(ctx, s.file)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	for _, x := range extents {
		err := p.eachLine(ctx, s, file, x, func(_ []byte, e rawEvent) error {
			if r.matches(e.data, e.micros) {
				n++
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// rewriteStream replaces the segments that hold matching events by segments
// without them.
func (p *Platform) rewriteStream(ctx context.Context, lock buildLock, stream string, r *erasedMatcher) error {
	if r == nil {
		return nil
	}
	list, err := p.segmentsOf(ctx, stream)
	if err != nil {
		return err
	}
	for _, s := range list {
		n, err := p.countInSegment(ctx, s, r)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if err := p.rewriteSegment(ctx, lock, s, r); err != nil {
			return err
		}
	}
	return nil
}

// rewriting is the replacement of a segment by a new one.
type rewriting struct {
	p    *Platform
	r    *erasedMatcher
	old  segment
	name string
	in   segmentReader
	out  segmentFile

	// done are the extents of the new segment, and length is its length.
	done   []storedExtent
	length int64
	// events and bytes are the numbers of removed events and bytes.
	events, bytes int64
}

// rewriteSegment replaces a segment by one without the matching events. An import may
// append to the old segment at the same time, so rewriteSegment copies until it has
// copied all extents.
func (p *Platform) rewriteSegment(ctx context.Context, lock buildLock, s segment, r *erasedMatcher) (err error) {
	writer, err := p.segments.writerName(ctx)
	if err != nil {
		return err
	}
	// The name begins with the name of a living writer, so that no sweep removes
	// the segment.
	w := &rewriting{p: p, r: r, old: s, name: path.Join(path.Dir(s.file), writer+"-"+store.NewID("e")+segmentSuffix)}
	if w.in, err = p.segments.open(ctx, s.file); err != nil {
		return err
	}
	defer func() { _ = w.in.Close() }()
	if w.out, err = p.segments.create(ctx, s.stream, w.name); err != nil {
		return err
	}
	replaced := false
	for !replaced && err == nil {
		if err = w.copy(ctx); err == nil {
			replaced, err = w.replace(ctx, lock)
		}
	}
	err = errors.Join(err, w.out.Close())
	// The file of an undecided replacement stays until a sweep finds this process dead.
	if !replaced && !errors.Is(err, store.ErrUndecided) {
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTimeout)
		defer cancel()
		err = errors.Join(err, p.segments.discard(cleaning, w.name))
	}
	return err
}

// copy copies the extents that it has not copied yet.
func (w *rewriting) copy(ctx context.Context) error {
	after := int64(0)
	if n := len(w.done); n > 0 {
		after = w.done[n-1].id
	}
	extents, err := w.p.extentsAfter(ctx, w.old.id, after)
	if err != nil {
		return err
	}
	for _, x := range extents {
		if err := w.copyExtent(ctx, x); err != nil {
			return err
		}
	}
	return w.out.Sync()
}

func (w *rewriting) copyExtent(ctx context.Context, x storedExtent) error {
	out, err := newExtentWriter(w.out, w.length, w.p.segments.compressed())
	if err != nil {
		return err
	}
	defer out.release()
	copied := storedExtent{id: x.id, start: w.length}
	err = w.p.eachLine(ctx, w.old, w.in, x, func(line []byte, e rawEvent) error {
		if w.r.matches(e.data, e.micros) {
			return nil
		}
		copied.events++
		out.buffer = append(out.buffer, line...)
		return out.wrote()
	})
	if err = errors.Join(err, out.flush()); err != nil {
		return err
	}
	copied.length, copied.textLength, copied.checksum = out.length, out.textLength(), out.checksum
	w.done = append(w.done, copied)
	w.length += copied.length
	w.events += x.events - copied.events
	w.bytes += x.text() - copied.text()
	return nil
}

// replace replaces the old segment by the new one. It returns false if the old segment
// has grown.
func (w *rewriting) replace(ctx context.Context, lock buildLock) (ok bool, err error) {
	err = w.p.buildWrite(ctx, lock, func(tx *store.Tx) error {
		var newest int64
		err := tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM extents WHERE segment = ?`, w.old.id).Scan(&newest)
		if err != nil {
			return err
		}
		if ok = len(w.done) > 0 && w.done[len(w.done)-1].id == newest; !ok {
			return nil
		}
		if err := w.p.segments.commitSegment(ctx, tx, w.name); err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, `UPDATE segments SET file = ? WHERE id = ? AND file = ?`, w.name, w.old.id, w.old.file)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, fmt.Errorf("segment %s was replaced at the same time", w.old.file))
		}
		for _, x := range w.done {
			if _, err := tx.ExecContext(ctx, `UPDATE extents SET start = ?, length = ?, text_length = ?, events = ?, checksum = ? WHERE id = ?`,
				x.start, x.length, x.textLength, x.events, int64(x.checksum), x.id); err != nil {
				return err
			}
		}
		// The first and last time of the stream stay, because they describe the
		// imported events.
		if _, err := tx.ExecContext(ctx, `UPDATE streams SET events = events - ?, bytes = bytes - ? WHERE name = ?`,
			w.events, w.bytes, w.old.stream); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO replaced_segments (file) VALUES (?) ON CONFLICT DO NOTHING`, w.old.file)
		return err
	})
	return ok && err == nil, err
}

// checkErasure fails with errErasedMeanwhile if an erasure replaced the segment or
// extended the list of erased users since the append read them. It runs in the
// transaction of the append.
func (a *appender) checkErasure(ctx context.Context, tx *store.Tx, x extent, list int64) error {
	if err := tx.LockShared(ctx, listLock); err != nil {
		return err
	}
	var now int64
	if err := tx.QueryRowContext(ctx, listVersion).Scan(&now); err != nil {
		return err
	}
	if now != list {
		return errErasedMeanwhile
	}
	if a.id == 0 || x.events == 0 {
		return nil
	}
	var file string
	err := tx.QueryRowContext(ctx, `SELECT file FROM segments WHERE id = ?`, a.id).Scan(&file)
	if err == nil && file != a.name {
		return errErasedMeanwhile
	}
	return err
}

// errErasedMeanwhile makes Append try again after an erasure.
var errErasedMeanwhile = errors.New("users were erased at the same time")
