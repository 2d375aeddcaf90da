package embedded

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// erasedList is the identities that were erased, as keyed hashes.
type erasedList struct {
	version int64
	key     []byte
	hashes  map[[sha256.Size]byte]struct{}
}

func (l *erasedList) hash(field, value string) (h [sha256.Size]byte) {
	mac := hmac.New(sha256.New, l.key)
	// hash.Hash never fails to write. The field's id has no zero byte.
	_, _ = mac.Write([]byte(field + "\x00" + value))
	mac.Sum(h[:0])
	return h
}

// has tells whether one of the identities was erased.
func (l *erasedList) has(fields []mappedField, identities []identity) bool {
	if len(l.hashes) == 0 {
		return false
	}
	return slices.ContainsFunc(identities, func(i identity) bool {
		_, ok := l.hashes[l.hash(fields[i.field].ID, i.value)]
		return ok
	})
}

// listLock is held by who adds to the list, and shared by appends that must not
// miss it.
const listLock = "erased identities"

const listVersion = `SELECT coalesce(max(id), 0) FROM erased_identities`

// erased gives the list as it is now.
func (p *Platform) erased(ctx context.Context) (*erasedList, error) {
	l := &erasedList{}
	err := p.db.Read().Snapshot(ctx, func(q store.Querier) error {
		if err := q.QueryRowContext(ctx, listVersion).Scan(&l.version); err != nil {
			return err
		}
		if old := p.list.Load(); old != nil && old.version == l.version {
			l = old
			return nil
		}
		if l.version == 0 {
			return nil
		}
		return l.load(ctx, q)
	})
	if err != nil {
		return nil, err
	}
	p.list.Store(l)
	return l, nil
}

func (l *erasedList) load(ctx context.Context, q queryer) error {
	if err := q.QueryRowContext(ctx, `SELECT key FROM erasure`).Scan(&l.key); err != nil {
		return err
	}
	rows, err := q.QueryContext(ctx, `SELECT hash FROM erased_identities`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	l.hashes = map[[sha256.Size]byte]struct{}{}
	for rows.Next() {
		var h sql.RawBytes
		if err := rows.Scan(&h); err != nil {
			return err
		}
		l.hashes[[sha256.Size]byte(h)] = struct{}{}
	}
	return rows.Err()
}

// addErased puts identities on the list, and notes that what there is of them
// has to go.
func addErased(ctx context.Context, tx *store.Tx, identities []jobs.Identity, now int64) error {
	if err := tx.Lock(ctx, listLock); err != nil {
		return err
	}
	fresh := make([]byte, sha256.Size)
	if _, err := rand.Read(fresh); err != nil {
		return err
	}
	l := &erasedList{}
	if err := tx.QueryRowContext(ctx, `INSERT INTO erasure (one, key, pending) VALUES (1, ?, 1)
		ON CONFLICT (one) DO UPDATE SET pending = 1 RETURNING key`, fresh).Scan(&l.key); err != nil {
		return err
	}
	for _, i := range identities {
		h := l.hash(i.Field, i.Value)
		if _, err := tx.ExecContext(ctx, `INSERT INTO erased_identities (hash, erased_at) VALUES (?, ?) ON CONFLICT DO NOTHING`, h[:], now); err != nil {
			return err
		}
	}
	return nil
}

// erasurePending tells whether an erasure was begun and not ended.
func (p *Platform) erasurePending(ctx context.Context) (pending bool, err error) {
	err = p.db.Read().QueryRowContext(ctx, `SELECT pending FROM erasure`).Scan(&pending)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return pending, err
}

// recognizer finds the events of erased users in one stream.
type recognizer struct {
	fields []mappedField
	stream *streamPlan
	list   *erasedList
	// others are identities that an erasure which is only tried would add.
	others map[identity]struct{}

	contributions []contribution
	touched       []identity
}

// newRecognizer is nil when no event of the stream can be anybody's on the list.
func newRecognizer(pl *plan, stream string, list *erasedList, others map[identity]struct{}) *recognizer {
	i := slices.IndexFunc(pl.streams, func(s *streamPlan) bool { return s.name == stream })
	if i < 0 || len(list.hashes) == 0 && len(others) == 0 {
		return nil
	}
	return &recognizer{fields: pl.fields, stream: pl.streams[i], list: list, others: others}
}

func (r *recognizer) matches(data string, micros int64) bool {
	r.contributions, _ = r.stream.evaluate(data, micros, r.fields, r.contributions[:0])
	r.touched = identitiesOf(r.contributions, r.fields, r.touched[:0])
	return r.list.has(r.fields, r.touched) || slices.ContainsFunc(r.touched, func(i identity) bool {
		_, ok := r.others[i]
		return ok
	})
}

// withoutErased leaves out the events of erased users.
func (p *Platform) withoutErased(ctx context.Context, stream string, events []jobs.Event) ([]jobs.Event, int64, error) {
	list, err := p.erased(ctx)
	if err != nil || len(list.hashes) == 0 || len(events) == 0 {
		return events, listVersionOf(list), err
	}
	pl, err := p.plan(ctx)
	if err != nil {
		return nil, 0, err
	}
	r := newRecognizer(pl, stream, list, nil)
	if r == nil {
		return events, list.version, nil
	}
	kept := make([]jobs.Event, 0, len(events))
	for _, e := range events {
		if !r.matches(string(e.Data), e.Time.UnixMicro()) {
			kept = append(kept, e)
		}
	}
	return kept, list.version, nil
}

func listVersionOf(l *erasedList) int64 {
	if l == nil {
		return 0
	}
	return l.version
}

// plan loads the definitions in one snapshot.
func (p *Platform) plan(ctx context.Context) (pl *plan, err error) {
	err = p.db.Read().Snapshot(ctx, func(q store.Querier) (err error) {
		pl, err = loadPlan(ctx, q)
		return err
	})
	return pl, err
}
