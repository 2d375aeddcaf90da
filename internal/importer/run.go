package importer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// run is one attempt: a session, from the cursor to the end of the window.
type run struct {
	i      *Import
	src    source
	cursor store.Cursor
	snap   snapshot
	found  counts
	// noPinned and noPrevious are snapshots that were found to be gone.
	noPinned, noPrevious bool
}

// execute reads what is new.
func (r *run) execute(ctx context.Context) error {
	if r.renewed() {
		if err := r.beginGeneration(ctx); err != nil {
			return err
		}
	}
	done, err := r.pin(ctx)
	if err != nil {
		return err
	}
	if !done {
		r.i.Progress.Count(func(c *jobs.Counts) {
			c.Snapshot, c.RowsNull, c.RowsFuture = r.snap.label, r.found.nulls, 0
			if !r.futures() {
				c.RowsFuture = r.found.future
			}
		})
		if r.i.Spec.NullTimestamps == jobs.NullError && r.found.nulls > 0 {
			return &jobs.Error{Code: jobs.CodeFailed, Attribute: "null_timestamps",
				Summary: fmt.Sprintf("%d rows of %s have no %s", r.found.nulls, r.snap.table.name, r.i.Spec.TimestampColumn),
				Detail:  "null_timestamps = \"error\" asks for this error. Nothing was sent.",
				Next:    "Give the rows a timestamp, leave them out with where, or set null_timestamps to \"skip\" or \"include_once\""}
		}
		if done, err = r.read(ctx); err != nil || !done {
			return err
		}
	}
	if err := r.finish(ctx); err != nil {
		return err
	}
	r.sweep(ctx)
	return nil
}

// renewed tells whether the definition asks for a generation that has not begun.
func (r *run) renewed() bool {
	asked := r.i.Spec.FullRefresh
	return r.cursor.Generation == 0 || asked != "" && asked != r.cursor.FullRefresh
}

func (r *run) beginGeneration(ctx context.Context) error {
	r.cursor = store.Cursor{Generation: r.cursor.Generation + 1, FullRefresh: r.i.Spec.FullRefresh, Copies: r.cursor.Copies, Pages: r.cursor.Pages}
	if since := r.i.Spec.Since; since != nil {
		from := since.UnixMicro() + 1
		r.cursor.From = &from
	}
	if r.i.limit >= 0 {
		r.i.limit = r.i.Spec.RowLimit
	}
	if r.cursor.Generation == 1 {
		return nil // written with the first snapshot
	}
	return r.i.Cursors.Write(ctx, func(tx *store.Tx) error {
		if err := r.i.Fence(tx); err != nil {
			return err
		}
		if err := store.ForgetAllSent(ctx, tx, r.i.Key); err != nil {
			return err
		}
		return store.PutCursor(ctx, tx, r.i.Key, r.cursor)
	})
}

