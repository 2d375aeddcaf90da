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

// Files are the segments of raw events that a store's rows refer to.
type Files interface {
	// Open opens a segment for reading.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Create creates a segment of size bytes; it is durable when Create returns.
	Create(ctx context.Context, name string, size int64, r io.Reader) error
}

// CopyOptions are the options of Copy.
type CopyOptions struct {
	// From and To return the segments of the source and of the target if they are
	// not in the data directory. A store in PostgreSQL that holds events needs one.
	From, To func(storeID string) (Files, error)
	// Live allows processes to use the source: the copy is a snapshot.
	Live bool
}

// Copied is the content of a copy.
type Copied struct {
	StoreID string
	Rows    map[string]int64
	Files   int
	Bytes   int64
}

// Copy copies a store to an empty location: to another data directory, or from SQLite
// to PostgreSQL and back. The copy has the source's id, and the source does not
// change. The rows are written in one transaction of the target, which compares the
// numbers of rows before it commits. Copy fails if a process uses the source, unless
// Live is set.
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
		// A process that opens the source now waits for this lock.
		unlock, err := source.MigrationLock(ctx)
		if err != nil {
			return Copied{}, err
		}
		defer unlock()
	}
	return c.copy(ctx)
}

// openTarget opens an empty store, and creates it if it does not exist.
func openTarget(ctx context.Context, to Location) (*DB, error) {
	taken := &jobs.Error{
		Code: jobs.CodeConflict, Summary: "There is a store at the target already",
		Next: "Choose an empty database or a directory that does not exist; a store is never copied over another one. Nothing was changed",
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
		// The target will have the source's id.
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
	// A process that had opened the source before, and sent no heartbeat at first,
	// may have written since.
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
		Detail: "Rows that are written to it now would be missing in the copy. These processes use it: " + strings.Join(names, ", ") + ".",
		Next:   fmt.Sprintf("Stop the runner, or wait for the apply to end, and copy again; a killed process counts as alive for %s", Lease),
	}
}

// copyFiles copies the committed part of each segment.
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
			Code: jobs.CodeInvalid, Attribute: "staging", Summary: fmt.Sprintf("No bucket was named for the store's %d files of events", len(all)),
			Detail: "A store in PostgreSQL keeps its events in S3, where all machines can read them.",
			Next:   "Name the bucket of staging.s3 in the configuration of the provider or the runner",
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
		return fmt.Errorf("it has %d bytes, and the store has committed %d: the store is damaged", counted.n, size)
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

// DirectoryFiles are the segments in a data directory.
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
		return fmt.Errorf("%q is not inside the data directory", name)
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
