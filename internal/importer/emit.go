package importer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// emitter turns rows into events and commits them with the cursor.
type emitter struct {
	i      *Import
	cursor *store.Cursor
	// start is the watermark that the attempt began at.
	start *int64

	// The group of identical rows that the last batch ended in.
	micros      int64
	digest      string
	occurrence  int64 // of them seen, sent before or now
	toSkip      int64 // of them sent before and not yet met
	groupIsOpen bool
}

func newEmitter(i *Import, cursor *store.Cursor) *emitter {
	e := &emitter{i: i, cursor: cursor}
	if cursor.Watermark != nil {
		start := *cursor.Watermark
		e.start = &start
	}
	return e
}

// emit sends the rows of a batch that were not sent before.
func (e *emitter) emit(ctx context.Context, batch []row) error {
	known, err := e.known(ctx, batch)
	if err != nil {
		return err
	}
	last := batch[len(batch)-1].micros
	ties := map[string]int64{}
	events := make([]jobs.Event, 0, len(batch))
	var bytes int64
	for _, r := range batch {
		if !e.groupIsOpen || r.micros != e.micros || r.digest != e.digest {
			e.groupIsOpen, e.micros, e.digest, e.occurrence, e.toSkip = true, r.micros, r.digest, 0, 0
			if e.start != nil && r.micros == *e.start {
				e.toSkip = known[r.digest]
			}
		}
		e.occurrence++
		if e.toSkip > 0 {
			e.toSkip--
			continue
		}
		events = append(events, jobs.Event{
			ID:   EventID(e.i.Key, e.cursor.Generation, r.micros, r.digest, e.occurrence),
			Time: time.UnixMicro(r.recorded).UTC(),
			Data: r.data,
		})
		bytes += int64(len(r.data))
		if r.micros == last {
			ties[r.digest]++
		}
	}
	next := *e.cursor
	moved := next.Watermark == nil || *next.Watermark != last
	next.Watermark = &last
	next.Sent += int64(len(events))
	commit := func(tx *store.Tx) error {
		if err := e.i.Fence(tx); err != nil {
			return err
		}
		if err := store.AddTies(ctx, tx, e.i.Key, moved, ties); err != nil {
			return err
		}
		return store.PutCursor(ctx, tx, e.i.Key, next)
	}
	if len(events) == 0 {
		err = e.i.Cursors.Write(ctx, commit)
	} else {
		err = e.i.Sink.Append(ctx, e.i.Spec.Stream, events, commit)
	}
	if err != nil {
		return err
	}
	*e.cursor = next
	watermark := time.UnixMicro(last).UTC()
	e.i.Progress.Count(func(c *jobs.Counts) {
		c.RowsRead += int64(len(batch))
		c.RowsWritten += int64(len(events))
		c.RowsKnown += int64(len(batch) - len(events))
		c.Bytes += bytes
		c.Watermark = &watermark
	})
	return nil
}

// known asks how often the batch's rows at the start watermark were sent. Only
// their range of digests is read: a million rows on one timestamp need no more
// memory than a batch.
func (e *emitter) known(ctx context.Context, batch []row) (map[string]int64, error) {
	if e.start == nil {
		return nil, nil
	}
	var from, to string
	for _, r := range batch {
		if r.micros != *e.start {
			break
		}
		if from == "" || r.digest < from {
			from = r.digest
		}
		to = max(to, r.digest)
	}
	if from == "" {
		return nil, nil
	}
	return e.i.Cursors.Ties(ctx, e.i.Key, from, to)
}

// EventID is stable: the same row of the same generation has the same id, and
// two identical rows differ by their occurrence, which counts from 1.
func EventID(key string, generation int, micros int64, digest string, occurrence int64) string {
	h := sha256.New()
	var n [8]byte
	for _, part := range []string{key, digest} {
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	for _, v := range []int64{int64(generation), micros, occurrence} {
		binary.BigEndian.PutUint64(n[:], uint64(v)) // #nosec G115 -- the bits are what is hashed
		h.Write(n[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
