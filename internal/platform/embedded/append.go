package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// resolveTimeout limits the check whether a failed commit took effect, and the
// clean-up after a failure.
const resolveTimeout = 20 * time.Second

// appender writes the segments of one stream for this process.
type appender struct {
	p      *Platform
	stream string

	mu     sync.Mutex
	closed bool
	swept  bool
	count  int
	// file is the segment being written; nil if the next append begins one.
	file segmentFile
	name string
	// id is the id of the segment's row; 0 until the segment is committed.
	id int64
	// length is the committed length of the file.
	length int64
	// undecided are earlier segments of this process.
	undecided []undecidedSegment
}

// extent is the part of a segment that one append wrote.
type extent struct {
	start, length int64
	// text is the number of bytes of its lines.
	text       int64
	textLength sql.Null[int64]
	events     int64
	checksum   uint32
	// first and last are the times of the earliest and the latest event, in
	// microseconds since 1970.
	first, last int64
}

// Append adds events to the end of a stream. It calls commit, which may be nil, in the
// transaction that commits the events, so that both take effect together. commit
// receives the events that no stream can hold; they are not stored. Append creates the
// stream if it does not exist. Without events, it only calls commit.
func (p *Platform) Append(
	ctx context.Context, stream string, events []jobs.Event, commit func(tx *store.Tx, rejected []jobs.RejectedEvent) error,
) (jobs.AppendResult, error) {
	if err := platform.ValidateStream(stream); err != nil {
		return jobs.AppendResult{}, err
	}
	for i := range events {
		if err := checkEvent(events[i]); err != nil {
			return jobs.AppendResult{}, &jobs.Error{
				Code:    jobs.CodeFailed,
				Summary: fmt.Sprintf("Event %q cannot be appended to stream %s", events[i].ID, stream),
				Detail:  err.Error(),
				Next:    "Correct the source of the event; no event of its batch was appended",
				Err:     err,
			}
		}
	}
	a, err := p.appenderOf(stream)
	if err != nil {
		return jobs.AppendResult{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for {
		kept, list, err := p.withoutErased(ctx, stream, events)
		erased := len(events) - len(kept)
		kept, rejected := splitRejected(kept)
		if err == nil {
			err = a.append(ctx, kept, list, func(tx *store.Tx) error {
				if commit == nil {
					return nil
				}
				return commit(tx, rejected)
			})
		}
		if errors.Is(err, errErasedMeanwhile) || errors.Is(err, errGivenUp) {
			continue
		}
		if err != nil {
			return jobs.AppendResult{}, p.storageError("Cannot append to stream "+stream, err)
		}
		return jobs.AppendResult{Written: int64(len(kept)), Erased: int64(erased), Rejected: int64(len(rejected))}, nil
	}
}

func (a *appender) append(ctx context.Context, events []jobs.Event, list int64, commit func(tx *store.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if a.closed {
		return errClosed
	}
	if len(events) == 0 {
		return a.commit(ctx, extent{}, list, commit)
	}
	if err := a.open(ctx); err != nil {
		return err
	}
	x, err := a.write(events)
	if err != nil {
		return errors.Join(err, a.truncateToCommitted(ctx))
	}
	if err := a.file.Sync(); err != nil {
		// After a failed sync the content of the file is unknown, so it is not used
		// again. Its committed bytes were synced before.
		return errors.Join(err, a.giveUpSegment(ctx))
	}
	if err := a.commit(ctx, x, list, commit); errors.Is(err, errErasedMeanwhile) || errors.Is(err, errGivenUp) {
		return errors.Join(err, a.giveUpSegment(ctx))
	} else if err != nil {
		return errors.Join(err, a.resolveFailedCommit(ctx, x, err))
	}
	a.length += x.length
	a.settle(ctx)
	return nil
}

// open begins a segment if there is none or it is full. Before the first segment, it
// removes the uncommitted bytes of dead writers from the stream.
func (a *appender) open(ctx context.Context) error {
	if !a.swept {
		if err := a.p.segments.sweep(ctx, a.stream, sweepExpired); err != nil {
			return err
		}
		a.swept = true
	}
	if a.file != nil && a.length >= a.p.segments.maxSize() {
		if err := a.close(); err != nil {
			return err
		}
	}
	if a.file != nil {
		return nil
	}
	writer, err := a.p.segments.writerName(ctx)
	if err != nil {
		return err
	}
	a.count++
	name := path.Join(streamDir(a.stream), fmt.Sprintf("%s-%06d%s", writer, a.count, segmentSuffix))
	f, err := a.p.segments.create(ctx, a.stream, name)
	if err != nil {
		return err
	}
	a.file, a.name, a.id, a.length = f, name, 0, 0
	return nil
}

func (a *appender) close() error {
	if a.file == nil {
		return nil
	}
	f := a.file
	a.file = nil
	return f.Close()
}

func (a *appender) write(events []jobs.Event) (extent, error) {
	x := extent{start: a.length, events: int64(len(events))}
	w, err := newExtentWriter(a.file, a.length, a.p.segments.compressed())
	if err != nil {
		return x, err
	}
	defer w.release()
	for i := range events {
		w.buffer = appendLine(w.buffer, events[i])
		us := events[i].Time.UnixMicro()
		if i == 0 {
			x.first, x.last = us, us
		}
		x.first, x.last = min(x.first, us), max(x.last, us)
		if err := w.wrote(); err != nil {
			return x, err
		}
	}
	err = w.flush()
	x.length, x.text, x.textLength, x.checksum = w.length, w.text, w.textLength(), w.checksum
	return x, err
}

// truncateToCommitted cuts the segment to its committed length, so that a full
// disk gets its space back. A segment that cannot be cut is not used again.
func (a *appender) truncateToCommitted(ctx context.Context) error {
	if a.id == 0 {
		return a.giveUpSegment(ctx)
	}
	if err := a.file.Truncate(a.length); err != nil {
		return errors.Join(err, a.close())
	}
	return nil
}

// giveUpSegment closes the segment; the next append begins another one.
func (a *appender) giveUpSegment(ctx context.Context) error {
	if a.file == nil {
		return nil
	}
	if a.id != 0 {
		return errors.Join(a.file.Truncate(a.length), a.close())
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTimeout)
	defer cancel()
	return errors.Join(a.close(), a.p.segments.discard(ctx, a.name))
}

// resolveFailedCommit finds out whether a failed transaction was committed. If only
// the response was lost, or if the outcome is open, the bytes must stay in the segment.
func (a *appender) resolveFailedCommit(ctx context.Context, x extent, failure error) error {
	if a.file == nil || x.events == 0 {
		return nil
	}
	if errors.Is(failure, store.ErrUndecided) {
		a.keepUndecided()
		return nil
	}
	if a.id == 0 {
		return a.giveUpSegment(ctx)
	}
	resolving, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTimeout)
	defer cancel()
	id, length, err := committed(resolving, a.p.db.Read(), a.name)
	if err != nil || id == 0 {
		return errors.Join(err, a.close())
	}
	a.length = length
	return a.truncateToCommitted(ctx)
}

// committed returns the row id and the committed length of a segment; id is 0 if the
// segment is not committed.
func committed(ctx context.Context, q queryer, file string) (id, length int64, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT s.id, coalesce(max(x.start + x.length), 0) FROM segments s LEFT JOIN extents x ON x.segment = s.id
		WHERE s.file = ? GROUP BY s.id`, file).Scan(&id, &length)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, 0, nil
	}
	return id, length, err
}

func (a *appender) commit(ctx context.Context, x extent, list int64, commit func(tx *store.Tx) error) error {
	var id int64
	now := a.p.now().UnixMicro()
	err := a.p.db.WriteCommitted(ctx, func(tx *store.Tx) error {
		id = a.id
		if err := a.checkErasure(ctx, tx, x, list); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO streams (name, events, bytes, created_at) VALUES (?, 0, 0, ?) ON CONFLICT DO NOTHING`, a.stream, now); err != nil {
			return err
		}
		if x.events > 0 {
			var err error
			if id, err = a.record(ctx, tx, id, x, now); err != nil {
				return err
			}
		}
		return commit(tx)
	})
	if err == nil {
		a.id = id
	}
	return err
}

