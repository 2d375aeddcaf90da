package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// auditFlags are the flags of the command.
type auditFlags struct {
	actor, object, action string
	since                 string
	limit                 int
}

var auditCommands = []command{
	{use: "list", summary: "list the changes, newest first", setup: setupAuditList, example: "audit list --since 24h"},
}

func setupAuditList(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	var f auditFlags
	flags.StringVar(&f.actor, "actor", "", "only changes by this token or user")
	flags.StringVar(&f.object, "object", "", "only changes of the job, authorization or other object with this id, or of the token "+
		"with this name")
	flags.StringVar(&f.action, "action", "", "only changes by this operation, such as update-job")
	flags.StringVar(&f.since, "since", "", "only changes of the last period, such as 24h or 7d, or since a time such as 2026-11-20")
	flags.IntVar(&f.limit, "limit", 100, "maximum number of changes")
	return withAPI(flags, in, func(ctx context.Context) error {
		if f.limit < 1 {
			return jobs.Invalid("limit", "The limit is too small", fmt.Sprintf("The limit is %d.", f.limit), "Give a limit of 1 or more")
		}
		entries, err := in.auditEntries(ctx, f)
		if err != nil {
			return err
		}
		if in.json {
			return writeJSON(in, entries)
		}
		w := in.table("TIME", "ACTOR", "ROLE", "VIA", "FROM", "ACTION", "OBJECT", "LABEL", "RUN", "RESULT")
		for _, e := range entries {
			w.row(formatTime(&e.At), e.Actor, orDash(string(e.Role)), string(e.Via), orDash(e.Address), e.Action, orDash(e.Object),
				orDash(e.Label), orDash(e.RunID), e.Result)
		}
		return w.print()
	})
}

// auditEntries reads pages until there are enough entries.
func (in *invocation) auditEntries(ctx context.Context, f auditFlags) ([]jobs.AuditEntry, error) {
	filter := jobs.AuditFilter{Actor: f.actor, Object: f.object, Action: f.action}
	since, err := parseSince(f.since, time.Now())
	if err != nil {
		return nil, err
	}
	filter.Since = since
	var all []jobs.AuditEntry
	for {
		filter.Limit = f.limit - len(all)
		page, err := in.api.AuditLog(ctx, filter)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Entries...)
		if page.Next == 0 || len(all) >= f.limit {
			return all, nil
		}
		filter.Before = page.Next
	}
}
