package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// ownTable is a table of the user's rows, in the form of the example's variable.
type ownTable struct {
	Catalog         string `json:"catalog"`
	Database        string `json:"database"`
	Name            string `json:"name"`
	TimestampColumn string `json:"timestamp_column"`
}

func (t ownTable) String() string { return t.Catalog + "." + t.Database + "." + t.Name }

// ownVariables are the variables of examples/own-data.
type ownVariables struct {
	Table     ownTable         `json:"table"`
	Fields    map[string]field `json:"fields"`
	Audience  string           `json:"audience"`
	Frequency *string          `json:"frequency"`
}

// variablesFile is read by Terraform without being named.
const variablesFile = "own.auto.tfvars.json"

func (v ownVariables) write(dir string) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, variablesFile), append(text, '\n'), 0o600)
}

// ownData is the demo of examples/own-data on a file of the user.
type ownData struct {
	file, timestamp, identifier string

	variables ownVariables
	// ids are the fields in the order of the columns, the identifier first.
	ids []string
}

// ownDataDemo loads a file into the sandbox and moves it through the whole product.
func ownDataDemo(file, timestamp, identifier string) (demo, error) {
	const formats = "give a file whose name ends with .csv, .csv.gz or .parquet; a CSV file begins with a line of column names"
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return demo{}, fmt.Errorf("DATA=%s cannot be read: %w", file, err)
	case info.IsDir():
		return demo{}, fmt.Errorf("DATA=%s is a directory: %s", file, formats)
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return demo{}, err
	}
	name, ok := tableName(path)
	if !ok {
		return demo{}, fmt.Errorf("DATA=%s has another format: %s", file, formats)
	}
	variables := fmt.Sprintf(" DATA=%q", file)
	if timestamp != "" {
		variables += fmt.Sprintf(" TIMESTAMP=%q", timestamp)
	}
	if identifier != "" {
		variables += fmt.Sprintf(" IDENTIFIER=%q", identifier)
	}
	d := &ownData{file: path, timestamp: timestamp, identifier: identifier}
	d.variables.Table = ownTable{Catalog: "main", Database: "own_data", Name: name}
	d.variables.Audience = "everyone"
	return demo{
		title:       "Lytics and Databricks on this machine: " + filepath.Base(path),
		example:     "own-data",
		sandboxArgs: []string{"-load", d.variables.Table.String() + "=" + path},
		prepare:     d.prepare,
		show:        d.show,
		then:        d.keptUpdated,
		thenExample: "own-data",
		thenDir:     "own-data-kept-updated",
		next:        d.next,
		variables:   variables,
	}, nil
}

var ending = regexp.MustCompile(`(?i)\.(csv|csv\.gz|parquet)$`)

// tableName makes a table's name of a file's name. ok is false for a file of another format.
func tableName(path string) (name string, ok bool) {
	base := filepath.Base(path)
	if !ending.MatchString(base) {
		return "", false
	}
	return fieldID(ending.ReplaceAllString(base, ""), nil), true
}

// prepare chooses the timestamp, the identifier and the fields by the columns of the table.
func (d *ownData) prepare(ctx context.Context, s *session) error {
	all, err := d.columns(ctx, s)
	if err != nil {
		return err
	}
	timestamp, ok, err := chooseTimestamp(all, d.timestamp)
	if err != nil {
		return err
	}
	if !ok {
		if timestamp, err = d.addTimestamp(ctx, s, all); err != nil {
			return err
		}
	}
	t := &d.variables.Table
	t.TimestampColumn = timestamp.name
	identifier, err := chooseIdentifier(all, d.identifier, func(candidates []column) ([]int64, error) {
		counts := make([]string, len(candidates))
		for i, c := range candidates {
			counts[i] = "count(DISTINCT " + c.quoted() + ")"
		}
		return s.sandbox.numbers(ctx, "SELECT "+strings.Join(counts, ", ")+" FROM "+t.String())
	})
	if err != nil {
		return err
	}
	var without []column
	d.variables.Fields, d.ids, without = fieldsOf(all, identifier)
	s.out.line("timestamp_column  %s (%s), by which new and changed rows are found; another one: TIMESTAMP=column", timestamp.name, timestamp.typ)
	s.out.line("identifier        %s: rows with the same value are one profile; another one: IDENTIFIER=column", identifier.name)
	if len(without) > 0 {
		s.out.line("in the events, and not in the profiles: %s", list(without))
	}
	return d.variables.write(s.dir)
}

