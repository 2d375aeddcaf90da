package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/spf13/pflag"
)

// eventLine is one event in NDJSON.
type eventLine struct {
	ID   string          `json:"id"`
	Time string          `json:"time"`
	Data json.RawMessage `json:"data"`
}

func setupEvents(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	return withAPI(flags, in, in.listEvents)
}

func (in *invocation) listEvents(ctx context.Context) error {
	w := bufio.NewWriter(in.out)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for e, err := range in.api.Events(ctx, in.arguments[0]) {
		if err == nil {
			err = enc.Encode(eventLine{ID: e.ID, Time: e.Time.UTC().Format(time.RFC3339Nano), Data: e.Data})
		}
		if err != nil {
			return errors.Join(in.withKnown(ctx, err, "streams", streamNames), w.Flush())
		}
	}
	return w.Flush()
}
