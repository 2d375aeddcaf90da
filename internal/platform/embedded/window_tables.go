package embedded

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// tableWriter builds the tables of a generation.
type tableWriter struct {
	*tableRight
	names [4]string
}

func (*tableWriter) close() error { return nil }

func (w *tableWriter) counters(ctx context.Context) (c counters, err error) {
	rows, err := w.pool.Query(ctx, `SELECT name, n FROM `+w.names[3])
	if err != nil {
		return c, err
	}
	named := c.named()
	var name string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&name, &n}, func() error {
		if into, ok := named[name]; ok {
			*into = n
		}
		return nil
	})
	return c, err
}

func (w *tableWriter) positions(ctx context.Context) (map[string]position, error) {
	rows, err := w.pool.Query(ctx, `SELECT stream, extent, into_extent, events, checksum FROM `+w.names[2])
	if err != nil {
		return nil, err
	}
	positions := map[string]position{}
	var stream string
	var at position
	var sum int64
	_, err = pgx.ForEachRow(rows, []any{&stream, &at.extent, &at.offset, &at.events, &sum}, func() error {
		at.checksum = uint32(sum)
		positions[stream] = at
		return nil
	})
	return positions, err
}

// erase removes profiles. What the database keeps of removed rows, in free
// space, its log and its backups, is its own matter.
func (w *tableWriter) erase(ctx context.Context, fields []mappedField, profiles []int64) (removed int64, err error) {
	tx, err := w.pool.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	rows, err := tx.Query(ctx, `DELETE FROM `+w.names[0]+` WHERE id = ANY($1) RETURNING state`, profiles)
	if err != nil {
		return 0, err
	}
	blobs, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return 0, err
	}
	for _, blob := range blobs {
		pr, err := readProfile(blob, fields, make([]bool, len(fields)))
		if err != nil {
			return 0, err
		}
		places, keys := identityArrays(pr.identities)
		if _, err := tx.Exec(ctx, `DELETE FROM `+w.names[1]+` i USING unnest($1::int4[], $2::bytea[]) u (field, value) WHERE i.field = u.field AND i.value = u.value`, places, keys); err != nil {
			return 0, err
		}
	}
	removed = int64(len(blobs))
	if _, err := tx.Exec(ctx, `UPDATE `+w.names[3]+` SET n = n - $1 WHERE name = 'profiles'`, removed); err != nil {
		return 0, err
	}
	// A position at the end of an extent is also one after it, which does not
	// say how long the extent is.
	if _, err := tx.Exec(ctx, `UPDATE `+w.names[2]+` SET into_extent = 0, events = 0, checksum = 0`); err != nil {
		return 0, err
	}
	if err := w.check(tx.QueryRow(ctx, rightNumber).Scan); err != nil {
		return 0, err
	}
	if err := tx.Commit(ctx); err != nil {
		return 0, err
	}
	_, err = w.pool.Exec(ctx, `VACUUM `+w.names[0]+`, `+w.names[1])
	return removed, err
}

func identityArrays(list []identity) (places []int32, keys [][]byte) {
	places, keys = make([]int32, len(list)), make([][]byte, len(list))
	for n, i := range list {
		places[n], keys[n] = int32(i.field), i.key()
	}
	return places, keys
}

// tableWindow is a transaction on a generation's tables. It begins when the
// batch is read from the streams: until then it would only keep the server
// waiting.
type tableWindow struct {
	*tableWriter
	tx pgx.Tx
	// last is the newest profile that the tables had.
	last  int64
	empty bool

	// Profiles to be written; a blob ends where ends says.
	ids     []int64
	ends    []int
	blobs   []byte
	encoder encoder
	removed []int64
}

func (w *tableWriter) begin(context.Context) (profileWindow, error) {
	return &tableWindow{tableWriter: w}, nil
}

// windowSettings: by the index, whatever statistics say of tables that grow; and
// commits that a crash of the server may lose, positions and profiles together.
const windowSettings = `SET LOCAL synchronous_commit = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
	SET LOCAL jit = off; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '5min'`

func (w *tableWindow) start(ctx context.Context) (err error) {
	if w.tx != nil {
		return nil
	}
	if w.tx, err = w.pool.Begin(ctx); err != nil {
		return err
	}
	if _, err = w.tx.Exec(ctx, windowSettings); err != nil {
		return err
	}
	return w.tx.QueryRow(ctx, `SELECT (SELECT coalesce(max(id), 0) FROM `+w.names[0]+`), NOT EXISTS (SELECT 1 FROM `+w.names[1]+`)`).Scan(&w.last, &w.empty)
}

func (w *tableWindow) rollback() {
	if w.tx != nil {
		ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
		defer cancel()
		_ = w.tx.Rollback(ctx)
	}
}

// tableRows is how many rows one statement on tables reads or writes.
const tableRows = 10_000