// record writes the row of an extent and, for a new segment, the row of the segment. It
// first updates the row of the stream and so locks it, so that the extents of a stream
// are committed in the order of their ids.
func (a *appender) record(ctx context.Context, tx *store.Tx, segment int64, x extent, now int64) (int64, error) {
	if _, err := tx.ExecContext(ctx, `
		UPDATE streams SET events = events + ?, bytes = bytes + ?,
			first_time = CASE WHEN first_time <= ? THEN first_time ELSE ? END,
			last_time = CASE WHEN last_time >= ? THEN last_time ELSE ? END
		WHERE name = ?`,
		x.events, x.text, x.first, x.first, x.last, x.last, a.stream); err != nil {
		return 0, err
	}
	if segment == 0 {
		if err := a.p.segments.commitSegment(ctx, tx, a.name); err != nil {
			return 0, err
		}
		if err := tx.QueryRowContext(ctx, `INSERT INTO segments (stream, file, created_at) VALUES (?, ?, ?) RETURNING id`,
			a.stream, a.name, now).Scan(&segment); err != nil {
			return 0, err
		}
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO extents (stream, segment, start, length, text_length, events, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		a.stream, segment, x.start, x.length, x.textLength, x.events, int64(x.checksum))
	return segment, err
}

// errGivenUp means that another process removed the segment of an append before the
// append committed it, because the append took longer than uploadLease.
var errGivenUp = errors.New("the segment was given up")
