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

// erasedList holds keyed hashes of the erased identities. The version is the largest
// id in the table.
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

// has reports whether one of the identities was erased.
func (l *erasedList) has(fields []mappedField, identities []identity) bool {
	if len(l.hashes) == 0 {
		return false
	}
	return slices.ContainsFunc(identities, func(i identity) bool {
		_, ok := l.hashes[l.hash(fields[i.field].ID, i.value)]
		return ok
	})
}

// listLock is the lock of the list. A transaction that adds to the list takes it
// exclusively. An append takes it shared, because it must not commit events of a user
// who is being added.
const listLock = "erased identities"

const listVersion = `SELECT coalesce(max(id), 0) FROM erased_identities`

// erased returns the committed list.
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

// addErased adds identities to the list, and records that their events and
// profiles still have to be removed.
func addErased(ctx context.Context, tx *store.Tx, identities []jobs.Identity, now int64) error {
	if err := tx.Lock(ctx, listLock); err != nil {
		return err
	}
	newKey := make([]byte, sha256.Size)
	if _, err := rand.Read(newKey); err != nil {
		return err
	}
	l := &erasedList{}
	if err := tx.QueryRowContext(ctx, `INSERT INTO erasure (one, key, pending) VALUES (1, ?, 1)
		ON CONFLICT (one) DO UPDATE SET pending = 1 RETURNING key`, newKey).Scan(&l.key); err != nil {
		return err
	}
	for _, i := range identities {
		h := l.hash(i.Field, i.Value)
		_, err := tx.ExecContext(ctx, `INSERT INTO erased_identities (hash, erased_at) VALUES (?, ?) ON CONFLICT DO NOTHING`, h[:], now)
		if err != nil {
			return err
		}
	}
	return nil
}

// erasurePending reports whether an erasure has begun but not ended.
func (p *Platform) erasurePending(ctx context.Context) (pending bool, err error) {
	err = p.db.Read().QueryRowContext(ctx, `SELECT pending FROM erasure`).Scan(&pending)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return pending, err
}

// erasedMatcher finds the events of erased users in one stream. Like a build, it
// evaluates the mappings.
type erasedMatcher struct {
	plan   *mappingPlan
	stream *streamMappings
	list   *erasedList
	// others are the identities that a dry run of an erasure would add.
	others map[identity]struct{}

	contributions []contribution
	touched       []identity
}

// newErasedMatcher returns nil if no event of the stream can match.
func newErasedMatcher(pl *mappingPlan, stream string, list *erasedList, others map[identity]struct{}) *erasedMatcher {
	i := slices.IndexFunc(pl.streams, func(s *streamMappings) bool { return s.name == stream })
	if i < 0 || len(list.hashes) == 0 && len(others) == 0 {
		return nil
	}
	return &erasedMatcher{plan: pl, stream: pl.streams[i], list: list, others: others}
}

func (r *erasedMatcher) matches(data string, micros int64) bool {
	r.contributions, _ = r.stream.evaluate(data, micros, r.plan.fields, r.contributions[:0])
	r.touched = r.plan.identitiesOf(r.contributions, r.touched[:0])
	return r.list.has(r.plan.fields, r.touched) || slices.ContainsFunc(r.touched, func(i identity) bool {
		_, ok := r.others[i]
		return ok
	})
}

// withoutErased returns the events that belong to no erased user, and the version of
// the list that it used.
func (p *Platform) withoutErased(ctx context.Context, stream string, events []jobs.Event) ([]jobs.Event, int64, error) {
	list, err := p.erased(ctx)
	if err != nil || len(list.hashes) == 0 || len(events) == 0 {
		return events, listVersionOf(list), err
	}
	pl, err := p.mappingPlan(ctx)
	if err != nil {
		return nil, 0, err
	}
	r := newErasedMatcher(pl, stream, list, nil)
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

// BelongsTo returns a function that reports whether an event of a stream belongs to
// the user of these identities, or to a user on the list. It evaluates the mappings
// of the stream, as erasing events does.
func (p *Platform) BelongsTo(ctx context.Context, ids []jobs.Identity) (func(stream string, e jobs.Event) bool, error) {
	pl, err := p.mappingPlan(ctx)
	if err != nil {
		return nil, p.storageError("Cannot find the rows of the user", err)
	}
	list, err := p.erased(ctx)
	if err != nil {
		return nil, p.storageError("Cannot find the rows of the user", err)
	}
	others := map[identity]struct{}{}
	for _, id := range ids {
		if field := slices.IndexFunc(pl.fields, func(f mappedField) bool { return f.ID == id.Field }); field >= 0 {
			others[identity{field, id.Value}] = struct{}{}
		}
	}
	matchers := map[string]*erasedMatcher{}
	return func(stream string, e jobs.Event) bool {
		m, ok := matchers[stream]
		if !ok {
			m = newErasedMatcher(pl, stream, list, others)
			matchers[stream] = m
		}
		return m != nil && m.matches(string(e.Data), e.Time.UnixMicro())
	}, nil
}
