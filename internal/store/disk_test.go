package store_test

import (
	"fmt"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest/failingdisk"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// checklist 41 42: the disk fails at each write of a store's creation and migrations. The
// error names the store, and the next opening finishes: the schema is that of a store
// whose disk never failed.
func TestADiskErrorWhileAStoreIsCreatedIsMendedByTheNextOpening(t *testing.T) {
	if testing.Short() {
		t.Skip("LEFT OUT: a failing disk; make test runs it")
	}
	t.Parallel()
	record := torture.Begin(t, "Store created and migrated on a disk that fails", "writes of the database and its log")
	want := ""
	faults, step := failingdisk.Faults(), torture.Times(97, 31, 1)
	for at := 0; ; at += step {
		dir, fault := t.TempDir(), faults[at%len(faults)]
		disk := failingdisk.Watch(t, dir)
		disk.FailAt(at, fault)
		db, err := store.Open(t.Context(), store.Location{Dir: dir}, true)
		if err == nil {
			_ = db.Close() // the disk may fail at this
		} else if !jobs.IsCode(err, jobs.CodeStore) || !store.Transient(err) {
			record.Wrong++
			t.Errorf("write %d, %s at %s: got %v, want a transient error of the store", at, fault, disk.Hit(), err)
		}
		hit := disk.Hit()
		disk.Heal()
		if db, err = store.Open(t.Context(), store.Location{Dir: dir}, true); err != nil {
			record.Wrong++
			t.Fatalf("write %d, %s at %s: got %v at the next opening", at, fault, hit, err)
		}
		got := schemaOf(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		switch {
		case at == 0:
			want = got // no write failed
			continue
		case hit == "":
			if record.Tried < 300/step {
				t.Errorf("got %d writes, want more", record.Tried)
			}
			return
		case got != want:
			record.Wrong++
			t.Fatalf("write %d, %s at %s: the schema differs after the next opening:\n%s\nwant:\n%s", at, fault, hit, got, want)
		}
		record.Tried++
	}
}

// schemaOf returns the statements of a store's schema and the result of SQLite's check.
func schemaOf(t *testing.T, db *store.DB) string {
	t.Helper()
	var schema, verdict string
	err := db.Read().QueryRowContext(t.Context(), `SELECT group_concat(coalesce(sql, name), ';') FROM (SELECT sql, name FROM sqlite_schema ORDER BY type, name)`).Scan(&schema)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Read().QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s\n%s", schema, verdict)
}
