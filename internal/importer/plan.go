package importer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// window is what a run reads: a source that does not move, and the filter's
// bounds, both inclusive, in microseconds.
type window struct {
	snapshot     string
	from         string
	lower, upper int64
	// rows lie in the window; nulls have no timestamp; future lie above it.
	rows, nulls, future int64
}

// plan pins the snapshot and counts the window in it. A run that is continued
// reads the version it began with, as long as the table still has it.
func (i *Import) plan(ctx context.Context, wh *databricks.Warehouse, t *table, cursor *store.Cursor) (*window, error) {
	i.Progress.Phase("pinning a snapshot", 0)
	if p := cursor.Pinned; p != nil {
		w, err := i.count(ctx, wh, t, cursor, atVersion(t, p.TableVersion), &p.Upper)
		if err == nil {
			return w, nil
		}
		if databricks.Class(err) == "" {
			return nil, err
		}
		// The version was vacuumed away, or the columns have changed since: a
		// newer one, from the same cursor, is as exact.
		cursor.Pinned = nil
	}
	version, versioned, err := wh.LatestVersion(ctx, t.name)
	if err != nil {
		return nil, err
	}
	if !versioned {
		return i.view(ctx, wh, t, cursor)
	}
	w, err := i.count(ctx, wh, t, cursor, atVersion(t, version), nil)
	if err != nil {
		return nil, err
	}
	cursor.Pinned = &store.Pinned{TableVersion: version, Upper: w.upper}
	return w, nil
}

// view reads a source without history through a temporary view of the session.
// The view is lazy, not a copy: a source that changes between the count and
// the read is noticed by their difference.
func (i *Import) view(ctx context.Context, wh *databricks.Warehouse, t *table, cursor *store.Cursor) (*window, error) {
	name, err := databricks.Quote("lytics_" + i.RunID)
	if err != nil {
		return nil, err
	}
	if err := wh.ExecRepeatable(ctx, "CREATE OR REPLACE TEMPORARY VIEW "+name+" AS SELECT * FROM "+t.sql); err != nil {
		return nil, err
	}
	return i.count(ctx, wh, t, cursor, source{sql: name, label: "temporary view"}, nil)
}

// source is the FROM clause of a snapshot.
type source struct{ sql, label string }

func atVersion(t *table, version int64) source {
	return source{
		sql:   fmt.Sprintf("%s VERSION AS OF %d", t.sql, version),
		label: fmt.Sprintf("version %d", version),
	}
}

// count reads the warehouse's clock, unless the upper bound is given, and
// counts the window: one scan of one column.
func (i *Import) count(ctx context.Context, wh *databricks.Warehouse, t *table, cursor *store.Cursor, src source, upper *int64) (*window, error) {
	w := &window{snapshot: src.label, from: src.sql, lower: i.lower(cursor)}
	ts := t.timestamp.sql
	bound := "current_timestamp()"
	if upper != nil {
		bound = fmt.Sprintf("timestamp_micros(%d)", *upper)
	}
	typed := t.timestamp.typed(bound)
	inWindow := ts + " <= " + typed
	if w.lower != math.MinInt64 {
		inWindow = ts + " >= " + t.timestamp.at(w.lower) + " AND " + inWindow
	}
	rows, err := wh.Query(ctx, fmt.Sprintf(
		"SELECT unix_micros(%s), count_if(%s), count_if(%s IS NULL), count_if(%s > %s) FROM %s",
		bound, inWindow, ts, ts, typed, src.sql))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var now sql.NullInt64
	for rows.Next() {
		if err := rows.Scan(&now, &w.rows, &w.nulls, &w.future); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	if !now.Valid {
		return nil, &jobs.Error{Code: jobs.CodeFailed, Summary: fmt.Sprintf("The warehouse gave no clock for %s", t.name),
			Detail: "The query that counts the rows to import returned no row.", Next: "Run the job again"}
	}
	w.upper = now.Int64
	return w, nil
}

// lower is the window's first microsecond. The watermark is inclusive, and what
// was sent at it is taken away later; before there is one, the since timestamp
// counts, which is exclusive.
func (i *Import) lower(cursor *store.Cursor) int64 {
	switch {
	case cursor.Watermark != nil:
		return *cursor.Watermark
	case i.Spec.Since != nil:
		return i.Spec.Since.UnixMicro() + 1
	default:
		return math.MinInt64
	}
}
