package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// quarantineFlags are the flags of the command.
type quarantineFlags struct {
	job, run, ids string
	data, yes     bool
	limit         int
}

var quarantineCommands = []command{
	{use: "list", summary: "list the rejected rows, with their reasons", setup: setupQuarantineList, example: "quarantine list --job orders"},
	{use: "resend", summary: "send rejected rows again, as the same events with the same ids", setup: setupQuarantineResend,
		example: "quarantine resend --job orders"},
	{use: "drop", summary: "count rejected rows; --yes removes them", setup: setupQuarantineDrop, example: "quarantine drop --job orders --yes"},
}

func setupQuarantineList(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	var f quarantineFlags
	flags.StringVar(&f.job, "job", "", "only the rows of this job (id or label)")
	flags.StringVar(&f.run, "run", "", "only the rows of this run")
	flags.BoolVar(&f.data, "data", false, "list the rows themselves too, as JSON: they are customer data")
	flags.IntVar(&f.limit, "limit", 100, "maximum number of rows in the list")
	return withAPI(flags, in, func(ctx context.Context) error { return in.listQuarantine(ctx, f) })
}

func setupQuarantineResend(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	return withQuarantinedRows(flags, in, &quarantineFlags{}, in.resendQuarantine)
}

func setupQuarantineDrop(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	f := &quarantineFlags{}
	flags.BoolVar(&f.yes, "yes", false, "remove the rows instead of only counting them")
	return withQuarantinedRows(flags, in, f, in.dropQuarantine)
}

// withQuarantinedRows declares the flags that select the rows of a job.
func withQuarantinedRows(
	flags *pflag.FlagSet, in *invocation, f *quarantineFlags, do func(context.Context, quarantineFlags, []int64) error,
) func(context.Context) error {
	flags.StringVar(&f.job, "job", "", "the job (id or label)")
	flags.StringVar(&f.ids, "id", "", "only these rows: ids of the list, separated by commas")
	return withAPI(flags, in, func(ctx context.Context) error {
		ids, err := parseIDs(f.ids)
		if err != nil {
			return err
		}
		return do(ctx, *f, ids)
	})
}

func parseIDs(text string) (ids []int64, err error) {
	for id := range strings.SplitSeq(text, ",") {
		if id = strings.TrimSpace(id); id == "" {
			continue
		}
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return nil, jobs.Invalid("id", fmt.Sprintf("%q is not the id of a row", id), "Ids are numbers.",
				"Take the ids from the command quarantine list")
		}
		ids = append(ids, n)
	}
	return ids, nil
}

// quarantineJob finds the job of --job. A deleted job is found by its id alone.
func (in *invocation) quarantineJob(ctx context.Context, f quarantineFlags) (string, error) {
	if f.job == "" {
		return "", jobs.Invalid("job", "No job is given", "Rows are sent again, or removed, for one job.",
			"Add --job with the id or the label of the job")
	}
	j, err := in.findJob(ctx, f.job)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return f.job, nil
	}
	return j.ID, err
}

func (in *invocation) listQuarantine(ctx context.Context, f quarantineFlags) (err error) {
	if f.limit < 1 {
		return jobs.Invalid("limit", "The limit is too small", fmt.Sprintf("The limit is %d.", f.limit), "Give a limit of 1 or more")
	}
	filter := jobs.QuarantineFilter{RunID: f.run, WithData: f.data, Limit: f.limit}
	if f.job != "" {
		if filter.JobID, err = in.quarantineJob(ctx, f); err != nil {
			return err
		}
	}
	list, err := in.api.QuarantinedRows(ctx, filter)
	if err != nil {
		return err
	}
	if in.json {
		return writeJSON(in, list.Entries)
	}
	labels, err := in.jobLabels(ctx)
	if err != nil {
		return err
	}
	names := []string{"ID", "JOB", "RUN", "TIME", "ROWS", "SIZE", "KEY", "EVENT", "REASON"}
	if f.data {
		names = append(names, "DATA")
	}
	w := in.table(names...)
	for _, e := range list.Entries {
		cells := []string{strconv.FormatInt(e.ID, 10), cmp.Or(labels[e.JobID], e.JobID), e.RunID, formatTime(&e.EventTime), rowsOf(e),
			humanize.Bytes(uint64(max(e.Bytes, 0))), orDash(e.Key), e.EventID, e.Reason} // #nosec G115 -- not negative
		if f.data {
			cells = append(cells, string(e.Data))
		}
		w.row(cells...)
	}
	if err := w.print(); err != nil {
		return err
	}
	return in.printQuarantineTotals(list)
}

