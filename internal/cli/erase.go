package cli

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/terminal"
)

// eraseFlags are the flags of the command.
type eraseFlags struct {
	identifier, request string
	yes, conflicts      bool
	timeout             time.Duration
}

func setupErase(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	var f eraseFlags
	flags.StringVar(&f.identifier, "identifier", "", "the user as FIELD=VALUE, with the value as in profiles")
	flags.BoolVar(&f.yes, "yes", false, "remove the data instead of only showing it")
	flags.BoolVar(&f.conflicts, "conflicts", false, "in a Lytics account, also erase every profile that shares an identifier with "+
		"this one, directly or through other profiles; they may be other people")
	flags.StringVar(&f.request, "request", "", "only wait for an erasure that a Lytics account accepted earlier; the id of the request")
	flags.DurationVar(&f.timeout, "timeout", 30*time.Minute, "how long to wait for a Lytics account")
	return withAPI(flags, in, func(ctx context.Context) error {
		if f.request != "" {
			if f.identifier != "" || f.yes || f.conflicts {
				return jobs.Invalid("request", "--request excludes other flags", "It follows an existing request; "+
					"--identifier, --yes and --conflicts start a new one.", "Leave out one of them")
			}
			return in.followErasure(ctx, f)
		}
		return in.erase(ctx, f)
	})
}

func (in *invocation) erase(ctx context.Context, f eraseFlags) error {
	id, err := jobs.ParseIdentity(f.identifier)
	if err != nil {
		return err
	}
	e, err := in.api.Erase(ctx, jobs.ErasureRequest{Identity: id, DryRun: !f.yes, Conflicts: f.conflicts})
	if err != nil {
		return err
	}
	if in.json {
		err = writeJSON(in, []jobs.Erasure{e})
	} else {
		err = in.printErasure(id, e, f)
	}
	if err != nil || e.RequestID == "" || e.Done {
		return err
	}
	f.request = e.RequestID
	return in.followErasure(ctx, f)
}

func (in *invocation) printErasure(id jobs.Identity, e jobs.Erasure, f eraseFlags) error {
	w := tabwriter.NewWriter(in.out, 0, 0, 2, ' ', 0)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	where := ""
	if e.Account != "" {
		where = " in Lytics account " + e.Account
	}
	if !e.Found {
		say("No profile has this %s%s.", id.Field, where)
	} else {
		say("PROFILE\t1%s, with the identifiers", where)
		for _, i := range e.Identities {
			say("\t%s", terminal.Line(i.Field+"="+i.Value))
		}
	}
	for _, s := range e.Streams {
		say("STREAM\t%s: %s events", terminal.Line(s.Stream), humanize.Comma(s.Events))
	}
	if e.Quarantined > 0 {
		say("QUARANTINE\t%s rejected rows", humanize.Comma(e.Quarantined))
	}
	say("")
	switch {
	case e.Account != "":
		sayLyticsErasure(say, e, f)
	case e.Done:
		say("Erased. Later imports leave out rows with these identifiers. Exported tables contain the user until their next export.")
	default:
		say("Nothing was removed. With --yes, all of this is removed, and later imports leave out rows with these identifiers.")
	}
	return w.Flush()
}

// comesBack says how an erased user can return to a Lytics account.
const comesBack = "Delete the user's rows in Databricks, or leave them out with the import's where: Lytics keeps no list of " +
	"erased users, " +
	"and an imported row brings the user back.\nExported tables contain the user until their next export."

func sayLyticsErasure(say func(format string, args ...any), e jobs.Erasure, f eraseFlags) {
	narrow := "the profile that has this identifier, with its archived events (conflicts=false)"
	greedy := "this profile and every profile that shares an identifier with it, directly or through other profiles " +
		"(conflicts=true), with their archived events"
	switch {
	case !e.Found:
		say("Nothing was sent to Lytics.")
	case f.yes && f.conflicts:
		say("Lytics was asked to erase %s.\n%s", greedy, comesBack)
	case f.yes:
		say("Lytics was asked to erase %s.\n%s", narrow, comesBack)
	case f.conflicts:
		say("Nothing was removed. --yes asks Lytics to erase %s.", greedy)
		say("A shared telephone number or a placeholder such as \"unknown\" can make them other people. It cannot be undone.")
		say("Without --conflicts, Lytics erases only %s.", narrow)
	default:
		say("Nothing was removed. --yes asks Lytics to erase %s. It cannot be undone.", narrow)
		say("A second profile of the user stays: look for it by another identifier.")
		say("With --conflicts, Lytics erases %s: other people, if they share a telephone number or a placeholder.", greedy)
		say(comesBack)
	}
}

// The pauses between two looks at a request double from the first to the longest.
const (
	firstErasurePause   = time.Second
	longestErasurePause = 30 * time.Second
)

// followErasure waits until Lytics has carried a request out.
func (in *invocation) followErasure(ctx context.Context, f eraseFlags) error {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	begun := time.Now()
	for pause := firstErasurePause; ; pause = min(2*pause, longestErasurePause) {
		done, err := in.api.ErasureDone(ctx, f.request)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err == nil {
			if err := in.printErasureStatus(f.request, done, begun); err != nil || done {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return erasureStillOpen(ctx, f)
		case <-time.After(pause):
		}
	}
}

func (in *invocation) printErasureStatus(request string, done bool, begun time.Time) error {
	switch {
	case in.json:
		return writeJSON(in, []map[string]any{{"request_id": request, "done": done}})
	case done:
		_, err := fmt.Fprintln(in.out, "Erased: Lytics has completed request "+request+".")
		return err
	}
	_, err := fmt.Fprintf(in.out, "Lytics is erasing: request %s, %s\n", request, time.Since(begun).Round(time.Second))
	return err
}

// erasureStillOpen is the error of a wait that ended before the erasure.
func erasureStillOpen(ctx context.Context, f eraseFlags) error {
	e := &jobs.Error{
		Code:    jobs.CodeCancelled,
		Summary: "Lytics has not completed the erasure yet",
		Detail:  "The wait was interrupted; Lytics goes on with request " + f.request + ".",
		Next:    "Wait for it again with erase --request " + f.request,
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		e.Code, e.Detail = jobs.CodeTimeout, fmt.Sprintf("Request %s is open after %s (--timeout); Lytics goes on with it.", f.request, f.timeout)
	}
	return e
}
