package importer

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// The attributes that the event of a deleted row has after its key columns.
const (
	deletedAttribute   = "_deleted"
	deletedAtAttribute = "_deleted_at"
)

// sendDeletedRows sends an event for each row by which a key has fewer rows than in
// the last run's version. Its data are the key columns, that the row was deleted, and
// when. The events that an earlier attempt has sent are counted, and are the first in
// the order of keys.
func (r *run) sendDeletedRows(ctx context.Context) (done bool, err error) {
	q, ok := r.deletedRowsQuery()
	if !ok {
		return true, nil
	}
	r.imp.Progress.Phase("looking for deleted rows", 0)
	e := r.newEmitter()
	e.deletes, e.base = true, *q.changes
	e.skipRows = r.cursor.Pinned.Changes.DeletesSent
	if _, err := r.copyRows(ctx, q, e); err != nil {
		return false, r.unreadableChanges(err)
	}
	r.adoptCursor(e)
	return !e.limitReached, nil
}

// deletedRowsQuery asks for the keys of the rows that were sent and are gone; ok is false
// where there can be none, or nobody asks.
func (r *run) deletedRowsQuery() (q rowsQuery, ok bool) {
	changes, through := r.changes(), r.cursor.sentThrough()
	if r.imp.Spec.Deletes != jobs.DeletesEvents || changes == nil || r.changed.removed == 0 || through == nil {
		return rowsQuery{}, false
	}
	return rowsQuery{slice: slice{from: r.cursor.first(), to: *through}, changes: changes, deletes: true,
		nulls: r.imp.Spec.NullTimestamps == jobs.NullIncludeOnce}, true
}

// deletedEvent is the data of the event of a deleted row with these key columns, a
// JSON object.
func deletedEvent(key []byte, at int64) ([]byte, error) {
	open, ok := bytes.CutSuffix(key, []byte("}"))
	if !ok || len(open) < 2 {
		return nil, fmt.Errorf("the warehouse returned %q as the key columns of a row, which is no JSON object", key)
	}
	when := time.UnixMicro(at).UTC().Format("2006-01-02T15:04:05.000000Z")
	return fmt.Appendf(bytes.Clone(open), `,%q:true,%q:%q}`, deletedAttribute, deletedAtAttribute, when), nil
}

// checkDeletes refuses a definition whose events of deleted rows would say nothing.
func (t *table) checkDeletes(deletes jobs.Deletes) error {
	if deletes != jobs.DeletesEvents {
		return nil
	}
	for _, k := range t.keys {
		if strings.EqualFold(k.Name, deletedAttribute) || strings.EqualFold(k.Name, deletedAtAttribute) {
			return jobs.Invalid("key_columns",
				fmt.Sprintf("The key column %q of %s has the name of an attribute of the events of deleted rows", k.Name, t.name),
				"Such an event has the key columns, _deleted and _deleted_at.", "Name another column, or set deletes to \"ignore\"")
		}
	}
	return nil
}

// first is the first timestamp of the generation.
func (c *Cursor) first() int64 {
	if c.From != nil {
		return *c.From
	}
	return math.MinInt64
}
