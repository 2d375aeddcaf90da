package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Describe says in one line what a run is doing or how it ended.
func Describe(r jobs.Run) string {
	switch {
	case !r.Failure.IsZero():
		return r.Failure.String()
	case !r.Status.Active():
		return describeLosses(r.Counts)
	case r.Total > 0:
		return fmt.Sprintf("%s: %s of %s (%d%%)", r.Phase, humanize.Comma(r.Done), humanize.Comma(r.Total), r.Done*100/r.Total)
	case r.Done > 0:
		return fmt.Sprintf("%s: %s", r.Phase, humanize.Comma(r.Done))
	default:
		return r.Phase
	}
}

// countList collects counts and what they are of, without those that are zero.
type countList []string

func (c *countList) add(n int64, what string) {
	if n > 0 {
		*c = append(*c, humanize.Comma(n)+" "+what)
	}
}

// describeLosses names the events of a run that may be duplicated or are in no
// profile.
func describeLosses(c jobs.Counts) string {
	var parts countList
	parts.add(c.RowsRejected, "rows rejected and in quarantine")
	parts.add(c.PossiblyDuplicated, "possibly duplicated")
	parts.add(c.RowsErased, "rows of erased users left out")
	parts.add(c.Unidentified, "events without an identifier")
	parts.add(c.Unfit, "values that do not fit their field")
	conflicts := "identity conflicts"
	if c.ConflictExample != "" {
		conflicts += " (" + c.ConflictExample + ")"
	}
	parts.add(c.Conflicts, conflicts)
	parts.add(c.EventsBehind, "events that Lytics has not built into profiles yet")
	return strings.Join(parts, ", ")
}

func formatTime(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format(time.DateTime) + "Z"
}

func formatDuration(r jobs.Run) string {
	if r.StartedAt == nil || r.FinishedAt == nil {
		return "-"
	}
	return r.FinishedAt.Sub(*r.StartedAt).Round(100 * time.Millisecond).String()
}

func writeJSON[T any](in *invocation, all []T) error {
	enc := json.NewEncoder(in.out)
	enc.SetEscapeHTML(false)
	var errs []error
	for _, v := range all {
		errs = append(errs, enc.Encode(v))
	}
	return errors.Join(errs...)
}
