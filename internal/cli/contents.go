package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// eventLine is an event as one line of NDJSON.
type eventLine struct {
	ID   string          `json:"id"`
	Time string          `json:"time"`
	Data json.RawMessage `json:"data"`
}

func setupEvents(flags *flag.FlagSet, in *invocation) func(context.Context) error {
	return reaching(flags, in, in.listEvents)
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
			return errors.Join(err, w.Flush())
		}
	}
	return w.Flush()
}

func setupProfiles(flags *flag.FlagSet, in *invocation) func(context.Context) error {
	fields := flags.String("fields", "", "only these fields, separated by commas")
	asCSV := flags.Bool("csv", false, "print CSV with a header instead of NDJSON")
	return reaching(flags, in, func(ctx context.Context) error {
		var names []string
		if *fields != "" {
			names = strings.Split(*fields, ",")
		}
		return in.listProfiles(ctx, names, *asCSV)
	})
}

func (in *invocation) listProfiles(ctx context.Context, names []string, asCSV bool) error {
	fields, rows, err := in.api.Scan(ctx, in.arguments[0], names)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(in.out)
	write := profileJSON(w, fields)
	if asCSV {
		if write, err = profileCSV(w, fields); err != nil {
			return err
		}
	}
	for row, err := range rows {
		if err == nil {
			err = write(row)
		}
		if err != nil {
			return errors.Join(err, w.Flush())
		}
	}
	return w.Flush()
}

// profileJSON writes profiles as objects of the fields that have a value, in
// the fields' order. Numbers keep all their digits.
func profileJSON(w *bufio.Writer, fields []jobs.Field) func([]jobs.Value) error {
	keys := make([][]byte, len(fields))
	for i, f := range fields {
		// A string is always JSON.
		keys[i], _ = json.Marshal(f.ID)
	}
	var line []byte
	return func(row []jobs.Value) error {
		line = append(line[:0], '{')
		for i, v := range row {
			if v.Null {
				continue
			}
			if len(line) > 1 {
				line = append(line, ',')
			}
			line = append(append(line, keys[i]...), ':')
			text := []byte(v.Text)
			if t := fields[i].Type; t == "string" || t == "date" || !json.Valid(text) {
				text, _ = json.Marshal(v.Text)
			}
			line = append(line, text...)
		}
		_, err := w.Write(append(line, '}', '\n'))
		return err
	}
}

// profileCSV writes profiles as CSV with a header. NULL is an empty cell.
func profileCSV(w *bufio.Writer, fields []jobs.Field) (func([]jobs.Value) error, error) {
	out := csv.NewWriter(w)
	cells := make([]string, len(fields))
	for i, f := range fields {
		cells[i] = f.ID
	}
	write := func() error {
		err := out.Write(cells)
		out.Flush()
		return errors.Join(err, out.Error())
	}
	return func(row []jobs.Value) error {
		for i, v := range row {
			cells[i] = v.Text
		}
		return write()
	}, write()
}

func setupErase(flags *flag.FlagSet, in *invocation) func(context.Context) error {
	identifier := flags.String("identifier", "", "the user, as FIELD=VALUE, as profiles have it")
	yes := flags.Bool("yes", false, "remove, and not only look")
	return reaching(flags, in, func(ctx context.Context) error { return in.erase(ctx, *identifier, !*yes) })
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
		say("PROFILE\t1, known by")
		for _, i := range e.Identities {
			say("\t%s=%s", i.Field, i.Value)
		}
	}
	for _, s := range e.Streams {
		say("STREAM\t%s: %s events", s.Stream, humanize.Comma(s.Events))
	}
	say("")
	if e.Done {
		say("Erased. Later imports leave these identifiers out. Tables that were exported before keep the user until their next export.")
	} else {
		say("Nothing was removed. With --yes, all this is, and later imports leave these identifiers out.")
	}
	return w.Flush()
}
