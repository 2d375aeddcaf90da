package importer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// changeRange is the changes between an earlier version of the table and the
// snapshot. Each change is a row that was added or removed; added rows minus
// removed ones is what EXCEPT ALL gives of the two versions.
type changeRange struct {
	// after is the earlier version, and committedAt when it was committed; 0 if unknown.
	after, committedAt int64
	// compared is the earlier version as it is read where the two versions are
	// compared whole; nil reads the change data feed of the commits between them.
	compared *snapshot
	// lean leaves out what is not counted.
	lean bool
}

func (c changeRange) String() string {
	if c.compared != nil {
		return fmt.Sprintf("the whole of version %d", c.after)
	}
	return fmt.Sprintf("the change data feed after version %d", c.after)
}

// changeCountQuery asks for the counts of a range of changes.
type changeCountQuery struct {
	changes changeRange
	// from is the first timestamp of the import; unread is the first one above the
	// watermark, or the position's.
	from, unread int64
	// watermark is the last timestamp that counts as late; store.NullMicros before the
	// first one.
	watermark int64
	// upper is the timestamp after which rows count as future ones; nil takes the
	// warehouse's clock.
	upper *int64
}

// changeCounts are the answer to a changeCountQuery.
type changeCounts struct {
	// counts has the added rows above the watermark. Its nulls are by how much the
	// number of rows without a timestamp changed.
	counts
	// late counts the added rows up to the watermark, nullsAdded those without a
	// timestamp, and removed the removed ones.
	late, nullsAdded, removed int64
	// removedAbove counts the removed rows above the watermark. Of them, only those up
	// to the cursor's sentThrough were sent.
	removedAbove int64
}

// errChangesGone marks the error of changes that cannot be read.
var errChangesGone = errors.New("the changes cannot be read")

// changeColumnNames are the columns that a feed has beside those of the table.
var changeColumnNames = []string{"_change_type", "_commit_version", "_commit_timestamp"}

// baseOfChanges returns the version from which on the changes of a new snapshot
// lead to it. Without one, why says what is compared instead.
func (r *run) baseOfChanges() (base *PinnedChanges, why string) {
	l := r.cursor.LastCompared
	switch {
	case l == nil || r.cursor.sentThrough() == nil:
		return nil, "no run has finished yet"
	case r.snap.version == nil:
		return nil, "the source has no versions"
	case l.Replaced:
		return nil, "the table of the last run was dropped or renamed, and this is another one of its name"
	case l.TableVersion == nil:
		return nil, "the last run read a copy"
	case l.Pages == nil:
		return nil, "an earlier release wrote the cursor; this is so for one run"
	}
	base = &PinnedChanges{After: *l.TableVersion, CommittedAt: l.CommittedAt, Columns: l.Columns, Pages: *l.Pages, RowsNull: l.RowsNull}
	// Rows above the watermark are all new, unless the earlier version has some that
	// were not sent, or this definition reads other rows.
	base.NewRows = !l.Partial && l.RowsFuture == 0 && r.cursor.FutureSentThrough == nil && l.DefinitionHash == r.definitionHash()
	return base, ""
}

// feedHasColumns reports why the feed cannot be read in the snapshot's schema: its
// older rows are read in the schema of the newest version.
func (r *run) feedHasColumns(base *PinnedChanges) (why string) {
	for _, c := range r.snap.table.columns {
		for _, reserved := range changeColumnNames {
			if strings.EqualFold(c.Name, reserved) {
				return fmt.Sprintf("the table has a column %q, as the feed has", c.Name)
			}
		}
	}
	then := r.tableThen(base.Columns)
	if then == nil {
		return "the columns of the last run's version cannot be read any more"
	}
	for i, c := range r.snap.table.digest {
		if was := then.digest[i]; !strings.EqualFold(was.Type, c.Type) {
			return fmt.Sprintf("the type of the column %q was changed from %s to %s", c.Name, was.Type, c.Type)
		}
	}
	return ""
}

