//nolint:thelper // what is given to everywhere are the bodies of tests
package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// checklist 9: the cursor that the first release wrote, in mid-run, with the
// rows sent at its watermark beside it.
func TestACursorOfTheFirstFormIsBroughtToTodays(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, db *store.DB) {
		digest := func(c string) string { return strings.Repeat(c, 64) }
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO cursors (key, state, updated_at) VALUES ('k',
				'{"version":1,"generation":3,"columns":["id","ts"],"watermark":77,"pinned":{"table_version":12,"upper":99},"sent":5}', 0)`)
			if err == nil {
				_, err = tx.ExecContext(t.Context(), `INSERT INTO cursor_ties (key, digest, sent) VALUES ('k', ?, 2), ('k', ?, 1), ('other', ?, 1)`, digest("b"), digest("a"), digest("c"))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time there is nothing left to do
			c, err := db.Cursor(t.Context(), "k")
			if err != nil {
				t.Fatal(err)
			}
			if c.Version != 2 || c.Generation != 3 || *c.Watermark != 77 || c.Pinned != nil || c.Sent != 5 || *c.From != 77 || *c.Known != 77 || len(c.Columns) != 2 {
				t.Fatalf("%+v", c)
			}
			pages, err := db.SentPages(t.Context(), "k", 77, 77)
			if err != nil || len(pages) != 1 {
				t.Fatalf("%v, %v", pages, err)
			}
			rows, err := db.SentRows(t.Context(), "k", pages[0])
			if err != nil || len(rows) != 2 || rows[0].Times != 1 || rows[1].Times != 2 || rows[0].Digest[0] != 0xaa || rows[1].Micros != 77 {
				t.Fatalf("%v, %v", rows, err)
			}
		}
	})
}

func TestRememberedRowsReadBack(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, db *store.DB) {
		rows := []store.SentRow{{Micros: store.NullMicros, Times: 3}, {Micros: -5, Times: 1}, {Micros: 7, Times: 1 << 40}, {Micros: 7, Digest: [16]byte{1}, Times: 1}, {Micros: 1 << 60, Times: 1}}
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
					t.Fatalf("%v, %v", got, err)
				}
			}
			return out
		}
		if got := numbers(-5, 7); !slices.Equal(got, []int64{1, 2}) {
			t.Fatalf("pages %v", got)
		}
		write(func(tx *store.Tx) error { return store.ForgetSent(t.Context(), tx, "k", 8) })
		if got := numbers(store.NullMicros, 1<<62); !slices.Equal(got, []int64{1, 3}) {
			t.Fatalf("pages %v", got)
		}
		write(func(tx *store.Tx) error { return store.ForgetAllSent(t.Context(), tx, "k") })
		if got := numbers(store.NullMicros, 1<<62); got != nil {
			t.Fatalf("pages %v", got)
		}
	})
}