// columns reads the columns of the table that was loaded.
func (d *ownData) columns(ctx context.Context, s *session) ([]column, error) {
	t := d.variables.Table
	_, rows, err := s.sandbox.query(ctx, fmt.Sprintf("SELECT column_name, full_data_type FROM %s.information_schema.columns "+
		"WHERE table_schema = '%s' AND table_name = '%s' ORDER BY ordinal_position", t.Catalog, t.Database, t.Name))
	if err != nil {
		return nil, err
	}
	all := make([]column, len(rows))
	for i, r := range rows {
		all[i] = column{name: r[0], typ: r[1]}
		if !strings.ContainsRune(r[1], '<') {
			all[i].typ = strings.ToUpper(r[1])
		}
	}
	counted, err := s.sandbox.numbers(ctx, "SELECT count(*) FROM "+t.String())
	if err != nil {
		return nil, err
	}
	s.out.line("%s has %s rows and %d columns", t, comma(counted[0]), len(all))
	if counted[0] == 0 {
		return nil, errors.New("the file has no rows")
	}
	return all, nil
}

// addTimestamp replaces the table by a copy with the time at which it was loaded.
func (d *ownData) addTimestamp(ctx context.Context, s *session, all []column) (column, error) {
	name := "loaded_at"
	for taken := true; taken; {
		if _, taken = named(all, name); taken {
			name += "_"
		}
	}
	from := d.variables.Table
	d.variables.Table.Name += "_loaded"
	if _, _, err := s.sandbox.query(ctx, fmt.Sprintf("CREATE TABLE %s AS SELECT *, current_timestamp() AS %s FROM %s", d.variables.Table, name,
		from)); err != nil {
		return column{}, err
	}
	s.out.line("no column is a TIMESTAMP or a DATE of the row, so %s is a copy with the time of now in %s. An import finds new rows by "+
		"such a column: in a workspace, import from a table that has one", d.variables.Table, name)
	return column{name: name, typ: "TIMESTAMP"}, nil
}

// show prints what was exported, and how it compares with the file.
func (d *ownData) show(ctx context.Context, s *session) error {
	t := d.variables.Table
	exported := fmt.Sprintf("%s.%s.lytics_user_%s", t.Catalog, t.Database, d.variables.Audience)
	var shown []string // quoted: a column of the file may be called order, or group
	for _, id := range d.ids[:min(len(d.ids), shownFields)] {
		shown = append(shown, column{name: id}.quoted())
	}
	if err := s.table(ctx, "SELECT count(*) AS profiles, count(DISTINCT "+shown[0]+") AS identified FROM "+exported); err != nil {
		return err
	}
	return s.table(ctx, "SELECT "+strings.Join(shown, ", ")+" FROM "+exported+" LIMIT 5")
}

// shownFields is how many fields of a profile are shown: a line of them should fit on a screen.
const shownFields = 6

// keptUpdated gives the same configuration a schedule and a runner.
func (d *ownData) keptUpdated(ctx context.Context, s *session, r *runner) error {
	daily, v := "daily", d.variables
	// The table of everyone belongs to the store of the first part.
	v.Frequency, v.Audience = &daily, "everyone_kept_updated"
	if err := v.write(r.dir); err != nil {
		return err
	}
	s.out.line("a runner serves its API and its page at %s", r.URL)
	if err := s.applyWith(ctx, r); err != nil {
		return err
	}
	if err := r.finished(ctx, 2); err != nil {
		return err
	}
	s.out.line("nothing changes in the table, and the import runs again: it sends no row twice")
	if err := r.show(ctx, "run", v.Table.Name); err != nil {
		return err
	}
	if err := r.finished(ctx, 4); err != nil {
		return err
	}
	return r.showAll(ctx)
}

// next says how to use the configuration on a workspace.
func (d *ownData) next(s *session) {
	s.out.heading("On your own workspace")
	s.out.line("The configuration is %s, and its variables are %s.", relative([]string{filepath.Join(s.dir, "main.tf")}),
		relative([]string{filepath.Join(s.dir, variablesFile)}))
	s.out.line("Copy both, write your table into the variables, and follow \"Your own workspace\" in the README.")
}

// numbers executes a statement whose only row has numbers.
func (s sandbox) numbers(ctx context.Context, statement string) ([]int64, error) {
	_, rows, err := s.query(ctx, statement)
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 {
		return nil, fmt.Errorf("%s: got %d rows, want 1", statement, len(rows))
	}
	out := make([]int64, len(rows[0]))
	for i, text := range rows[0] {
		if out[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, fmt.Errorf("%s: %w", statement, err)
		}
	}
	return out, nil
}