// chooseChanges decides whether the changes of a new snapshot are read, and counts
// them. Otherwise the window below the watermark is compared. r.changesReason is the
// reason for the choice.
func (r *run) chooseChanges(ctx context.Context) (chosen *PinnedChanges, counted changeCounts, err error) {
	spec := r.imp.Spec
	if spec.Changes == jobs.ChangesCompare {
		r.changesReason = "changes is \"compare\""
		return r.compareWhole(ctx)
	}
	base, why := r.baseOfChanges()
	switch {
	case base == nil && spec.Changes == jobs.ChangesFeed && r.snap.version == nil:
		return nil, counted, feedError(r.snap.table.name, why, "A copy has no change data feed.",
			"Import from the table itself, or set changes to \"auto\"", nil)
	case base == nil && spec.Changes == jobs.ChangesFeed:
		if err := r.src.checkFeed(ctx, r.snap); err != nil {
			return nil, counted, feedMissing(r.snap.table.name, err)
		}
	}
	if base == nil {
		r.changesReason = why
		if l := r.cursor.LastCompared; l != nil && l.TableVersion == nil && r.snap.version != nil {
			r.imp.Progress.Phase("looking for late rows in the lookback alone: "+why, 0)
		}
		return r.compareWhole(ctx)
	}
	if why = r.feedHasColumns(base); why == "" && r.changesGone {
		why = "the feed could not be read to its end"
	}
	if why == "" {
		base.Feed = true
		counted, err = r.countChanges(ctx, base, nil)
		if err == nil {
			r.changesReason = "the change data feed has every commit since the last run"
			return base, counted, nil
		}
		if !isUnreadableChanges(err) || spec.Changes == jobs.ChangesFeed {
			return nil, counted, feedMissing(r.snap.table.name, err)
		}
		why = "the change data feed cannot be read: " + firstSentence(err)
	}
	if spec.Changes == jobs.ChangesFeed {
		return nil, counted, feedError(r.snap.table.name, why, "changes is \"feed\", so nothing else is read.",
			"Set changes to \"auto\" for one run: it compares with the last run's version, and the feed is read again after it", nil)
	}
	r.compareInstead(why)
	return r.compareWhole(ctx)
}

// compareInstead records why the versions are compared although changes may be read.
func (r *run) compareInstead(why string) {
	r.changesReason = why
	r.imp.Progress.Phase("comparing versions instead of the change data feed: "+why, 0)
}

// compareWhole chooses the comparison of the whole versions, where deleted rows are
// events: the window below the watermark does not show those of older rows.
func (r *run) compareWhole(ctx context.Context) (*PinnedChanges, changeCounts, error) {
	if r.imp.Spec.Deletes != jobs.DeletesEvents {
		return nil, changeCounts{}, nil
	}
	if r.snap.version == nil {
		return nil, changeCounts{}, r.deletesUnknown("it has no versions", nil)
	}
	if r.cursor.sentThrough() == nil {
		return nil, changeCounts{}, nil
	}
	base, why := r.baseOfChanges()
	if base == nil {
		return nil, changeCounts{}, r.deletesUnknown(why, nil)
	}
	if r.tableThen(base.Columns) == nil {
		return nil, changeCounts{}, r.deletesUnknown("a column of the last run's version is gone", nil)
	}
	counted, err := r.countChanges(ctx, base, nil)
	if isUnreadableVersion(err) {
		return nil, counted, r.deletesUnknown(firstSentence(err), err)
	}
	return base, counted, err
}

// countChanges counts a range of changes. upper is the clock of a pinned snapshot;
// nil takes the warehouse's.
func (r *run) countChanges(ctx context.Context, base *PinnedChanges, upper *int64) (changeCounts, error) {
	q := r.changeCountQuery(r.changeRange(base))
	q.upper = upper
	counted, err := r.src.countChanges(ctx, r.snap, q)
	counted.nulls += base.RowsNull
	return counted, err
}

// changeCountQuery counts from where the run reads on.
func (r *run) changeCountQuery(changes changeRange) changeCountQuery {
	q := changeCountQuery{changes: changes, from: r.cursor.first(), unread: r.cursor.firstUnread(), watermark: store.NullMicros}
	if w := r.cursor.Watermark; w != nil {
		q.watermark = *w
	}
	if p := r.cursor.Pinned; p != nil && p.Position != nil {
		q.unread = p.Position.Micros
	}
	return q
}

// changeRange is the range of changes that a choice stands for.
func (r *run) changeRange(base *PinnedChanges) changeRange {
	c := changeRange{after: base.After, committedAt: base.CommittedAt}
	if !base.Feed {
		if then := r.tableThen(base.Columns); then != nil {
			c.compared = &snapshot{table: then, version: &base.After, label: versionLabel(base.After)}
		}
	}
	return c
}

// changes is the range of changes that the run reads; nil when it compares the
// window.
func (r *run) changes() *changeRange {
	p := r.cursor.Pinned
	if p == nil || p.Changes == nil {
		return nil
	}
	c := r.changeRange(p.Changes)
	return &c
}

// deletesUnknown is the error of deleted rows that no way of reading shows.
func (r *run) deletesUnknown(why string, err error) error {
	return &jobs.Error{Code: jobs.CodeInvalid, Attribute: "deletes", Err: err,
		Summary: fmt.Sprintf("It is not known which rows of %s were deleted since the last run: %s", r.snap.table.name, why),
		Detail:  "deletes = \"events\" needs the change data feed since the last run, or the version that it read. No event of these deletions was sent.",
		Next: "Set deletes to \"ignore\" for one run, which goes on without these deletions; or change full_refresh, " +
			"which sends every row again. To prevent it, switch the change data feed on and run the job before VACUUM removes its files"}
}

// firstSentence is the class of a warehouse's error, or the first line of another.
func firstSentence(err error) string {
	if e, ok := errors.AsType[*databricks.StatementError](err); ok && e.Class != "" {
		return e.Class
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}
