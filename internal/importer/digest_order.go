package importer

import (
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// inDigestOrder sorts remembered rows that came in the order of key columns, and
// joins those of one timestamp and digest.
func inDigestOrder(rows []store.SentRow, keyOrder bool) []store.SentRow {
	if !keyOrder {
		return rows
	}
	slices.SortFunc(rows, store.SentRow.Compare)
	out := rows[:1]
	for _, r := range rows[1:] {
		if last := &out[len(out)-1]; last.Compare(r) == 0 {
			last.Times += r.Times
		} else {
			out = append(out, r)
		}
	}
	return out
}