func (w *tableWindow) find(ctx context.Context, wanted []identity, found map[identity]int64) error {
	if err := w.start(ctx); err != nil || w.empty {
		return err
	}
	for chunk := range slices.Chunk(wanted, tableRows) {
		places, keys := identityArrays(chunk)
		rows, err := w.tx.Query(ctx, `SELECT u.n, i.profile FROM unnest($1::int4[], $2::bytea[]) WITH ORDINALITY u (field, value, n)
			JOIN `+w.names[1]+` i ON i.field = u.field AND i.value = u.value`, places, keys)
		if err != nil {
			return err
		}
		var n, profile int64
		if _, err := pgx.ForEachRow(rows, []any{&n, &profile}, func() error {
			found[chunk[n-1]] = profile
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (w *tableWindow) profiles(ctx context.Context, wanted []int64, each func(id int64, blob []byte)) error {
	if len(wanted) == 0 {
		return nil
	}
	if err := w.start(ctx); err != nil {
		return err
	}
	rows, err := w.tx.Query(ctx, `SELECT id, state FROM `+w.names[0]+` WHERE id = ANY($1)`, wanted)
	if err != nil {
		return err
	}
	var id int64
	var blob pgtype.DriverBytes
	_, err = pgx.ForEachRow(rows, []any{&id, &blob}, func() error {
		each(id, blob)
		return nil
	})
	return err
}

// windowBytes is how many bytes of profiles are written together.
const windowBytes = 4 << 20

func (w *tableWindow) put(ctx context.Context, pr *profile) error {
	w.blobs = w.encoder.append(w.blobs, pr)
	w.ids, w.ends = append(w.ids, pr.id), append(w.ends, len(w.blobs))
	if len(w.ids) < tableRows && len(w.blobs) < windowBytes {
		return nil
	}
	return w.flush(ctx)
}

// flush copies the new profiles in, and changes the others.
func (w *tableWindow) flush(ctx context.Context) error {
	if len(w.ids) == 0 {
		return nil
	}
	var fresh [][]any
	var ids []int64
	var states [][]byte
	from := 0
	for n, id := range w.ids {
		state := w.blobs[from:w.ends[n]:w.ends[n]]
		from = w.ends[n]
		if id > w.last {
			fresh = append(fresh, []any{id, state})
		} else {
			ids, states = append(ids, id), append(states, state)
		}
	}
	if len(fresh) > 0 {
		table := pgx.Identifier{unquoted(w.names[0])}
		if _, err := w.tx.CopyFrom(ctx, table, []string{"id", "state"}, pgx.CopyFromRows(fresh)); err != nil {
			return err
		}
	}
	if len(ids) > 0 {
		if _, err := w.tx.Exec(ctx, `UPDATE `+w.names[0]+` p SET state = u.state FROM unnest($1::int8[], $2::bytea[]) u (id, state) WHERE p.id = u.id`, ids, states); err != nil {
			return err
		}
	}
	w.ids, w.ends, w.blobs = w.ids[:0], w.ends[:0], w.blobs[:0]
	return nil
}

// unquoted takes the quotes off a table's name, which has none inside.
func unquoted(name string) string { return name[1 : len(name)-1] }

func (w *tableWindow) remove(_ context.Context, id int64) error {
	w.removed = append(w.removed, id)
	return nil
}

func (w *tableWindow) finish(ctx context.Context, owners []owner, c *counters, stream string, at position) error {
	if err := w.start(ctx); err != nil {
		return err
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	if err := w.putOwners(ctx, owners); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	if len(w.removed) > 0 {
		batch.Queue(`DELETE FROM `+w.names[0]+` WHERE id = ANY($1)`, w.removed)
	}
	for name, n := range c.named() {
		batch.Queue(`INSERT INTO `+w.names[3]+` (name, n) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET n = excluded.n`, name, *n)
	}
	batch.Queue(`INSERT INTO `+w.names[2]+` (stream, extent, into_extent, events, checksum) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (stream) DO UPDATE SET extent = excluded.extent, into_extent = excluded.into_extent, events = excluded.events, checksum = excluded.checksum`,
		stream, at.extent, at.offset, at.events, int64(at.checksum))
	if err := w.tx.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	if err := w.check(w.tx.QueryRow(ctx, rightNumber).Scan); err != nil {
		return err
	}
	return w.tx.Commit(ctx)
}

// putOwners copies the fresh ones in, and changes the others.
func (w *tableWindow) putOwners(ctx context.Context, owners []owner) error {
	var fresh, moved []owner
	for _, o := range owners {
		if o.fresh {
			fresh = append(fresh, o)
		} else {
			moved = append(moved, o)
		}
	}
	if len(fresh) > 0 {
		row := func(n int) ([]any, error) { return []any{int32(fresh[n].field), fresh[n].key(), fresh[n].profile}, nil }
		if _, err := w.tx.CopyFrom(ctx, pgx.Identifier{unquoted(w.names[1])}, []string{"field", "value", "profile"}, pgx.CopyFromSlice(len(fresh), row)); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(moved, tableRows) {
		places, keys, profiles := make([]int32, len(chunk)), make([][]byte, len(chunk)), make([]int64, len(chunk))
		for n, o := range chunk {
			places[n], keys[n], profiles[n] = int32(o.field), o.key(), o.profile
		}
		if _, err := w.tx.Exec(ctx, `INSERT INTO `+w.names[1]+` (field, value, profile) SELECT * FROM unnest($1::int4[], $2::bytea[], $3::int8[])
			ON CONFLICT (field, value) DO UPDATE SET profile = excluded.profile`, places, keys, profiles); err != nil {
			return err
		}
	}
	return nil
}
