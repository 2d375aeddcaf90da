package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"

	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func setupProfiles(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	fields := flags.String("fields", "", "only these fields, separated by commas")
	asCSV := flags.Bool("csv", false, "print CSV with a header instead of NDJSON")
	return withAPI(flags, in, func(ctx context.Context) error {
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
		return in.withKnown(ctx, err, "audiences", audienceNames)
	}
	out := in.out
	if asCSV && !in.onTerminal() {
		out = in.screen // CSV has no escapes: a file gets the values as they are
	}
	w := bufio.NewWriter(out)
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

// profileJSON writes each profile as a JSON object of the fields that have a
// value, in the order of fields. Numbers keep all digits.
func profileJSON(w *bufio.Writer, fields []jobs.Field) func([]jobs.Value) error {
	keys := make([][]byte, len(fields))
	for i, f := range fields {
		// Marshalling a string cannot fail.
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
