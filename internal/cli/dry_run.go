package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/terminal"
)

// printDryRun prints what a run would do.
func (in *invocation) printDryRun(d jobs.DryRun) error {
	if in.json {
		return writeJSON(in, []jobs.DryRun{d})
	}
	w := tabwriter.NewWriter(in.out, 0, 0, 2, ' ', 0)
	line := func(name, format string, a ...any) {
		_, _ = fmt.Fprintf(w, "  %s\t%s\n", name, terminal.Line(fmt.Sprintf(format, a...)))
	}
	_, _ = fmt.Fprintf(w, "%q (%s, %s): nothing was changed.\n\nReads\n", d.Label, d.JobID, d.Kind)
	line("source", "%s, %s", d.Reads.Source, d.Reads.Snapshot)
	if d.Kind == jobs.KindTableImport {
		printImportWindow(d.Reads, line)
	} else {
		line("profiles", "%s", humanize.Comma(d.Reads.Rows))
	}
	_, _ = fmt.Fprint(w, "\nWrites\n")
	if d.Writes.Stream != "" {
		line("stream", "%s", d.Writes.Stream)
		line("events", "%s at most", humanize.Comma(d.Writes.Rows))
	}
	if d.Writes.Table != "" {
		line("table", "%s, %s", d.Writes.Table, describeReplacement(d.Writes))
		line("rows", "%s", humanize.Comma(d.Writes.Rows))
		line("staging", "%s", d.Writes.Staging)
		for _, c := range d.Writes.Columns {
			line("column", "%s %s", c.Name, c.Type)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, part := range []struct {
		title string
		lines []string
	}{{"Statements", d.Statements}, {"Notes", d.Notes}} {
		if len(part.lines) > 0 {
			if _, err := fmt.Fprintf(in.out, "\n%s\n", part.title); err != nil {
				return err
			}
		}
		for _, text := range part.lines {
			if _, err := fmt.Fprintf(in.out, "  %s\n", strings.ReplaceAll(text, "\n", "\n  ")); err != nil {
				return err
			}
		}
	}
	return nil
}

func printImportWindow(r jobs.DryRunReads, line func(name, format string, a ...any)) {
	if r.To == nil {
		return // No row can be new.
	}
	if r.ChangesReason != "" {
		line("changes from", "%s, because %s", r.Changes, r.ChangesReason)
	}
	line("window", "%s to %s", formatBound(r.From), formatBound(r.To))
	line("rows", "%s", humanize.Comma(r.Rows))
	if len(r.Slices) > 1 {
		for _, s := range r.Slices {
			line("slice", "%s to %s, %s rows", formatBound(&s.From), formatBound(&s.To), humanize.Comma(s.Rows))
		}
	}
	if l := r.Late; l != nil {
		found := ""
		switch {
		case l.New != nil:
			found = ", " + humanize.Comma(*l.New) + " new rows"
		case l.Looked != nil:
			found = ", " + humanize.Comma(*l.Looked) + " rows to compare"
		}
		line("late rows", "%s to %s, compared with %s%s", formatBound(l.From), formatBound(&l.To), l.Against, found)
	}
	line("without a timestamp", "%s", humanize.Comma(r.RowsNull))
	line("in the future", "%s", humanize.Comma(r.RowsFuture))
}

// formatBound formats a time to the microsecond, the precision of timestamps.
func formatBound(t *time.Time) string {
	if t == nil {
		return "the beginning"
	}
	return t.UTC().Format("2006-01-02 15:04:05.999999") + "Z"
}

func describeReplacement(w jobs.DryRunWrites) string {
	switch {
	case !w.Exists:
		return "which does not exist yet"
	case w.InPlace:
		return "whose content is replaced in place"
	case w.Ours:
		return "which is created again because its columns change"
	default:
		return "which belongs to another owner and is created again"
	}
}