// plan tells definitions apart that read other rows, or in another order.
func (r *run) plan() string {
	s := r.i.Spec
	text, err := json.Marshal([]any{s.Where, s.KeyColumns, s.NullTimestamps, r.futures()})
	if err != nil {
		panic(err) // texts and a truth always have a form
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

func (r *run) futures() bool { return r.i.Spec.FutureTimestamps == jobs.FutureInclude }

// pin chooses the snapshot. A run that is continued reads the one it began
// with, as long as it is there. done tells that nothing can be new.
func (r *run) pin(ctx context.Context) (done bool, err error) {
	r.i.Progress.Phase("pinning a snapshot", 0)
	if p := r.cursor.Pinned; p != nil {
		if p.Plan == r.plan() && !r.noPinned && (p.TableVersion != nil || p.Copy != "") {
			err := r.reopen(ctx, p)
			if err == nil || !errors.Is(err, errGone) {
				return false, err
			}
		}
		// A newer one, compared with the rows that were sent, is as exact.
		r.unpin()
	}
	version, versioned, err := r.src.latest(ctx)
	if err != nil {
		return false, err
	}
	if versioned {
		if l := r.cursor.Last; l != nil && l.TableVersion != nil && *l.TableVersion == version && l.Plan == r.plan() && l.RowsFuture == 0 {
			r.snap.label = versionLabel(version)
			r.found.nulls = l.RowsNull
			r.i.Progress.Count(func(c *jobs.Counts) { c.Snapshot, c.RowsNull = r.snap.label, l.RowsNull })
			return true, nil
		}
		if err = r.pinVersion(ctx, version); !errors.Is(err, errNoHistory) {
			return false, err
		}
	}
	return false, r.pinCopy(ctx)
}

func versionLabel(version int64) string { return fmt.Sprintf("version %d", version) }

func (r *run) reopen(ctx context.Context, p *store.Pinned) error {
	t, err := newTable(r.i.Spec, p.Columns, r.cursor.Columns)
	if err != nil {
		return err
	}
	r.snap = snapshot{table: t, version: p.TableVersion, copied: p.Copy, label: "copy " + strings.ReplaceAll(p.Copy, "`", "")}
	if p.TableVersion != nil {
		r.snap.label = versionLabel(*p.TableVersion)
	}
	q := r.countQuery(&p.Upper)
	if r.found, err = r.src.count(ctx, r.snap, q); err != nil && p.Copy != "" && isStatement(err) {
		err = errors.Join(err, errGone) // dropped by somebody
	}
	return err
}

func isStatement(err error) bool {
	_, ok := errors.AsType[*databricks.StatementError](err)
	return ok
}

// unpin gives a snapshot up. What was sent of it stays compared: up to the last
// timestamp, whose rows are told by what is remembered.
func (r *run) unpin() {
	p := r.cursor.Pinned
	r.cursor.Pinned = nil
	if p.Reached != nil {
		r.cursor.Watermark = later(r.cursor.Watermark, *p.Reached)
	}
	if p.Position != nil && p.Position.Micros > p.Upper {
		r.cursor.Ahead = later(r.cursor.Ahead, p.Position.Micros)
	}
}

func (r *run) pinVersion(ctx context.Context, version int64) error {
	columns, err := r.src.columns(ctx, &version)
	if err != nil {
		return err
	}
	t, err := r.schema(columns)
	if err != nil {
		return err
	}
	r.snap = snapshot{table: t, version: &version, label: versionLabel(version)}
	return r.hold(ctx, store.Pinned{TableVersion: &version})
}

// schema looks at the columns of a new snapshot. Where digests are taken over
// others than before, the rows that were remembered cannot be recognized.
func (r *run) schema(columns []store.SourceColumn) (*table, error) {
	t, err := newTable(r.i.Spec, columns, r.cursor.Columns)
	if err != nil {
		return nil, err
	}
	if r.cursor.Columns == nil {
		r.cursor.Columns = t.begin()
	}
	signature := t.signature()
	if known := r.cursor.Digest; known != "" && known != signature && r.cursor.Watermark != nil {
		r.cursor.Known = later(r.cursor.Known, *r.cursor.Watermark+1)
	}
	r.cursor.Digest = signature
	return t, nil
}

// hold counts a new snapshot and writes it down before the first row is read.
func (r *run) hold(ctx context.Context, p store.Pinned) error {
	var err error
	if r.found, err = r.src.count(ctx, r.snap, r.countQuery(nil)); err != nil {
		return err
	}
	p.Upper, p.Columns, p.Plan = r.found.upper, r.snap.table.schema(), r.plan()
	r.cursor.Pinned = &p
	return r.write(ctx)
}

func (r *run) write(ctx context.Context) error {
	return r.i.Cursors.Write(ctx, func(tx *store.Tx) error {
		if err := r.i.Fence(tx); err != nil {
			return err
		}
		return store.PutCursor(ctx, tx, r.i.Key, r.cursor)
	})
}

// pinCopy copies a source that keeps no versions.
func (r *run) pinCopy(ctx context.Context) error {
	columns, err := r.src.columns(ctx, nil)
	if err != nil {
		return err
	}
	t, err := r.schema(columns)
	if err != nil {
		return err
	}
	r.snap = snapshot{table: t}
	r.sweep(ctx)
	name := ""
	if r.i.Spec.ScratchSchema != "" {
		if name, err = r.copyName(); err != nil {
			return err
		}
		// Written down first: a copy that nobody knows of would stay for ever.
		r.cursor.Copies = append(r.cursor.Copies, name)
		if err := r.write(ctx); err != nil {
			return err
		}
	}
	r.i.Progress.Phase("copying a source without versions", 0)
	if r.snap, err = r.src.copy(ctx, t, name, min(r.window().from, r.lower())); err != nil {
		return err
	}
	return r.hold(ctx, store.Pinned{Copy: name})
}

func (r *run) copyName() (string, error) {
	catalog, schema, err := jobs.ParseSchema(r.i.Spec.ScratchSchema)
	if err != nil {
		return "", jobs.Invalid("scratch_schema", "The scratch schema cannot be used as it is", err.Error(), "")
	}
	random := make([]byte, 6)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	return databricks.QuoteTable(jobs.TableName{Catalog: catalog, Database: schema, Table: "lytics_copy_" + hex.EncodeToString(random)})
}

// sweep drops the copies that nothing reads any more. One that cannot be
// dropped now is tried again by the next run.
func (r *run) sweep(ctx context.Context) {
	before := len(r.cursor.Copies)
	r.cursor.Copies = slices.DeleteFunc(slices.Clone(r.cursor.Copies), func(name string) bool {
		if p := r.cursor.Pinned; p != nil && p.Copy == name {
			return false
		}
		return r.src.drop(ctx, name) == nil
	})
	if len(r.cursor.Copies) < before {
		_ = r.write(ctx)
	}
}

// lower is the first timestamp above the watermark.
func (r *run) lower() int64 {
	switch c := r.cursor; {
	case c.Watermark != nil:
		return *c.Watermark + 1
	case c.From != nil:
		return *c.From
	default:
		return math.MinInt64
	}
}

// window is the range below the watermark that is compared. It is empty, from
// above to, before there is a watermark.
func (r *run) window() slice {
	c := r.cursor
	if c.Watermark == nil {
		return slice{from: math.MaxInt64, to: math.MinInt64}
	}
	from := minus(*c.Watermark, r.i.lookback())
	if c.From != nil {
		from = max(from, *c.From)
	}
	if r.previous() == nil && c.Known != nil {
		from = max(from, *c.Known)
	}
	return slice{from: from, to: *c.Watermark}
}

// minus subtracts without passing the least timestamp.
func minus(micros, by int64) int64 {
	if out := micros - by; out <= micros && out > math.MinInt64 {
		return out
	}
	return math.MinInt64 + 1
}

func (r *run) countQuery(upper *int64) countQuery {
	q := countQuery{from: r.lower(), upper: upper}
	if p := r.cursor.Pinned; p != nil && p.Position != nil {
		q.from = p.Position.Micros
	}
	if w := r.window(); w.from <= w.to && r.previous() == nil && (r.cursor.Pinned == nil || !r.cursor.Pinned.Compared) {
		q.window = &w
	}
	return q
}

// previous is the version that the last run compared, as digests of today see
// it; nil where there is none to compare with.
func (r *run) previous() *snapshot {
	l := r.cursor.Last
	if l == nil || l.TableVersion == nil || r.snap.version == nil || r.cursor.Watermark == nil || r.noPrevious {
		return nil
	}
	then, err := newTable(jobs.TableImport{Catalog: r.i.Spec.Catalog, Database: r.i.Spec.Database, Table: r.i.Spec.Table,
		TimestampColumn: r.i.Spec.TimestampColumn, Where: r.i.Spec.Where}, l.Columns, nil)
	if err != nil {
		return nil
	}
	then.digest = nil
	for _, c := range r.snap.table.digest {
		old := then.find(c.Name)
		if old == nil {
			return nil
		}
		d := column{SourceColumn: c.SourceColumn, sql: old.sql, alias: c.alias}
		if !strings.EqualFold(old.Type, c.Type) {
			d.sql = "CAST(" + old.sql + " AS " + c.Type + ")"
		}
		then.digest = append(then.digest, d)
	}
	return &snapshot{table: then, version: l.TableVersion, label: versionLabel(*l.TableVersion)}
}
