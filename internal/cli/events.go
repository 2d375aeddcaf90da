package cli

import (
	"context"

	"github.com/spf13/pflag"
)

func setupEvents(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	return withAPI(flags, in, in.listEvents)
}

// listEvents prints the lines of the events, which are NDJSON.
func (in *invocation) listEvents(ctx context.Context) error {
	for lines, err := range in.api.EventLines(ctx, in.arguments[0]) {
		if err != nil {
			return in.withKnown(ctx, err, "streams", streamNames)
		}
		if _, err := in.out.Write(lines); err != nil {
			return err
		}
	}
	return nil
}
