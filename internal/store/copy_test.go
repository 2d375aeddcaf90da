//nolint:thelper // the functions given to atEachLocation are the bodies of subtests
package store_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/pgtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// seed writes rows into every table, by the types of its columns. The n-th rows of all
// tables have the same texts and numbers, so that foreign keys are valid.
func seed(t *testing.T, db *store.DB, files string) {
	t.Helper()
	ctx := t.Context()
	err := db.Write(ctx, func(tx *store.Tx) error {
		for _, table := range store.CopiedTables() {
			for n := 1; n <= 3; n++ {
				if table == "erasure" && n > 1 {
					break
				}
				if err := insertRow(t, tx, table, n); err != nil {
					return fmt.Errorf("%s: %w", table, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 3; n++ { // start and length of extent n are n, so 2*n bytes are committed
		if err := os.WriteFile(filepath.Join(files, text(n)), []byte(strings.Repeat("x", 2*n)+"not committed"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func text(n int) string { return fmt.Sprintf("Ä b%d", n) }

func insertRow(t *testing.T, tx *store.Tx, table string, n int) error {
	t.Helper()
	rows, err := tx.QueryContext(t.Context(), `SELECT * FROM `+table+` LIMIT 0`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	types, err := rows.ColumnTypes()
	if err := errors.Join(err, rows.Err(), rows.Close()); err != nil {
		return err
	}
	var names []string
	var values []any
	for _, c := range types {
		names = append(names, c.Name())
		switch c.DatabaseTypeName() {
		case "INTEGER", "INT8":
			values = append(values, n)
		case "TEXT":
			values = append(values, text(n))
		case "BLOB", "BYTEA":
			values = append(values, []byte{0, byte(n), 255})
		default:
			t.Fatalf("%s.%s has type %s", table, c.Name(), c.DatabaseTypeName())
		}
	}
	_, err = tx.ExecContext(t.Context(), `INSERT INTO `+table+` (`+strings.Join(names, `, `)+`) VALUES (?`+strings.Repeat(`, ?`, len(names)-1)+`)`, values...)
	return err
}

// dump returns the rows of all tables that Copy copies, as text.
func dump(t *testing.T, db *store.DB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range store.CopiedTables() {
		rows, err := db.Read().QueryContext(t.Context(), `SELECT * FROM `+table)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			row := map[string]any{}
			pointers := make([]any, len(columns))
			values := make([]any, len(columns))
			for i := range columns {
				pointers[i] = &values[i]
			}
			if err := rows.Scan(pointers...); err != nil {
				t.Fatal(err)
			}
			for i, c := range columns {
				row[c] = values[i]
			}
			all[table] = append(all[table], fmt.Sprint(row))
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
		slices.Sort(all[table])
		if len(all[table]) == 0 {
			t.Fatalf("%s is empty", table)
		}
	}
	return all
}

func TestAStoreCopiedToPostgresAndBackIsUnchanged(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	dirs := [3]string{filepath.Join(t.TempDir(), "a"), t.TempDir(), filepath.Join(t.TempDir(), "b")}
	server := store.Location{DatabaseURL: jobs.NewSecret(pgtest.URL(t))}
	at := []store.Location{{Dir: dirs[0]}, server, {Dir: dirs[2]}}
	first := open(t, dirs[0])
	seed(t, first, dirs[0])
	before := dump(t, first)
	bucket := func(id string) (store.Files, error) {
		if id != first.ID() {
			t.Errorf("the bucket is of store %q", id)
		}
		return store.DirectoryFiles(dirs[1]), nil
	}
	for i, options := range []store.CopyOptions{{To: bucket}, {From: bucket}} {
		done, err := store.Copy(ctx, at[i], at[i+1], options)
		if err != nil {
			t.Fatal(err)
		}
		if done.Files != 3 || done.Bytes != 2+4+6 || done.Rows["runs"] != 3 {
			t.Errorf("copied %+v", done)
		}
		db := openAt(t, at[i+1])
		if db.ID() != first.ID() {
			t.Errorf("the copy has id %s, want %s", db.ID(), first.ID())
		}
		if after := dump(t, db); !reflect.DeepEqual(before, after) {
			t.Errorf("at %s there is\n%v\nwant\n%v", db.Place(), after, before)
		}
		for n := 1; n <= 3; n++ {
			got, err := os.ReadFile(filepath.Join(dirs[i+1], text(n)))
			if err != nil || string(got) != strings.Repeat("x", 2*n) {
				t.Errorf("segment %d is %q, %v", n, got, err)
			}
		}
		// The copy continues the source's generated ids.
		var id int64
		err = db.Write(ctx, func(tx *store.Tx) error {
			if _, err := tx.ExecContext(ctx, `DELETE FROM extents`); err != nil {
				return err
			}
			err := tx.QueryRowContext(ctx, `INSERT INTO extents (stream, segment, start, length, events, checksum) VALUES (?, 1, 0, 0, 0, 0) RETURNING id`, text(1)).Scan(&id)
			return errors.Join(err, errUndo)
		})
		if !errors.Is(err, errUndo) || id != int64(4+i) { // the id of the rolled back insert is not reused
			t.Errorf("the next extent is %d, %v", id, err)
		}
	}
}

var errUndo = errors.New("undo")

func TestAStoreIsNotCopiedOverAnotherOrUnderALiveProcess(t *testing.T) {
	t.Parallel()
	atEachLocation(t, func(t *testing.T, to store.Location) {
		from := store.Location{Dir: filepath.Join(t.TempDir(), "from")}
		source := openAt(t, from)
		authorization(t, source)
		if err := source.Beat(t.Context(), store.Instance{ID: "in_1", Kind: store.KindRunner, Host: "machine-7"}); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Copy(t.Context(), from, to, store.CopyOptions{}); !jobs.IsCode(err, jobs.CodeInUse) || !strings.Contains(err.Error(), "machine-7") {
			t.Fatalf("under a live runner: %v", err)
		}
		if err := source.Retire(t.Context(), "in_1", nil); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Copy(t.Context(), from, to, store.CopyOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Copy(t.Context(), from, to, store.CopyOptions{}); !jobs.IsCode(err, jobs.CodeConflict) {
			t.Fatalf("over a store: %v", err)
		}
		if _, err := store.Copy(t.Context(), store.Location{Dir: filepath.Join(t.TempDir(), "none")}, to, store.CopyOptions{}); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("from nothing: %v", err)
		}
	})
}

func TestCopyingEventsToPostgresNeedsABucket(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	seed(t, open(t, from), from)
	to := store.Location{DatabaseURL: jobs.NewSecret(pgtest.URL(t))}
	_, err := store.Copy(t.Context(), store.Location{Dir: from}, to, store.CopyOptions{})
	if !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), "3 files of events") {
		t.Fatalf("got %v", err)
	}
	if db := openAt(t, to); db.ID() == open(t, from).ID() {
		t.Fatal("the target has the source's id after a failed copy")
	}
}

func TestABackupIsASnapshotAndIsRestoredToANewDirectory(t *testing.T) {
	t.Parallel()
	ctx, from, root := t.Context(), filepath.Join(t.TempDir(), "data"), t.TempDir()
	db := open(t, from)
	seed(t, db, from)
	if err := db.Beat(ctx, store.Instance{ID: "in_1", Kind: store.KindRunner}); err != nil {
		t.Fatal(err)
	}
	before := dump(t, db)
	backup, restored := filepath.Join(root, "backup"), filepath.Join(root, "restored")
	if _, err := store.Backup(ctx, store.Location{Dir: from}, backup); err != nil {
		t.Fatal(err)
	}
	authorization(t, db)
	if _, err := store.Backup(ctx, store.Location{Dir: from}, backup); !jobs.IsCode(err, jobs.CodeConflict) {
		t.Errorf("over a backup: %v", err)
	}
	if _, err := store.Restore(ctx, backup, from); !jobs.IsCode(err, jobs.CodeConflict) {
		t.Errorf("over a store: %v", err)
	}
	if _, err := store.Restore(ctx, backup, restored); err != nil {
		t.Fatal(err)
	}
	again := open(t, restored)
	if after := dump(t, again); again.ID() != db.ID() || !reflect.DeepEqual(before, after) {
		t.Errorf("restored %s\n%v\nwant %s\n%v", again.ID(), after, db.ID(), before)
	}
	if err := os.Remove(filepath.Join(backup, text(2))); err != nil {
		t.Fatal(err)
	}
	lost := filepath.Join(root, "lost")
	if _, err := store.Restore(ctx, backup, lost); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a segment: %v", err)
	}
	left, err := os.ReadDir(root)
	if err != nil || len(left) != 2 {
		t.Errorf("there are %v, %v", left, err)
	}
}

// checklist 53
func TestBothDatabasesHaveTheSameTablesAndEachIsCopiedOrDerived(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	embedded := open(t, t.TempDir())
	server := openAt(t, store.Location{DatabaseURL: jobs.NewSecret(pgtest.URL(t))})
	columns := func(db *store.DB, list string) []string {
		t.Helper()
		var all []string
		names, err := db.Read().QueryContext(ctx, list)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = names.Close() }()
		for names.Next() {
			var name string
			if err := names.Scan(&name); err != nil {
				t.Fatal(err)
			}
			all = append(all, name)
		}
		if err := names.Err(); err != nil {
			t.Fatal(err)
		}
		return all
	}
	a := columns(embedded, `SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'goose_db_version' ORDER BY 1`)
	b := columns(server, `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'lytics' AND table_name <> 'goose_db_version' ORDER BY (table_name || '.' || column_name) COLLATE "C"`)
	known := map[string]bool{}
	for _, c := range append(slices.Clone(a), b...) {
		table, _, _ := strings.Cut(c, ".")
		known[table] = true
	}
	for table := range known {
		if !slices.Contains(store.Tables(), table) {
			t.Errorf("%s is not in tables.go", table)
		}
	}
	copied := func(c string) bool {
		table, _, _ := strings.Cut(c, ".")
		return slices.Contains(store.CopiedTables(), table)
	}
	a = slices.DeleteFunc(a, func(c string) bool { return !copied(c) })
	b = slices.DeleteFunc(b, func(c string) bool { return !copied(c) })
	if !slices.Equal(a, b) {
		t.Errorf("SQLite has\n%v\nPostgreSQL has\n%v", a, b)
	}
}
