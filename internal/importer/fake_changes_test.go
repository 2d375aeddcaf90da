package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// changesTo returns by how much each row is more often in a snapshot than in the
// earlier version of a range.
func (f *fakeTable) changesTo(s snapshot, c changeRange) (map[fakeRow]int64, error) {
	net := map[fakeRow]int64{}
	add := func(rows []fakeRow, n int64) {
		for _, r := range rows {
			net[r] += n
		}
	}
	if c.compared != nil && f.refusesCompared {
		return nil, &databricks.StatementError{Class: "SOMETHING_NEW", Message: "the statement failed"}
	}
	if c.compared != nil {
		then, err := f.at(*c.compared)
		if err != nil {
			return nil, err
		}
		now, err := f.at(s)
		add(now, 1)
		add(then, -1)
		return net, err
	}
	if c.after == *s.version {
		return net, nil
	}
	if c.after+1 < f.feedFrom || c.after < f.vacuumed {
		return nil, &databricks.StatementError{Class: "DELTA_MISSING_CHANGE_DATA", Message: "change data was not recorded"}
	}
	for v := c.after + 1; v <= *s.version; v++ {
		add(f.versions[v], 1)
		add(f.versions[v-1], -1)
	}
	return net, nil
}

func (f *fakeTable) countChanges(_ context.Context, s snapshot, q changeCountQuery) (changeCounts, error) {
	net, err := f.changesTo(s, q.changes)
	if err != nil {
		return changeCounts{}, err
	}
	f.feedRead, f.feedEverRead = true, true
	c := changeCounts{counts: counts{upper: f.now, first: math.MaxInt64, last: math.MinInt64}}
	if q.upper != nil {
		c.upper = *q.upper
	} else {
		f.pinned = append(f.pinned, fakeSnapshot{f.versions[*s.version], f.now})
	}
	for r, n := range net {
		null, added := r.micros == store.NullMicros, max(n, 0)
		c.removed += max(-n, 0)
		switch {
		case null:
			c.nulls += n
			c.nullsAdded += added
		case r.micros >= q.from && r.micros <= q.watermark:
			c.late += added
		}
		switch {
		case null || n == 0:
		case n < 0 && r.micros > q.watermark:
			c.removedAbove -= n
		case n > 0 && r.micros >= q.unread && r.micros <= c.upper:
			c.rows += n
			c.first, c.last = min(c.first, r.micros), max(c.last, r.micros)
		case n > 0 && r.micros >= q.unread:
			c.future += n
			c.futureLast = max(c.futureLast, r.micros)
		}
	}
	return c, nil
}

func (f *fakeTable) checkFeed(_ context.Context, s snapshot) error {
	if *s.version < f.feedFrom {
		return &databricks.StatementError{Class: "DELTA_MISSING_CHANGE_DATA", Message: "change data was not recorded"}
	}
	return nil
}

// changedRows passes the rows of a query of changes on.
func (f *fakeTable) changedRows(s snapshot, q rowsQuery, yield func(*databricks.Batch, error) bool) {
	net, err := f.changesTo(s, *q.changes)
	if err != nil {
		yield(nil, err)
		return
	}
	if q.deletes {
		f.deletedKeys(s, q, net, yield)
		return
	}
	var rows []fakeRow
	for r, n := range net {
		if n > 0 {
			rows = append(rows, r)
		}
	}
	f.yieldPages(s, q, f.ordered(s, q, rows), net, map[fakeRow]int64{}, yield)
}

// deletedKeys passes the keys on that lost rows.
func (f *fakeTable) deletedKeys(_ snapshot, q rowsQuery, net map[fakeRow]int64, yield func(*databricks.Batch, error) bool) {
	lost := map[string]int64{}
	for r, n := range net {
		if n > 0 || r.micros >= q.from && r.micros <= q.to || q.nulls && r.micros == store.NullMicros {
			lost[fmt.Sprintf(`{"k":%d}`, r.key)] -= n
		}
	}
	var keys []string
	for k, n := range lost {
		if n > 0 {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for page := range slices.Chunk(keys, f.page) {
		if f.breaks() {
			yield(nil, errLost)
			return
		}
		at, zero, times := make([]int64, len(page)), make([]int64, len(page)), make([]int64, len(page))
		digests := make([]string, len(page))
		for i, k := range page {
			sum := sha256.Sum256([]byte(k))
			at[i], times[i], digests[i] = 7, lost[k], hex.EncodeToString(sum[:])
		}
		texts := databricks.NewTexts(page...)
		if !yield(databricks.NewBatch(at, databricks.NewTexts(digests...), texts, at, texts, times, zero), nil) {
			return
		}
	}
}

// isDeleted reports whether an event tells of a deleted row.
func isDeleted(data []byte) bool { return strings.Contains(string(data), `"_deleted":true`) }
