package embedded

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// generation is one set of profiles, built by one set of fields and mappings.
type generation struct {
	id          int64
	file        string
	fingerprint string
	fields      []mappedField
	current     bool
}

// The name of a generation's file: profiles-ID.db.
const (
	profilesPrefix = "profiles-"
	profilesSuffix = ".db"
)

func listGenerations(ctx context.Context, q queryer, clause string) ([]generation, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, file, fingerprint, fields, current FROM profile_generations `+clause)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []generation
	for rows.Next() {
		var g generation
		var text string
		var fields []jobs.Field
		if err := rows.Scan(&g.id, &g.file, &g.fingerprint, &text, &g.current); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			return nil, err
		}
		if g.fields, err = withRules(fields); err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	return list, rows.Err()
}

// currentGeneration is the one that audiences see; ok is false before the first.
func currentGeneration(ctx context.Context, q queryer) (g generation, ok bool, err error) {
	list, err := listGenerations(ctx, q, `WHERE current = 1`)
	if err != nil || len(list) == 0 {
		return generation{}, false, err
	}
	return list[0], true, nil
}

// generationSchema is the schema of a generation's file.
const generationSchema = `
CREATE TABLE IF NOT EXISTS profiles (id INTEGER PRIMARY KEY, state BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS identities (
    field   INTEGER NOT NULL,
    value   TEXT NOT NULL,
    profile INTEGER NOT NULL,
    PRIMARY KEY (field, value)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (
    stream   TEXT PRIMARY KEY,
    extent   INTEGER NOT NULL,
    offset   INTEGER NOT NULL, -- into the extent, in bytes
    events   INTEGER NOT NULL, -- of the extent
    checksum INTEGER NOT NULL  -- of those bytes
) STRICT;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

// generationDSN escapes what in a path would end it.
func generationDSN(file, options string) string {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(file))
	return "file:" + escaped + "?_pragma=busy_timeout(15000)" + options
}

// openForBuilding opens a generation's file for its one builder. A crash of the
// machine may lose the last commits, positions and profiles together; they are
// then built again from the events.
func openForBuilding(ctx context.Context, file string) (*sql.DB, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", generationDSN(file,
		"&_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-65536)&_pragma=temp_store(MEMORY)&_pragma=wal_autocheckpoint(8000)&_pragma=secure_delete(ON)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, generationSchema); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// openForReading opens a generation's file for one scan.
func openForReading(file string) (*sql.DB, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", generationDSN(file, "&mode=ro&_pragma=query_only(1)&_pragma=cache_size(-16384)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// newGeneration records a generation that is about to be built.
func (p *Platform) newGeneration(ctx context.Context, pl *plan) (generation, error) {
	g := generation{
		file:        profilesPrefix + strings.TrimPrefix(store.NewID("g"), "g_") + profilesSuffix,
		fingerprint: pl.fingerprint,
		fields:      pl.fields,
	}
	text, err := encodeFields(pl.fields)
	if err != nil {
		return g, err
	}
	err = p.db.Write(ctx, func(tx *store.Tx) error {
		r, err := tx.ExecContext(ctx, `INSERT INTO profile_generations (file, fingerprint, fields, current, created_at) VALUES (?, ?, ?, 0, ?)`,
			g.file, g.fingerprint, text, p.now().UnixMicro())
		if err != nil {
			return err
		}
		g.id, err = r.LastInsertId()
		return err
	})
	return g, err
}

func encodeFields(fields []mappedField) (string, error) {
	plain := make([]jobs.Field, len(fields))
	for i, f := range fields {
		plain[i] = f.Field
	}
	text, err := json.Marshal(plain)
	return string(text), err
}

// makeCurrent replaces the current generation by g, or by none when g is zero.
func (p *Platform) makeCurrent(ctx context.Context, g generation) error {
	return p.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM profile_generations WHERE id <> ?`, g.id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE profile_generations SET current = 1 WHERE id = ?`, g.id)
		return err
	})
}

// sweepGenerations removes the files of generations that are no more. Readers
// that still have one open keep it until they close it; where a system forbids
// to remove open files, the next build does.
func (p *Platform) sweepGenerations(ctx context.Context) error {
	list, err := listGenerations(ctx, p.db.Read(), ``)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, g := range list {
		known[g.file] = true
	}
	files, err := os.ReadDir(p.db.Dir())
	if err != nil {
		return err
	}
	for _, f := range files {
		base, _, ok := strings.Cut(f.Name(), profilesSuffix)
		if !ok || !strings.HasPrefix(base, profilesPrefix) || known[base+profilesSuffix] {
			continue
		}
		if err := os.Remove(filepath.Join(p.db.Dir(), f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}
