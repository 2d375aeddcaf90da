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
		// A newer snapshot, compared with the rows that were sent, is as exact for rows that
		// are in it. Events of deleted rows that were sent are sent again, with their ids.
		r.cursor.releaseSnapshot()
	}
	newest, versioned, err := r.src.latestVersion(ctx)
	if err != nil {
		return false, err
	}
	if versioned {
		if unchanged, err := r.readBefore(ctx, newest); err != nil || unchanged {
			return unchanged, err
		}
		if err = r.pinVersion(ctx, newest); !errors.Is(err, errNoHistory) {
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
	r.snap = snapshot{table: t, version: p.TableVersion, copied: p.Copy, copyDerivable: p.CopyDerivable}
	r.snap.label = labelOf(r.snap)
	if err := r.checkPinnedTable(ctx); err != nil {
		return err
	}
	if err = r.reopenChanges(ctx, p); err != nil {
		return err
	}
	if c := p.Changes; c != nil && c.NewRows {
		r.counted = r.changed.counts
		return nil
	}
	r.counted, err = r.src.count(ctx, r.snap, r.countQuery(&p.Upper, p.Changes == nil && !p.WindowCompared))
	if err != nil && p.Copy != "" && isStatementError(err) || errors.Is(err, errNoHistory) {
		err = errors.Join(err, errSnapshotGone) // the copy was dropped, or the table got a policy
	}
	return err
}

// reopenChanges counts the changes of a pinned snapshot that are still to be read. It
// gives up those that cannot be read any more.
func (r *run) reopenChanges(ctx context.Context, p *PinnedSnapshot) (err error) {
	if p.Changes == nil || p.WindowCompared && !p.Changes.NewRows {
		return nil
	}
	if !r.changesGone {
		r.changed, err = r.countChanges(ctx, p.Changes, &p.Upper)
		if err == nil || !isUnreadableChanges(err) {
			return err
		}
		if r.imp.Spec.Changes == jobs.ChangesFeed {
			return feedMissing(r.snap.table.name, err)
		}
	}
	// Once the events of deleted rows are sent, the snapshot alone has what is left.
	whole := r.imp.Spec.Deletes == jobs.DeletesEvents && !p.WindowCompared
	if whole && !p.Changes.Feed {
		return r.deletesUnknown("the last run's version cannot be read any more", err)
	}
	r.compareInstead("the feed could not be read to its end")
	r.cursor.giveUpFeed(whole)
	if !whole {
		return nil
	}
	r.changed, err = r.countChanges(ctx, r.cursor.Pinned.Changes, &p.Upper)
	if isUnreadableVersion(err) {
		return r.deletesUnknown(firstSentence(err), err)
	}
	return err
}

// readBefore reports whether the last run read the rows of the newest version to their
// end: it read the version itself, or every commit since is proven to change no row. The
// version of another table of the same name is not compared with from then on.
func (r *run) readBefore(ctx context.Context, newest databricks.Commit) (bool, error) {
	l := r.cursor.LastCompared
	if l == nil || l.TableVersion == nil {
		return false, nil
	}
	reads := l.Partial || l.RowsFuture != 0 || l.DefinitionHash != r.definitionHash()
	commits, err := r.sinceLastRun(ctx, newest, reads)
	if err != nil {
		return false, err
	}
	if ofAnotherTable(commits, *l.TableVersion, l.CommittedAt) {
		r.cursor.leaveTable()
		return false, nil
	}
	if reads || newest.Version-*l.TableVersion > mostCommits || !changeNoRow(commits, *l.TableVersion, newest.Version) {
		return false, nil
	}
	r.cursor.moveCompared(newest.Version, microsOfCommit(newest))
	r.snap.label = versionLabel(newest.Version)
	r.counted.nulls = l.RowsNull
	r.imp.Progress.Count(func(c *jobs.Counts) { c.Snapshot, c.RowsNull = r.snap.label, l.RowsNull })
	return true, nil
}

// pinVersion pins a version of the table.
func (r *run) pinVersion(ctx context.Context, newest databricks.Commit) error {
	version := newest.Version
	columns, err := r.src.columns(ctx, &version)
	if err != nil {
		return err
	}
	t, err := r.adoptSchema(columns)
	if err != nil {
		return err
	}
	r.snap = snapshot{table: t, version: &version, label: versionLabel(version)}
	if err := r.count(ctx); err != nil {
		return err
	}
	if r.way, err = r.chooseWay(ctx); err != nil {
		return err
	}
	if r.way.copied {
		if err := r.copyClustered(ctx); err != nil {
			return err
		}
	}
	return r.pin(ctx, PinnedSnapshot{TableVersion: &version, CommittedAt: microsOfCommit(newest), Copy: r.snap.copied})
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

// count counts the rows of a new snapshot, and chooses how the late ones are found.
func (r *run) count(ctx context.Context) (err error) {
	if r.chosen, r.changed, err = r.chooseChanges(ctx); err != nil {
		return err
	}
	if c := r.chosen; c != nil {
		c.NewRows = c.NewRows && r.changed.removedAbove == 0 && r.changed.rows+r.changed.future <= r.imp.sliceRows()
	}
	if r.chosen != nil && r.chosen.NewRows {
		r.counted = r.changed.counts
		return nil
	}
	r.counted, err = r.src.count(ctx, r.snap, r.countQuery(nil, r.chosen == nil))
	return err
}

// pin stores a new snapshot, whose rows were counted, in the cursor, before the first row
// is read.
func (r *run) pin(ctx context.Context, p PinnedSnapshot) error {
	p.Changes, p.CopyDerivable = r.chosen, r.snap.copyDerivable
	p.Upper, p.Columns, p.DefinitionHash = r.counted.upper, r.snap.table.schema(), r.definitionHash()
	r.cursor.pin(p)
	return r.imp.writeCursor(ctx, cursorChange{cursor: r.cursor})
}

// countQuery counts from where the run reads on. upper is the clock of a pinned
// snapshot; nil takes the warehouse's. compares is set when the window is still to be
// compared.
func (r *run) countQuery(upper *int64, compares bool) countQuery {
	q := countQuery{from: r.cursor.firstUnread(), upper: upper}
	p := r.cursor.Pinned
	if p != nil && p.Position != nil {
		q.from = p.Position.Micros
	}
	if w := r.window(); compares && w.from <= w.to && r.previous() == nil {
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
	then := r.tableThen(l.Columns)
	if then == nil {
		return nil
	}
	return &snapshot{table: then, version: l.TableVersion, label: versionLabel(*l.TableVersion)}
}

// tableThen is the table in the schema of an earlier version, with the columns that the
// digests of this run cover, and with its keys, in the types and names of this run. It is
// nil where one of them was not there.
func (r *run) tableThen(schema []SourceColumn) *table {
	s := r.imp.Spec
	then, err := newTable(jobs.TableImport{Catalog: s.Catalog, Database: s.Database, Table: s.Table,
		TimestampColumn: s.TimestampColumn, Where: s.Where, KeyColumns: s.KeyColumns}, schema, nil)
	if err != nil {
		return nil
	}
	then.digest = nil
	for _, c := range r.snap.table.digest {
		old := then.find(c.Name)
		if old == nil {
			return nil
		}
		then.digest = append(then.digest, c.of(*old))
	}
	for i, c := range r.snap.table.keys {
		then.keys[i] = c.of(then.keys[i])
	}
	return then
}

// of is an earlier column in the type and with the alias of this one.
func (c column) of(old column) column {
	out := column{SourceColumn: c.SourceColumn, sql: old.sql, alias: c.alias}
	if !strings.EqualFold(old.Type, c.Type) {
		out.sql = "CAST(" + old.sql + " AS " + c.Type + ")"
	}
	return out
}

func versionLabel(version int64) string { return fmt.Sprintf("version %d", version) }

// labelOf names a snapshot that is not a temporary copy.
func labelOf(s snapshot) string {
	copied := "copy " + strings.ReplaceAll(s.copied, "`", "")
	switch {
	case s.version == nil:
		return copied
	case s.copied == "":
		return versionLabel(*s.version)
	}
	return versionLabel(*s.version) + ", " + copied
}

// isStatementError reports that the warehouse refused or failed a statement.
func isStatementError(err error) bool {
	_, ok := errors.AsType[*databricks.StatementError](err)
	return ok
}
