package cli

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func setupPause(paused bool) func(*pflag.FlagSet, *invocation) func(context.Context) error {
	return func(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
		return withAPI(flags, in, func(ctx context.Context) error {
			j, err := in.findJob(ctx, in.arguments[0])
			if err != nil {
				return err
			}
			if j, err = in.api.PauseJob(ctx, j.ID, paused); err != nil {
				return err
			}
			if in.json {
				return writeJSON(in, []jobs.Job{j})
			}
			text := fmt.Sprintf("%q is paused\n", j.Label)
			if !j.Paused {
				text = fmt.Sprintf("%q runs next at %s\n", j.Label, formatTime(j.NextRunAt))
			}
			if !j.Paused && j.Lytics != nil {
				text = fmt.Sprintf("%q is resumed in Lytics\n", j.Label)
			} else if !j.Paused && j.NextRunAt == nil {
				text = fmt.Sprintf("%q runs after its upstream jobs\n", j.Label)
			}
			_, err = fmt.Fprint(in.out, text)
			return err
		})
	}
}
