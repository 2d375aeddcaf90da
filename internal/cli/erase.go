package cli

import (
	"context"
	"flag"
	"fmt"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func setupErase(flags *flag.FlagSet, in *invocation) func(context.Context) error {
	identifier := flags.String("identifier", "", "the user as FIELD=VALUE, with the value as it is in profiles")
	yes := flags.Bool("yes", false, "remove the data instead of only showing it")
	return withAPI(flags, in, func(ctx context.Context) error { return in.erase(ctx, *identifier, !*yes) })
}

func (in *invocation) erase(ctx context.Context, identifier string, dryRun bool) error {
	id, err := jobs.ParseIdentity(identifier)
	if err != nil {
		return err
	}
	e, err := in.api.Erase(ctx, id, dryRun)
	if err != nil {
		return err
	}
	if in.json {
		return writeJSON(in, []jobs.Erasure{e})
	}
	w := tabwriter.NewWriter(in.out, 0, 0, 2, ' ', 0)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	if !e.Found {
		say("There is no profile of that %s.", id.Field)
	} else {
		say("PROFILE\t1, with the identifiers")
		for _, i := range e.Identities {
			say("\t%s=%s", i.Field, i.Value)
		}
	}
	for _, s := range e.Streams {
		say("STREAM\t%s: %s events", s.Stream, humanize.Comma(s.Events))
	}
	say("")
	if e.Done {
		say("Erased. Later imports leave rows with these identifiers out. Exported tables keep the user until their next export.")
	} else {
		say("Nothing was removed. --yes removes all of this, and later imports leave rows with these identifiers out.")
	}
	return w.Flush()
}
