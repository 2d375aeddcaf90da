package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// QuarantineBounds limit what the quarantine keeps.
type QuarantineBounds struct {
	// MaxRows is the largest number of entries of one import:
	// DefaultQuarantineRows when 0.
	MaxRows int64
	// KeepDays is after how many days an entry is removed: DefaultQuarantineDays
	// when 0.
	KeepDays int64
}

// The default bounds.
const (
	DefaultQuarantineRows = 10_000
	DefaultQuarantineDays = 30
)

func (b QuarantineBounds) withDefaults() QuarantineBounds {
	if b.MaxRows <= 0 {
		b.MaxRows = DefaultQuarantineRows
	}
	if b.KeepDays <= 0 {
		b.KeepDays = DefaultQuarantineDays
	}
	return b
}

func (b QuarantineBounds) keep() time.Duration { return time.Duration(b.KeepDays) * 24 * time.Hour }

// quarantineKey is the key that encrypts rows in quarantine; nil if there is none.
// It is not created for them: on a machine that keeps no files, the next process
// could not read the rows.
func (e *Engine) quarantineKey(ctx context.Context) (*store.Key, error) {
	if e.options.Getenv(store.KeyEnv) == "" && e.options.EncryptionKeyFile == "" {
		if _, err := store.DefaultKeyFile(); err != nil {
			return nil, nil //nolint:nilerr // without a place for it there is no key
		}
	}
	key, err := e.key(ctx, e.db, readKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return key, err
}

// runQuarantine keeps the rejected rows of one run.
type runQuarantine struct {
	x         *execution
	importKey string
	// removed is how many older entries the last Add removed.
	removed int64
}

// removeExpired removes the entries of all imports that are too old.
func (q *runQuarantine) removeExpired(ctx context.Context) error {
	n, err := q.x.db.ExpireQuarantined(ctx, q.x.e.options.Quarantine.keep())
	if n > 0 {
		q.x.addLogLine(store.LogWarn, fmt.Sprintf("%s rows in quarantine were older than %d days and were removed.",
			humanize.Comma(n), q.x.e.options.Quarantine.KeepDays))
	}
	return err
}

// Add implements importer.Quarantine.
func (q *runQuarantine) Add(ctx context.Context, tx *store.Tx, rejected []jobs.RejectedEvent) error {
	x := q.x
	key, err := x.e.quarantineKey(ctx)
	if err != nil {
		return err
	}
	for i := range rejected {
		rejected[i].Reason = redact.Text(rejected[i].Reason)
	}
	of := store.RejectedRun{ImportKey: q.importKey, JobID: x.job.ID, RunID: x.run.ID, Stream: x.job.Import.Stream}
	q.removed, err = store.AddQuarantined(ctx, tx, of, rejected, x.e.options.Quarantine.MaxRows, key)
	return err
}

// CheckRoom implements importer.Quarantine.
func (q *runQuarantine) CheckRoom(ctx context.Context) error {
	x, limit := q.x, q.x.e.options.Quarantine.MaxRows
	if q.removed == 0 {
		return nil
	}
	x.addLogLine(store.LogWarn, fmt.Sprintf("%s of the oldest rows were removed from quarantine, which keeps at most %s rows of an import.",
		humanize.Comma(q.removed), humanize.Comma(limit)))
	list, err := x.db.Quarantined(ctx, store.QuarantineQuery{RunID: x.run.ID}, false, 1, nil)
	if err != nil || list.Total < limit {
		return err
	}
	n, reasons, err := x.db.RejectedBy(ctx, x.run.ID)
	if err != nil {
		return err
	}
	return &jobs.Error{
		Code: jobs.CodeFailed, Attribute: "max_rejected", Summary: "This run rejected more rows than the quarantine keeps",
		Detail: fmt.Sprintf("%s rows were rejected, and the quarantine keeps %s rows of an import. %s The run ended after this batch, so that "+
			"further rejected rows are not lost; its cursor has moved past the batch.",
			humanize.Comma(n), humanize.Comma(limit), describeReasons(reasons)),
		Next: "Correct the cause and run the job again: it goes on after the batch. quarantine.max_rows sets how many rows are kept",
	}
}

// count sets the run's count of rejected rows to that of the store, which is exact
// even if an earlier process of this run was killed. It returns the error of a run
// that rejected more rows than the definition allows.
func (q *runQuarantine) count(ctx context.Context) error {
	x := q.x
	n, reasons, err := x.db.RejectedBy(context.WithoutCancel(ctx), x.run.ID)
	if err != nil {
		return err
	}
	x.Count(func(c *jobs.Counts) { c.RowsRejected = n })
	if n <= x.job.Import.MaxRejected {
		return nil
	}
	return &jobs.Error{
		Code: jobs.CodeFailed, Attribute: "max_rejected",
		Summary: fmt.Sprintf("The platform rejected %s of this run, and max_rejected is %d", rows(n), x.job.Import.MaxRejected),
		Detail:  "All other rows were sent and the cursor has moved: later runs send none of them again. " + describeReasons(reasons),
		Next: fmt.Sprintf("List the rejected rows with \"terraform-provider-lytics quarantine list --job %s\"; correct the cause and "+
			"send them again "+
			"with \"quarantine resend\", or remove them with \"quarantine drop\"; or raise max_rejected", x.job.ID),
	}
}

func rows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return humanize.Comma(n) + " rows"
}

// describeReasons lists why rows were rejected.
func describeReasons(reasons []store.RejectionReason) string {
	if len(reasons) == 0 {
		return "The rows are no longer in quarantine."
	}
	parts := make([]string, len(reasons))
	for i, r := range reasons {
		parts[i] = rows(r.Rows) + ": " + r.Reason
	}
	return "The first reasons: " + strings.Join(parts, "; ") + "."
}
