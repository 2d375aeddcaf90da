package importer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// pinSnapshot chooses the snapshot to read and stores the choice. A run that is
// continued reads the snapshot that it began with, if that can still be read.
// unchanged reports that the last run already read this version to its end.
func (r *run) pinSnapshot(ctx context.Context) (unchanged bool, err error) {
	r.imp.Progress.Phase("pinning a snapshot", 0)
	if p := r.cursor.Pinned; p != nil {
		if p.DefinitionHash == r.definitionHash() && !r.pinnedGone && (p.TableVersion != nil || p.Copy != "") {
			err := r.reopenPinned(ctx, p)
			if err == nil || !errors.Is(err, errSnapshotGone) {
				return false, err
			}
		}
		// A newer snapshot, compared with the rows that were sent, is as exact.
		r.cursor.releaseSnapshot()
	}
	version, versioned, err := r.src.latestVersion(ctx)
	if err != nil {
		return false, err
	}
	if versioned {
		if l := r.cursor.LastCompared; l != nil && l.TableVersion != nil && *l.TableVersion == version &&
			l.DefinitionHash == r.definitionHash() && l.RowsFuture == 0 {
			r.snap.label = versionLabel(version)
			r.counted.nulls = l.RowsNull
			r.imp.Progress.Count(func(c *jobs.Counts) { c.Snapshot, c.RowsNull = r.snap.label, l.RowsNull })
			return true, nil
		}
		if err = r.pinVersion(ctx, version); !errors.Is(err, errNoHistory) {
			return false, err
		}
	}
	return false, r.pinCopy(ctx)
}

// reopenPinned reads the snapshot that an earlier attempt pinned. The error is
// errSnapshotGone when it cannot be read any more.
func (r *run) reopenPinned(ctx context.Context, p *PinnedSnapshot) error {
	t, err := newTable(r.imp.Spec, p.Columns, r.cursor.DigestColumns)
	if err != nil {
		return err
	}
	r.snap = snapshot{table: t, version: p.TableVersion, copied: p.Copy, label: "copy " + strings.ReplaceAll(p.Copy, "`", "")}
	if p.TableVersion != nil {
		r.snap.label = versionLabel(*p.TableVersion)
	}
	r.counted, err = r.src.count(ctx, r.snap, r.countQuery(&p.Upper))
	if err != nil && p.Copy != "" && isStatementError(err) {
		err = errors.Join(err, errSnapshotGone) // someone dropped the copy
	}
	return err
}

// pinVersion pins a version of the table.
func (r *run) pinVersion(ctx context.Context, version int64) error {
	columns, err := r.src.columns(ctx, &version)
	if err != nil {
		return err
	}
	t, err := r.adoptSchema(columns)
	if err != nil {
		return err
	}
	r.snap = snapshot{table: t, version: &version, label: versionLabel(version)}
	return r.countAndPin(ctx, PinnedSnapshot{TableVersion: &version})
}

// adoptSchema resolves the definition in the schema of a new snapshot.
func (r *run) adoptSchema(columns []SourceColumn) (*table, error) {
	t, err := newTable(r.imp.Spec, columns, r.cursor.DigestColumns)
	if err != nil {
		return nil, err
	}
	r.cursor.adoptSchema(t)
	return t, nil
}

// countAndPin counts the rows of a new snapshot and stores it in the cursor,
// before the first row is read.
func (r *run) countAndPin(ctx context.Context, p PinnedSnapshot) error {
	var err error
	if r.counted, err = r.src.count(ctx, r.snap, r.countQuery(nil)); err != nil {
		return err
	}
	p.Upper, p.Columns, p.DefinitionHash = r.counted.upper, r.snap.table.schema(), r.definitionHash()
	r.cursor.pin(p)
	return r.imp.writeCursor(ctx, cursorChange{cursor: r.cursor})
}

// countQuery counts from where the run reads on. upper is the clock of a pinned
// snapshot; nil takes the warehouse's.
func (r *run) countQuery(upper *int64) countQuery {
	q := countQuery{from: r.cursor.firstUnread(), upper: upper}
	p := r.cursor.Pinned
	if p != nil && p.Position != nil {
		q.from = p.Position.Micros
	}
	if w := r.window(); w.from <= w.to && r.previous() == nil && (p == nil || !p.WindowCompared) {
		q.window = &w
	}
	return q
}

// window is the range of timestamps up to the watermark that the run compares.
func (r *run) window() slice { return r.cursor.window(r.imp.lookback(), r.previous() != nil) }

// previous is the version that the last run read, with the columns that the
// digests of this run cover. It is nil where there is nothing to compare with.
func (r *run) previous() *snapshot {
	l := r.cursor.LastCompared
	if l == nil || l.TableVersion == nil || r.snap.version == nil || r.cursor.Watermark == nil || r.previousGone {
		return nil
	}
	then, err := newTable(jobs.TableImport{Catalog: r.imp.Spec.Catalog, Database: r.imp.Spec.Database, Table: r.imp.Spec.Table,
		TimestampColumn: r.imp.Spec.TimestampColumn, Where: r.imp.Spec.Where}, l.Columns, nil)
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

func versionLabel(version int64) string { return fmt.Sprintf("version %d", version) }

// isStatementError reports that the warehouse refused or failed a statement.
func isStatementError(err error) bool {
	_, ok := errors.AsType[*databricks.StatementError](err)
	return ok
}
