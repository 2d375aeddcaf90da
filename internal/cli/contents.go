package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
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

func (c *command) listEvents(ctx context.Context) error {
	w := bufio.NewWriter(c.out)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for e, err := range c.api.Events(ctx, c.argument) {
		if err == nil {
			err = enc.Encode(eventLine{ID: e.ID, Time: e.Time.UTC().Format(time.RFC3339Nano), Data: e.Data})
		}
		if err != nil {
			return errors.Join(err, w.Flush())
		}
	}
	return w.Flush()
}

func (c *command) listProfiles(ctx context.Context) error {
	var names []string
	if c.fields != "" {
		names = strings.Split(c.fields, ",")
	}
	fields, rows, err := c.api.Scan(ctx, c.argument, names)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(c.out)
	write := profileJSON(w, fields)
	if c.csv {
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

func (c *command) erase(ctx context.Context) error {
	id, err := jobs.ParseIdentity(c.identifier)
	if err != nil {
		return err
	}
	e, err := c.api.Erase(ctx, id, !c.yes)
	if err != nil {
		return err
	}
	if c.json {
		return writeJSON(c, []jobs.Erasure{e})
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
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
