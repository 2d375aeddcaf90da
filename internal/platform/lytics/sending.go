package lytics

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/dchest/siphash"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// keepSends is how long the record of a failed send stays if its events are never
// appended again.
const keepSends = 90 * 24 * time.Hour

// mark is a hash of an event's id.
type mark [8]byte

func markOf(e jobs.Event) (m mark) {
	binary.BigEndian.PutUint64(m[:], siphash.Hash(0, 0, []byte(e.ID)))
	return m
}

// sending is the state of one Append. Its record in the store is written before the
// first upload, with the events of all of them, and deleted by the transaction that
// commits the events: after a kill, all uploads that were on their way are in it.
type sending struct {
	p      *Platform
	id     string
	events []jobs.Event
	marks  []mark

	// mu guards what follows while uploads are on their way.
	mu sync.Mutex
	// maybeStored marks the events that Lytics may have; counted marks those that
	// are in result.PossiblyDuplicated.
	maybeStored, counted []bool
	result               jobs.AppendResult
}

// beginSending writes the record, and counts the events that an earlier Append sent
// without learning whether Lytics stored them. The record of the batch before, which has other
// events, is not read: while it is there, each batch would index all of its own.
func (p *Platform) beginSending(ctx context.Context, stream, before string, events []jobs.Event) (*sending, error) {
	s := &sending{
		p: p, id: store.NewID("send"), events: events, marks: make([]mark, len(events)),
		maybeStored: make([]bool, len(events)), counted: make([]bool, len(events)),
	}
	all := make([]byte, 0, len(events)*len(mark{}))
	for i, e := range events {
		s.marks[i] = markOf(e)
		all = append(all, s.marks[i][:]...)
	}
	var again []int
	now := p.clock.Now().UnixMicro()
	err := p.db.Write(ctx, func(tx *store.Tx) error {
		again = again[:0]
		old, err := loadSends(ctx, tx, stream, before)
		if err != nil {
			return err
		}
		indexes := s.indexes(len(old) > 0)
		for id, blob := range old {
			var left []byte
			for m := range marks(blob) {
				if i, ok := indexes[m]; ok {
					again = append(again, i)
				} else {
					left = append(left, m[:]...)
				}
			}
			if err := replaceSend(ctx, tx, id, blob, left); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM lytics_sends WHERE created_at < ?`, now-keepSends.Microseconds()); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO lytics_sends (id, stream, events, created_at) VALUES (?, ?, ?, ?)`, s.id, stream, all, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.count(again)
	return s, nil
}

// indexes returns the indexes of the events by their marks; nil if the stream has no
// records of earlier sends to compare with.
func (s *sending) indexes(hasRecords bool) map[mark]int {
	if !hasRecords {
		return nil
	}
	indexes := make(map[mark]int, len(s.marks))
	for i, m := range s.marks {
		indexes[m] = i
	}
	return indexes
}

// loadSends reads the records of a stream but one.
func loadSends(ctx context.Context, tx *store.Tx, stream, except string) (map[string][]byte, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, events FROM lytics_sends WHERE stream = ? AND id <> ?`, stream, except)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	old := map[string][]byte{}
	for rows.Next() {
		var id string
		var blob []byte
		if err := rows.Scan(&id, &blob); err != nil {
			return nil, err
		}
		old[id] = blob
	}
	return old, rows.Err()
}

func replaceSend(ctx context.Context, tx *store.Tx, id string, was, left []byte) (err error) {
	switch len(left) {
	case len(was):
	case 0:
		_, err = tx.ExecContext(ctx, `DELETE FROM lytics_sends WHERE id = ?`, id)
	default:
		_, err = tx.ExecContext(ctx, `UPDATE lytics_sends SET events = ? WHERE id = ?`, left, id)
	}
	return err
}

// marks iterates over the marks of a record.
func marks(blob []byte) func(yield func(mark) bool) {
	return func(yield func(mark) bool) {
		for len(blob) >= len(mark{}) {
			if !yield(mark(blob[:len(mark{})])) {
				return
			}
			blob = blob[len(mark{}):]
		}
	}
}

// count adds events that are sent again to the possibly duplicated ones. Each event
// counts once.
func (s *sending) count(again []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range again {
		if !s.counted[i] {
			s.counted[i] = true
			s.result.PossiblyDuplicated++
		}
	}
}

// sent marks the events of an upload: from now on, Lytics may have them.
func (s *sending) sent(u upload) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := u.first; i < u.last; i++ {
		s.maybeStored[i] = true
	}
}

// refused unmarks the events of an upload that Lytics certainly did not store: all
// attempts at it had a known outcome.
func (s *sending) refused(u upload) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := u.first; i < u.last; i++ {
		s.maybeStored[i] = s.counted[i]
	}
}

// repeat counts the events of an upload that is sent again because there was no
// answer.
func (s *sending) repeat(u upload) {
	var again []int
	for i := u.first; i < u.last; i++ {
		again = append(again, i)
	}
	s.count(again)
}

// finish runs commit and deletes the record, in one transaction.
func (s *sending) finish(ctx context.Context, commit func(tx *store.Tx) error) error {
	return s.p.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM lytics_sends WHERE id = ?`, s.id); err != nil {
			return err
		}
		return commit(tx)
	})
}

// abandonTimeout bounds the write of abandon.
const abandonTimeout = 20 * time.Second

// abandon reduces the record to the events that Lytics may have.
func (s *sending) abandon(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTimeout)
	defer cancel()
	var left []byte
	for i, stored := range s.maybeStored {
		if stored {
			left = append(left, s.marks[i][:]...)
		}
	}
	was := make([]byte, len(s.marks)*len(mark{}))
	err := s.p.db.Write(ctx, func(tx *store.Tx) error { return replaceSend(ctx, tx, s.id, was, left) })
	if err != nil {
		return errors.New("the record of the events that Lytics may have cannot be written: " + err.Error())
	}
	return nil
}
