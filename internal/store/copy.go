package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Files are the segments of raw events that a store's rows speak of.
type Files interface {
	// Open reads one from its beginning.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Create makes one durable, of so many bytes.
	Create(ctx context.Context, name string, size int64, r io.Reader) error
}

// CopyOptions are what Copy needs beside the two places.
type CopyOptions struct {
	// From and To are where segments are, where that is not the data directory;
	// a store in PostgreSQL that holds events has to have one.
	From, To func(storeID string) (Files, error)
	// Live allows processes on the source: the copy is of one moment.
	Live bool
}

// Copied says what a copy holds.
type Copied struct {
	StoreID string
	Rows    map[string]int64
	Files   int
	Bytes   int64
}

// Copy copies a store to where there is none: to another data directory, or from
// SQLite to PostgreSQL and back. The copy is the same store, by its id, and the
// source stays as it was. It is one transaction at the target: it is there whole
// or not at all, and is counted before it is. Processes on the source are
// refused, unless Live.
func Copy(ctx context.Context, from, to Location, o CopyOptions) (Copied, error) {
	source, err := Open(ctx, from, false)
	if err != nil {
		return Copied{}, err
	}
	defer func() { _ = source.Close() }()
	target, err := openTarget(ctx, to)
	if err != nil {
		return Copied{}, err
	}
	defer func() { _ = target.Close() }()
	c := &copier{source: source, target: target, options: o}
	if c.from, err = c.files(source, o.From); err != nil {
		return Copied{}, err
	}
	if c.to, err = c.files(target, o.To); err != nil {
		return Copied{}, err
	}
	if !o.Live {
		// Whoever opens the source now waits.
		unlock, err := source.MigrationLock(ctx)
		if err != nil {
			return Copied{}, err
		}
		defer unlock()
	}
	return c.copy(ctx)
}

// openTarget opens a store that holds nothing, made when it is not there.
func openTarget(ctx context.Context, to Location) (*DB, error) {
	taken := &jobs.Error{
		Code: jobs.CodeConflict, Summary: "There is a store at the target already",
		Next: "Choose an empty database or a directory that is not there; a store is never copied over another. Nothing was changed",
	}
	existing, err := Open(ctx, to, false)
	if errors.Is(err, fs.ErrNotExist) {
		existing, err = Open(ctx, to, true)
	}
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		var n int64
		if err := existing.Read().QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&n); err != nil {
			return nil, errors.Join(existing.failed("Cannot read the target", err), existing.Close())
		}
		if n > 0 {
			taken.Detail = fmt.Sprintf("%s has %d rows in %s.", existing.place, n, table)
			return nil, errors.Join(taken, existing.Close())
		}
	}
	return existing, nil
}

type copier struct {
	source, target *DB
	from, to       Files
	options        CopyOptions
}

func (c *copier) files(db *DB, given func(string) (Files, error)) (Files, error) {
	if given != nil {
		// Of both, the id is that of the source: the copy is the same store.
		return given(c.source.id)
	}
	if db.Shared() {
		return nil, nil
	}
	return DirectoryFiles(db.dir), nil
}

func (c *copier) copy(ctx context.Context) (done Copied, err error) {
	err = c.source.Read().Snapshot(ctx, func(q Querier) error {
		if err := c.refuseLive(ctx, q); err != nil {
			return err
		}
		done = Copied{StoreID: c.source.id, Rows: map[string]int64{}}
		if err := c.copyFiles(ctx, q, &done); err != nil {
			return err
		}
		return c.target.once(ctx, func(tx *Tx) error { return c.copyRows(ctx, q, tx, &done) })
	})
	if err != nil {
		return Copied{}, c.source.ofDatabase("Cannot copy the store", err)
	}
	// A process that was open already and silent may have written meanwhile.
	if !c.options.Live {
		err = c.refuseLive(ctx, c.source.Read())
	}
	return done, err
}

func (c *copier) refuseLive(ctx context.Context, q Querier) error {
	if c.options.Live {
		return nil
	}
	alive, err := aliveIn(ctx, q, `host, version`)
	if err != nil || len(alive) == 0 {
		return err
	}
	names := make([]string, len(alive))
	for i, a := range alive {
		names[i] = a.String()
	}
	return &jobs.Error{
		Code: jobs.CodeInUse, Summary: fmt.Sprintf("The store at %s is in use", c.source.place),
		Detail: "What is written to it now would be missing in the copy. Alive on it: " + strings.Join(names, ", ") + ".",
		Next:   fmt.Sprintf("Stop the runner, or wait for the apply to end, and copy again; what was killed is forgotten after %s", Lease),
	}
}

// copyFiles copies what is committed of each segment.
func (c *copier) copyFiles(ctx context.Context, q Querier, done *Copied) error {
	rows, err := q.QueryContext(ctx, `SELECT s.file, coalesce(max(x.start + x.length), 0) FROM segments s
		LEFT JOIN extents x ON x.segment = s.id GROUP BY s.file ORDER BY s.file`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	type segment struct {
		file string
		size int64
	}
	var all []segment
	for rows.Next() {
		var s segment
		if err := rows.Scan(&s.file, &s.size); err != nil {
			return err
		}
		all = append(all, s)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	if len(all) > 0 && (c.from == nil || c.to == nil) {
		return &jobs.Error{
			Code: jobs.CodeInvalid, Attribute: "staging", Summary: fmt.Sprintf("The store's %d files of events have nowhere to go", len(all)),
			Detail: "A store in PostgreSQL has its events in S3, where all machines see them, and no bucket was named.",
			Next:   "Name the bucket that the provider or the runner has in staging.s3",
		}
	}
	for _, s := range all {
		if err := c.copyFile(ctx, s.file, s.size); err != nil {
			return fmt.Errorf("copying the events in %s: %w", s.file, err)
		}
		done.Files++
		done.Bytes += s.size
	}
	return nil
}

func (c *copier) copyFile(ctx context.Context, name string, size int64) error {
	in, err := c.from.Open(ctx, name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	counted := &counter{r: io.LimitReader(in, size)}
	if err := c.to.Create(ctx, name, size, counted); err != nil {
		return err
	}
	if counted.n != size {
		return fmt.Errorf("it has %d bytes, and %d are committed: the store is damaged", counted.n, size)
	}
	return nil
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// DirectoryFiles are the segments below a data directory.
func DirectoryFiles(dir string) Files { return directoryFiles(dir) }

type directoryFiles string

func (d directoryFiles) path(name string) string {
	return filepath.Join(string(d), filepath.FromSlash(name))
}

// Open implements Files.
func (d directoryFiles) Open(_ context.Context, name string) (io.ReadCloser, error) {
	return os.Open(d.path(name))
}

// Create implements Files.
func (d directoryFiles) Create(_ context.Context, name string, _ int64, r io.Reader) error {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return fmt.Errorf("%q is not below the data directory", name)
	}
	if err := os.MkdirAll(filepath.Dir(d.path(name)), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(d.path(name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Sync(), f.Close())
}
