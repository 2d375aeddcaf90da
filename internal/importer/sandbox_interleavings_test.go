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

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// content is all values of a row: rows of the same content are identical.
type content struct {
	id, micros int64
	name       string
}

// history is a table in a sandbox, with the rows that it had at the start of
// each run.
type history struct {
	*fixture
	random *rand.Rand
	// now counts each row in the table; most is the largest count at the start of
	// a run.
	now, most map[content]int
	// ids is the last id that a row was given.
	ids int64
	// feed is the clause of a table with the change data feed; empty without it.
	feed string
}

// firstMicros is the first timestamp of the tables.
const firstMicros = 1_700_000_000_000_000

// checklist 1 2 3 4 5 62: the same as TestEachRowIsSentOnceInEveryInterleaving
// with a real warehouse, because the fake table may differ from one. Each row
// is sent exactly as often as it is in the table.
func TestEachRowIsSentOnceInSQL(t *testing.T) {
	t.Parallel()
	record := torture.Begin(t, "Interleavings of changes, batches and crashes, in SQL", "interleavings")
	wanted := torture.Times(2, 30, 200)
	eachSeed(t, "TestEachRowIsSentOnceInSQL", func(n int) bool { return n >= wanted }, func(t *testing.T, seed uint64) {
		t.Helper()
		t.Helper()
		record.Tried++
		h := &history{fixture: newFixture(t, sandboxtest.Shared(t), threeColumns), now: map[content]int{}, most: map[content]int{},
			random: rand.New(rand.NewPCG(seed, 2))} // #nosec G404 -- repeatable on purpose
		h.imp.SliceRows, h.imp.Spec.BatchSize = 1+h.random.Int64N(30), 1+h.random.Int64N(12)
		if h.random.IntN(3) == 0 {
			h.imp.Spec.KeyColumns = []string{"id"}
		}
		if h.random.IntN(2) == 0 {
			h.feed = " TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"
			h.exec("ALTER TABLE %t SET" + h.feed)
			h.imp.Spec.Changes = []jobs.Changes{jobs.ChangesAuto, jobs.ChangesFeed}[h.random.IntN(2)]
		}
		for range 2 + h.random.IntN(3) {
			for range h.random.IntN(3) {
				h.changeTable()
			}
			left := 1 + h.random.IntN(8)
			h.sink.before = func() error {
				if left--; left == 0 {
					return errCrash
				}
				return nil
			}
			h.noteRows()
			err := h.runOnce()
			if e, ok := errors.AsType[*jobs.Error](err); ok && e.Attribute == "changes" && h.imp.Spec.Changes == jobs.ChangesFeed {
				h.imp.Spec.Changes = jobs.ChangesAuto // the feed has ended, as the error says
				err = h.runOnce()
			}
			if err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
		}
		h.sink.before = nil
		h.imp.Spec.Changes = jobs.ChangesAuto // the last changes may end the feed
		h.changeTable()
		h.noteRows()
		// The first run finishes the snapshot that a crash interrupted.
		h.run()
		h.run()
		h.wantEvents()
		h.checkEvents()
	})
}

// noteRows records the rows that the next run may read.
func (h *history) noteRows() {
	for c, n := range h.now {
		h.most[c] = max(h.most[c], n)
	}
}

// newRow returns a row that is not in the table yet.
func (h *history) newRow() content {
	h.ids++
	return content{h.ids, firstMicros + h.random.Int64N(12)*1_000_000, "x"}
}

// anyRow returns one of the rows.
func (h *history) anyRow() content {
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

// changeTable commits a change.
func (h *history) changeTable() {
	kind := h.random.IntN(8)
	if len(h.now) == 0 {
		kind = 0
	}
	switch kind {
	case 3:
		h.insert(h.anyRow(), h.anyRow()) // once more
	case 4:
		c := h.anyRow()
		h.exec(fmt.Sprintf("UPDATE %%t SET name = concat(name, 'u'), ts = timestamp_micros(%d) WHERE id = %d AND name = '%s'",
			c.micros+500_000, c.id, c.name))
		n := h.remove(c)
		h.now[content{c.id, c.micros + 500_000, c.name + "u"}] += n
	case 5:
		// Rows of one id and name have one timestamp.
		c := h.anyRow()
		h.exec(fmt.Sprintf("DELETE FROM %%t WHERE id = %d AND name = '%s'", c.id, c.name))
		h.remove(c)
	case 6:
		feed := h.feed
		if h.random.IntN(3) == 0 {
			feed = "" // the feed begins anew with the next statement that sets it
		}
		h.exec("CREATE OR REPLACE TABLE %t" + feed + " AS SELECT * FROM %t ORDER BY name, id DESC")
	case 7:
		h.exec("INSERT OVERWRITE %t SELECT * FROM %t")
	default:
		rows := make([]content, 1+h.random.IntN(20))
		for i := range rows {
			rows[i] = h.newRow()
		}
		h.insert(rows...)
	}
}

// checkEvents compares the events with the rows.
func (h *history) checkEvents() {
	h.t.Helper()
	sent, ids := map[content]int{}, map[string]bool{}
	for _, e := range h.sink.events {
		if ids[e.ID] {
			h.t.Fatalf("got the event %s twice", e.ID)
		}
		ids[e.ID] = true
		sent[content{gjson.GetBytes(e.Data, "id").Int(), e.Time.UnixMicro(), gjson.GetBytes(e.Data, "name").String()}]++
	}
	for c, n := range h.now {
		if got := sent[c]; got < n {
			h.t.Errorf("got row %+v %d times, want at least %d", c, got, n)
		}
	}
	for c, n := range sent {
		if n > h.most[c] {
			h.t.Errorf("got row %+v %d times, want at most %d", c, n, h.most[c])
		}
	}
}
