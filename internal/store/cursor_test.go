//nolint:thelper // the functions given to onEachDatabase are the bodies of subtests
package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// The store does not interpret a document.
func TestCursorDocumentsReadBack(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		for _, want := range []string{`{"version":2,"sent":1}`, `no JSON "at all" \ äöü`} {
			err := db.Write(t.Context(), func(tx *store.Tx) error {
				return store.PutCursorDocument(t.Context(), tx, "k", []byte(want))
			})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := db.CursorDocument(t.Context(), "k"); err != nil || string(got) != want {
				t.Errorf("got the document %q, %v, want %q", got, err, want)
			}
		}
		if got, err := db.CursorDocument(t.Context(), "other"); err != nil || got != nil {
			t.Errorf("got the document %q, %v, want none", got, err)
		}
	})
}

// checklist 9: the rows that the first release stored for a cursor.
func TestWatermarkTiesReadBackOnce(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		digest := func(c string) string { return strings.Repeat(c, 64) }
		read := func(key string) []store.SentRow {
			t.Helper()
			rows, err := db.WatermarkTies(t.Context(), key, 77)
			if err != nil {
				t.Fatal(err)
			}
			return rows
		}
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO cursor_ties (key, digest, sent) VALUES ('k', ?, 2), ('k', ?, 1), ('other', ?, 1)`,
				digest("b"), digest("a"), digest("c"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		got := read("k")
		if len(got) != 2 || got[0].Times != 1 || got[1].Times != 2 || got[0].Digest[0] != 0xaa || got[1].Digest[0] != 0xbb ||
			got[1].Micros != 77 {
			t.Errorf("got the rows %v, want one of digest aa and two of digest bb, at 77", got)
		}
		err = db.Write(t.Context(), func(tx *store.Tx) error { return store.DropWatermarkTies(t.Context(), tx, "k") })
		if err != nil {
			t.Fatal(err)
		}
		if got := read("k"); len(got) != 0 {
			t.Errorf("got the rows %v after they were dropped, want none", got)
		}
		if got := read("other"); len(got) != 1 {
			t.Errorf("got the rows %v of the other key, want one", got)
		}
	})
}

func TestSentRowsReadBack(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		rows := []store.SentRow{{Micros: store.NullMicros, Times: 3}, {Micros: -5, Times: 1}, {Micros: 7, Times: 1 << 40},
			{Micros: 7, Digest: [16]byte{1}, Times: 1}, {Micros: 1 << 60, Times: 1}}
		write := func(f func(tx *store.Tx) error) {
			t.Helper()
			if err := db.Write(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		write(func(tx *store.Tx) error {
			return errors.Join(store.AddSent(t.Context(), tx, "k", 1, rows), store.AddSent(t.Context(), tx, "k", 2, rows[1:3]),
				store.AddSent(t.Context(), tx, "k", 3, rows[:1]), store.AddSent(t.Context(), tx, "k", 4, nil))
		})
		numbers := func(from, to int64) (out []int64) {
			t.Helper()
			pages, err := db.SentPages(t.Context(), "k", from, to)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range pages {
				out = append(out, p.Page)
				if p.Page != 1 {
					continue
				}
				if got, err := db.SentRows(t.Context(), "k", p); err != nil || !slices.Equal(got, rows) {
					t.Fatalf("got the rows %v, %v, want %v", got, err, rows)
				}
			}
			return out
		}
		if got := numbers(-5, 7); !slices.Equal(got, []int64{1, 2}) {
			t.Fatalf("got the pages %v of the timestamps -5 to 7, want 1 and 2", got)
		}
		write(func(tx *store.Tx) error { return store.ForgetSent(t.Context(), tx, "k", 8) })
		if got := numbers(store.NullMicros, 1<<62); !slices.Equal(got, []int64{1, 3}) {
			t.Fatalf("got the pages %v after those before 8 were removed, want 1 and 3", got)
		}
		write(func(tx *store.Tx) error { return store.ForgetAllSent(t.Context(), tx, "k") })
		if got := numbers(store.NullMicros, 1<<62); got != nil {
			t.Fatalf("got the pages %v after all were removed, want none", got)
		}
	})
}