// rowsOf says how many rows an entry stands for.
func rowsOf(e jobs.QuarantineEntry) string {
	if e.LastEventID == "" {
		return "1"
	}
	return fmt.Sprintf("%s of %s", humanize.Comma(e.Rows), humanize.Comma(e.Events))
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func (in *invocation) printQuarantineTotals(list jobs.QuarantineList) error {
	text := fmt.Sprintf("\n%s rejected rows are in quarantine", humanize.Comma(list.Rows))
	if shown := int64(len(list.Entries)); shown < list.Total {
		text += fmt.Sprintf("; %s of %s entries are shown", humanize.Comma(shown), humanize.Comma(list.Total))
	}
	if n := list.RemovedOverLimit + list.RemovedExpired; n > 0 {
		text += fmt.Sprintf("; %s were removed unsent, %s over the limit and %s after their days",
			humanize.Comma(n), humanize.Comma(list.RemovedOverLimit), humanize.Comma(list.RemovedExpired))
	}
	_, err := fmt.Fprintln(in.out, text+".")
	return err
}

// The largest number of rows that one call sends again or removes, and that are
// looked through for those that can be sent.
const (
	resendAtOnce = 200
	resendMost   = 1_000_000
)

func (in *invocation) resendQuarantine(ctx context.Context, f quarantineFlags, ids []int64) error {
	jobID, err := in.quarantineJob(ctx, f)
	if err != nil {
		return err
	}
	var total jobs.Resent
	if len(ids) == 0 {
		list, err := in.api.QuarantinedRows(ctx, jobs.QuarantineFilter{JobID: jobID, Limit: resendMost})
		if err != nil {
			return err
		}
		for _, e := range list.Entries {
			if e.Sendable {
				ids = append(ids, e.ID)
			} else {
				total.NotSendable++
			}
		}
	}
	for part := range slices.Chunk(ids, resendAtOnce) {
		sent, err := in.api.ResendQuarantined(ctx, jobID, part)
		total.Accepted, total.Rejected, total.Erased = total.Accepted+sent.Accepted, total.Rejected+sent.Rejected, total.Erased+sent.Erased
		total.NotSendable, total.Sending = total.NotSendable+sent.NotSendable, total.Sending+sent.Sending
		total.PossiblyDuplicated += sent.PossiblyDuplicated
		if err != nil {
			return err
		}
	}
	if in.json {
		return writeJSON(in, []jobs.Resent{total})
	}
	var parts countList
	parts.add(total.Accepted, "accepted and removed from quarantine")
	parts.add(total.Rejected, "rejected again")
	parts.add(total.Erased, "of erased users, which were removed")
	parts.add(total.NotSendable, "cannot be sent again: the row is not kept")
	parts.add(total.Sending, "are being sent by another process")
	parts.add(total.PossiblyDuplicated, "possibly duplicated")
	if len(parts) == 0 {
		parts = countList{"No rows are in quarantine"}
	}
	_, err = fmt.Fprintln(in.out, strings.Join(parts, ", ")+".")
	return err
}

func (in *invocation) dropQuarantine(ctx context.Context, f quarantineFlags, ids []int64) error {
	jobID, err := in.quarantineJob(ctx, f)
	if err != nil {
		return err
	}
	if !f.yes {
		n := int64(len(ids))
		if n == 0 {
			list, err := in.api.QuarantinedRows(ctx, jobs.QuarantineFilter{JobID: jobID, Limit: 1})
			if err != nil {
				return err
			}
			n = list.Total
		}
		_, err := fmt.Fprintf(in.out, "%s entries would be removed from quarantine. --yes removes them for good.\n", humanize.Comma(n))
		return err
	}
	n, err := in.api.DropQuarantined(ctx, jobID, ids)
	if err != nil {
		return err
	}
	if in.json {
		return writeJSON(in, []map[string]int64{{"dropped": n}})
	}
	_, err = fmt.Fprintf(in.out, "%s entries were removed from quarantine.\n", humanize.Comma(n))
	return err
}
