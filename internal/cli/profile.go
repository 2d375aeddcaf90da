package cli

import (
	"bufio"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func setupProfile(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	return withAPI(flags, in, func(ctx context.Context) error {
		id, err := jobs.ParseIdentity(in.arguments[0])
		if err != nil {
			return err
		}
		profile, err := in.api.Profile(ctx, id)
		if err != nil {
			return err
		}
		if in.json {
			return in.printProfileJSON(ctx, profile)
		}
		w := in.table("FIELD", "VALUE")
		for _, field := range slices.Sorted(maps.Keys(profile)) {
			if v := profile[field]; !v.Null {
				w.row(field, v.Text)
			}
		}
		return w.print()
	})
}

// printProfileJSON prints one line as the command profiles does. The types of the fields
// tell which values are JSON themselves.
func (in *invocation) printProfileJSON(ctx context.Context, profile jobs.Profile) error {
	known, err := in.api.Fields(ctx)
	if err != nil {
		return err
	}
	types := map[string]string{}
	for _, f := range known {
		types[f.ID] = f.Type
	}
	var fields []jobs.Field
	var values []jobs.Value
	for _, id := range slices.Sorted(maps.Keys(profile)) {
		fields, values = append(fields, jobs.Field{ID: id, Type: types[id]}), append(values, profile[id])
	}
	w := bufio.NewWriter(in.out)
	return errors.Join(profileJSON(w, fields)(values), w.Flush())
}
