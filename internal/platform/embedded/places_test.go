package embedded_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/pgtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/s3test"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// place is where the platforms of a test are: a data directory, or a fleet's
// database and bucket.
type place struct {
	dir    string
	url    string
	s3     *staging.S3Config
	bucket *s3test.Server
}

func newFleet(tb testing.TB) place {
	tb.Helper()
	bucket := s3test.New(tb)
	return place{url: pgtest.URL(tb), s3: &bucket.Config, bucket: bucket}
}

func (p place) fleet() bool { return p.url != "" }

func (p place) location() store.Location {
	return store.Location{Dir: p.dir, DatabaseURL: jobs.NewSecret(p.url)}
}

func (p place) config(db *store.DB) embedded.Config {
	return embedded.Config{DB: db, Segments: p.s3}
}

// trial is a test in one place.
type trial struct {
	*testing.T
	place
}

// everywhere runs a test in a data directory and in a fleet.
func everywhere(t *testing.T, run func(t *trial)) {
	t.Helper()
	t.Run("directory", func(t *testing.T) {
		t.Parallel()
		run(&trial{t, place{dir: t.TempDir()}})
	})
	t.Run("fleet", func(t *testing.T) {
		t.Parallel()
		run(&trial{t, newFleet(t)})
	})
}

// open opens a platform in the test's place; there may be several.
func (t *trial) open() bed {
	t.Helper()
	return openBed(t, t.place)
}

// again is another place of the same kind.
func (t *trial) again() *trial {
	t.Helper()
	if t.fleet() {
		return &trial{t.T, newFleet(t)}
	}
	return &trial{t.T, place{dir: t.TempDir()}}
}

// segments gives the contents of all segments: by path, or by key.
func (t *trial) segments() map[string][]byte {
	t.Helper()
	if t.fleet() {
		return t.bucket.Objects(t)
	}
	found := map[string][]byte{}
	err := filepath.WalkDir(filepath.Join(t.dir, "streams"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".ndjson") {
			return err
		}
		found[path], err = os.ReadFile(path)
		return err
	})
	check(t, err)
	return found
}

// change puts something else in a segment's place, or nothing.
func (t *trial) change(segment string, content []byte) {
	t.Helper()
	switch {
	case t.fleet() && content == nil:
		t.bucket.Remove(t, segment)
	case t.fleet():
		t.bucket.Put(t, segment, content)
	case content == nil:
		check(t, os.Remove(segment))
	default:
		check(t, os.WriteFile(segment, content, 0o600))
	}
}

// generations names the sets of profiles there are.
func (t *trial) generations(b bed) []string {
	t.Helper()
	if !t.fleet() {
		files, err := filepath.Glob(filepath.Join(t.dir, "profiles-*.db"))
		check(t, err)
		return files
	}
	return slices.DeleteFunc(tables(t, b), func(table string) bool { return !strings.HasPrefix(table, "profiles_g_") })
}

// lose removes a set of profiles behind the platform's back.
func (t *trial) lose(b bed, generation string) {
	t.Helper()
	if t.fleet() {
		_, err := b.db.Pool().Exec(t.Context(), `DROP TABLE `+generation)
		check(t, err)
		return
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(generation + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%v", err)
		}
	}
}

func tables(t checker, b bed) []string {
	t.Helper()
	var list []string
	rows, err := b.db.Read().QueryContext(context.Background(), `SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename`)
	check(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		check(t, rows.Scan(&name))
		list = append(list, name)
	}
	check(t, rows.Err())
	return list
}

// found says where one of the texts still is: the files of a directory, or the
// objects and rows of a fleet.
func (t *trial) found(b bed, texts ...string) (found []string) {
	t.Helper()
	look := func(where string, content []byte) {
		content = bytes.ToLower(content)
		for _, text := range texts {
			if bytes.Contains(content, []byte(text)) || bytes.Contains(content, []byte(hex.EncodeToString([]byte(text)))) {
				found = append(found, where+": "+text)
			}
		}
	}
	if !t.fleet() {
		check(t, filepath.WalkDir(t.dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			look(filepath.Base(path), content)
			return err
		}))
		return found
	}
	for key, content := range t.bucket.Objects(t) {
		look(key, content)
	}
	for _, table := range tables(t, b) {
		var content string
		check(t, b.db.Read().QueryRowContext(t.Context(), `SELECT coalesce(string_agg(x::text, ' '), '') FROM "`+table+`" x`).Scan(&content))
		look(table, []byte(content))
	}
	return found
}

// leftovers compares the segments' sizes with what the store says is in them.
func (t *trial) leftovers(b bed) string {
	t.Helper()
	size := 0
	for _, content := range t.segments() {
		size += len(content)
	}
	info, err := b.StreamInfo(t.Context(), "s")
	check(t, err)
	if int64(size) != info.Bytes {
		return fmt.Sprintf("%d bytes in segments, %d committed", size, info.Bytes)
	}
	return ""
}

// quietly opens a platform that the test closes itself.
func (t *trial) quietly() bed {
	t.Helper()
	db, err := store.Open(t.Context(), t.location(), true)
	check(t, err)
	p, err := embedded.Open(t.config(db))
	check(t, err)
	return bed{p, db}
}
