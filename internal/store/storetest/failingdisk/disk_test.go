package failingdisk_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver whose files fail

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest/failingdisk"
)

// A failure hits the database of the watched directory only, and only once: the insert
// that it hits fails, and the next one succeeds.
func TestAChosenChangeFailsOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	disk := failingdisk.Watch(t, dir)
	open := func(file string) *sql.DB {
		db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		if _, err := db.ExecContext(t.Context(), `CREATE TABLE t (n)`); err != nil {
			t.Fatal(err)
		}
		return db
	}
	here, elsewhere := open(filepath.Join(dir, "db")), open(filepath.Join(t.TempDir(), "db"))
	disk.Heal()
	if _, err := here.ExecContext(t.Context(), `INSERT INTO t VALUES (0)`); err != nil {
		t.Fatal(err)
	}
	changes := disk.Changes()
	if changes == 0 {
		t.Fatal("got no change of a file by an insert")
	}
	rows := 1
	for _, fault := range failingdisk.Faults() {
		for at := 1; at <= changes; at++ {
			disk.FailAt(at, fault)
			if _, err := elsewhere.ExecContext(t.Context(), `INSERT INTO t VALUES (1)`); err != nil {
				t.Fatal(err)
			}
			_, err := here.ExecContext(t.Context(), `INSERT INTO t VALUES (1)`)
			if err == nil || !strings.Contains(disk.Hit(), "db") {
				t.Errorf("change %d, %s: got %v at %q, want an error", at, fault, err, disk.Hit())
			}
			if _, err := here.ExecContext(t.Context(), `INSERT INTO t VALUES (1)`); err != nil {
				t.Errorf("change %d, %s: got %v after the failure", at, fault, err)
			}
			rows++
		}
	}
	var n int
	if err := here.QueryRowContext(t.Context(), `SELECT count(*) FROM t`).Scan(&n); err != nil || n != rows {
		t.Errorf("got %d rows, %v, want %d", n, err, rows)
	}
}

// Files of Go programs fail in the same count.
func TestAChosenChangeOfAFileFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	disk := failingdisk.Watch(t, dir)
	path := filepath.Join(dir, "f")
	disk.FailAt(2, failingdisk.Full)
	f, err := disk.Create(path, func() (failingdisk.Handle, error) { return os.Create(path) })
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.WriteAt([]byte("abcd"), 0); n != 2 || err == nil || disk.Hit() != "write f" {
		t.Errorf("got %d bytes, %v, at %q, want half of them and an error", n, err, disk.Hit())
	}
	if _, err := f.WriteAt([]byte("efgh"), 0); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "efgh" {
		t.Errorf("got %q, %v", text, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
