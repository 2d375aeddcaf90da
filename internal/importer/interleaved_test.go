package importer_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// content is a row; rows that are the same in all of it cannot be told apart.
type content struct {
	id, micros int64
	name       string
}

// history is a table in a sandbox, and what it held whenever a run began.
type history struct {
	*bed
	random *rand.Rand
	now    map[content]int
	most   map[content]int
	ids    int64
}

const begin = 1_700_000_000_000_000

// checklist 1 2 3 4 5 62: ties, late rows, updates, deletes, rebuilds, copies of
// rows, and crashes at any batch, in SQL: each row that is there is sent as
// often as it is there, and never more often. The same as with the fake table,
// for what a fake may have wrong. LYTICS_TORTURE_SEEDS is how many.
func TestEachRowIsSentOnceInSQL(t *testing.T) {
	t.Parallel()
	eachSeed(t, "TestEachRowIsSentOnceInSQL", func(t *testing.T, seed uint64) {
		t.Helper()
		h := &history{bed: newBed(t, sandboxtest.Shared(t), threeColumns), random: rand.New(rand.NewPCG(seed, 2)), now: map[content]int{}, most: map[content]int{}} // #nosec G404 -- repeatable on purpose
		h.imp.SliceRows, h.imp.Spec.BatchSize = 1+h.random.Int64N(30), 1+h.random.Int64N(12)
		if h.random.IntN(3) == 0 {
			h.imp.Spec.KeyColumns = []string{"id"}
		}
		for range 2 + h.random.IntN(3) {
			for range h.random.IntN(3) {
				h.change()
			}
			left := 1 + h.random.IntN(8)
			h.sink.before = func() error {
				if left--; left == 0 {
					return errCrash
				}
				return nil
			}
			h.begins()
			if err := h.try(); err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
		}
		h.sink.before = nil
		h.change()
		h.begins()
		// The first ends with the version that a crash left it at.
		h.run()
		h.run()
		h.want()
		h.check()
	})
}

// begins notes what a run may read.
func (h *history) begins() {
	for c, n := range h.now {
		h.most[c] = max(h.most[c], n)
	}
}

func (h *history) row() content {
	h.ids++
	return content{h.ids, begin + h.random.Int64N(12)*1_000_000, "x"}
}

// any gives one of the rows.
func (h *history) any() content {
	rows := slices.SortedFunc(maps.Keys(h.now), func(a, b content) int { return cmp.Compare(a.id, b.id) })
	return rows[h.random.IntN(len(rows))]
}

func (h *history) insert(rows ...content) {
	values := make([]string, len(rows))
	for i, c := range rows {
		values[i] = fmt.Sprintf("(%d, '%s', timestamp_micros(%d))", c.id, c.name, c.micros)
		h.now[c]++
	}
	h.exec("INSERT INTO %t VALUES " + strings.Join(values, ", "))
}

func (h *history) remove(c content) int {
	n := h.now[c]
	delete(h.now, c)
	return n
}

// change commits something.
func (h *history) change() {
	kind := h.random.IntN(8)
	if len(h.now) == 0 {
		kind = 0
	}
	switch kind {
	case 3:
		h.insert(h.any(), h.any()) // once more
	case 4:
		c := h.any()
		h.exec(fmt.Sprintf("UPDATE %%t SET name = concat(name, 'u'), ts = timestamp_micros(%d) WHERE id = %d AND name = '%s'", c.micros+500_000, c.id, c.name))
		n := h.remove(c)
		h.now[content{c.id, c.micros + 500_000, c.name + "u"}] += n
	case 5:
		// Rows that share the id and the name are on one timestamp.
		c := h.any()
		h.exec(fmt.Sprintf("DELETE FROM %%t WHERE id = %d AND name = '%s'", c.id, c.name))
		h.remove(c)
	case 6:
		h.exec("CREATE OR REPLACE TABLE %t AS SELECT * FROM %t ORDER BY name, id DESC")
	case 7:
		h.exec("INSERT OVERWRITE %t SELECT * FROM %t")
	default:
		rows := make([]content, 1+h.random.IntN(20))
		for i := range rows {
			rows[i] = h.row()
		}
		h.insert(rows...)
	}
}

func (h *history) check() {
	h.t.Helper()
	sent, ids := map[content]int{}, map[string]bool{}
	for _, e := range h.sink.events {
		if ids[e.ID] {
			h.t.Fatalf("event %s twice", e.ID)
		}
		ids[e.ID] = true
		sent[content{gjson.GetBytes(e.Data, "id").Int(), e.Time.UnixMicro(), gjson.GetBytes(e.Data, "name").String()}]++
	}
	for c, n := range h.now {
		if got := sent[c]; got < n {
			h.t.Errorf("row %+v was sent %d times, and is there %d times", c, got, n)
		}
	}
	for c, n := range sent {
		if n > h.most[c] {
			h.t.Errorf("row %+v was sent %d times, and was there %d times", c, n, h.most[c])
		}
	}
}
