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

	"github.com/klauspost/compress/zstd"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/s3test"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// deployment is the storage of a test's platforms: a data directory, or the database
// and the bucket of a fleet.
type deployment struct {
	dir    string
	url    string
	s3     *staging.S3Config
	bucket *s3test.Server
	// open opens the objects of a fleet whose events are not in a bucket.
	open embedded.OpenObjects
}

func newFleet(tb testing.TB) deployment {
	tb.Helper()
	bucket := s3test.New(tb)
	return deployment{url: storetest.URL(tb), s3: &bucket.Config, bucket: bucket}
}

func (d deployment) fleet() bool { return d.url != "" }

func (d deployment) location() store.Location {
	return store.Location{Dir: d.dir, DatabaseURL: jobs.NewSecret(d.url)}
}

func (d deployment) config(db *store.DB) embedded.Config {
	return embedded.Config{DB: db, Segments: d.objects()}
}

// objects opens the bucket of a fleet; it is nil for a data directory.
func (d deployment) objects() embedded.OpenObjects {
	if d.s3 == nil {
		return d.open
	}
	return inBucket(*d.s3)
}

func inBucket(c staging.S3Config) embedded.OpenObjects {
	return func(ctx context.Context) (embedded.Objects, error) { return staging.Open(ctx, c) }
}

// deploymentTest is a test with a deployment.
type deploymentTest struct {
	*testing.T
	deployment
}

// onEachDeployment runs a test with a data directory and with a fleet.
func onEachDeployment(t *testing.T, run func(t *deploymentTest)) {
	t.Helper()
	t.Run("directory", func(t *testing.T) {
		t.Parallel()
		run(&deploymentTest{t, deployment{dir: t.TempDir()}})
	})
	t.Run("fleet", func(t *testing.T) {
		t.Parallel()
		run(&deploymentTest{t, newFleet(t)})
	})
}

// open opens a platform. A test may open several at the same time.
func (t *deploymentTest) open() testPlatform {
	t.Helper()
	return openPlatform(t, t.deployment)
}

// withNewDeployment returns the test with a new, empty deployment of the same kind.
func (t *deploymentTest) withNewDeployment() *deploymentTest {
	t.Helper()
	if t.fleet() {
		return &deploymentTest{t.T, newFleet(t)}
	}
	return &deploymentTest{t.T, deployment{dir: t.TempDir()}}
}

// segments returns the lines of each segment, by its path or key.
func (t *deploymentTest) segments() map[string][]byte {
	t.Helper()
	if t.fleet() {
		lines := map[string][]byte{}
		for key, content := range t.bucket.Objects(t) {
			lines[key] = decompressed(t, content)
		}
		return lines
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

// decompressed returns the lines of an object. An object that is not compressed is returned
// as it is.
func decompressed(t checker, content []byte) []byte {
	t.Helper()
	if !bytes.HasPrefix(content, []byte("\x28\xb5\x2f\xfd")) { // the magic number of Zstandard
		return content
	}
	d, err := zstd.NewReader(nil)
	check(t, err)
	defer d.Close()
	lines, err := d.DecodeAll(content, nil)
	check(t, err)
	return lines
}

// replaceSegment replaces the lines of a segment; nil removes the segment.
func (t *deploymentTest) replaceSegment(segment string, content []byte) {
	t.Helper()
	switch {
	case t.fleet() && content == nil:
		t.bucket.Remove(t, segment)
	case t.fleet():
		e, err := zstd.NewWriter(nil)
		check(t, err)
		t.bucket.Put(t, segment, e.EncodeAll(content, nil))
	case content == nil:
		check(t, os.Remove(segment))
	default:
		check(t, os.WriteFile(segment, content, 0o600))
	}
}

// generations returns the names of the stored generations of profiles.
func (t *deploymentTest) generations(b testPlatform) []string {
	t.Helper()
	if !t.fleet() {
		files, err := filepath.Glob(filepath.Join(t.dir, "profiles-*.db"))
		check(t, err)
		return files
	}
	return slices.DeleteFunc(tables(t, b), func(table string) bool { return !strings.HasPrefix(table, "profiles_g_") })
}

// removeProfiles removes the profiles of a generation, but not its row.
func (t *deploymentTest) removeProfiles(b testPlatform, generation string) {
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

func tables(t checker, b testPlatform) []string {
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

// filesWith returns the names of all files of a directory, or of all objects and tables of
// a fleet, that contain one of the texts.
func (t *deploymentTest) filesWith(b testPlatform, texts ...string) (found []string) {
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
	for key, content := range t.segments() {
		look(key, content)
	}
	for _, table := range tables(t, b) {
		var content string
		check(t, b.db.Read().QueryRowContext(t.Context(), `SELECT coalesce(string_agg(x::text, ' '), '') FROM "`+table+`" x`).Scan(&content))
		look(table, []byte(content))
	}
	return found
}

// uncommittedBytes describes uncommitted bytes in the segments of stream s; it is empty if
// there are none.
func (t *deploymentTest) uncommittedBytes(b testPlatform) string {
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

// openUnmanaged opens a platform that the test must close.
func (t *deploymentTest) openUnmanaged() testPlatform {
	t.Helper()
	db, err := storetest.Open(t.Context(), t.location())
	check(t, err)
	p, err := embedded.Open(t.config(db))
	check(t, err)
	return testPlatform{p, db}
}
