package importer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// table is a schema in which the columns of an import's definition are resolved.
type table struct {
	name    jobs.TableName
	columns []column
	// timestamp orders the rows. keys order rows of one timestamp.
	timestamp column
	keys      []column
	// record is the event's own time; nil means timestamp.
	record *column
	// event are the columns of an event. digest are those that the digest of a row
	// covers: rows with equal digests and timestamps count as identical.
	event, digest []column
	where         string
}

// column is a column with sql, its quoted name, and alias, the quoted name that
// its digest uses.
type column struct {
	SourceColumn
	sql, alias string
}

// newTable resolves a definition in a schema. generation are the names of the
// columns that digests cover; nil begins a generation.
func newTable(s jobs.TableImport, schema []SourceColumn, generation []string) (*table, error) {
	if err := s.CheckWhere(); err != nil {
		return nil, err // a definition of an earlier release was checked by other rules
	}
	t := &table{name: jobs.TableName{Catalog: s.Catalog, Database: s.Database, Table: s.Table}, where: s.Where}
	if err := t.addColumns(schema); err != nil {
		return nil, err
	}
	var err error
	if t.timestamp, err = t.timeColumn("timestamp_column", s.TimestampColumn); err != nil {
		return nil, err
	}
	if s.RecordTimestampColumn != "" {
		c, err := t.timeColumn("record_timestamp_column", s.RecordTimestampColumn)
		if err != nil {
			return nil, err
		}
		t.record = &c
	}
	if t.keys, err = t.named("key_columns", s.KeyColumns); err != nil {
		return nil, err
	}
	for _, c := range t.keys {
		if upper := strings.ToUpper(c.Type); strings.HasPrefix(upper, "MAP<") || upper == "VARIANT" {
			return nil, jobs.Invalid("key_columns", fmt.Sprintf("Column %q of %s is %s", c.Name, t.name, c.Type),
				"Values of this type have no order.", "Name other columns")
		}
	}
	if err := t.checkDeletes(s.Deletes); err != nil {
		return nil, err
	}
	if t.event, err = t.eventColumns(s); err != nil {
		return nil, err
	}
	if generation == nil {
		generation = t.digestColumns()
	}
	for _, name := range generation {
		if c := t.find(name); c != nil {
			d := *c
			if d.alias, err = databricks.Quote(name); err != nil {
				return nil, err
			}
			t.digest = append(t.digest, d)
		}
	}
	return t, nil
}

func (t *table) addColumns(schema []SourceColumn) error {
	seen := map[string]string{}
	for _, c := range schema {
		lower := strings.ToLower(c.Name)
		if other, ok := seen[lower]; ok {
			return jobs.Invalid("table", fmt.Sprintf("Columns %q and %q of %s differ only by case", other, c.Name, t.name),
				"Databricks cannot tell them apart in a query.", "Rename one of them")
		}
		seen[lower] = c.Name
		quoted, err := databricks.Quote(c.Name)
		if err != nil {
			return err
		}
		t.columns = append(t.columns, column{c, quoted, quoted})
	}
	return nil
}

// find looks up a column, ignoring case, as Databricks resolves names; nil when
// there is none.
func (t *table) find(name string) *column {
	i := slices.IndexFunc(t.columns, func(c column) bool { return strings.EqualFold(c.Name, name) })
	if i < 0 {
		return nil
	}
	return &t.columns[i]
}

// named looks up the columns that an attribute of the definition names.
func (t *table) named(attribute string, names []string) ([]column, error) {
	var out []column
	for _, name := range names {
		c := t.find(name)
		if c == nil {
			return nil, jobs.Invalid(attribute, fmt.Sprintf("No column %q in %s", name, t.name),
				"The table was read and has no such column.", "It has: "+strings.Join(t.names(), ", "))
		}
		out = append(out, *c)
	}
	return out, nil
}

// eventColumns are the columns of an event, in the table's order: an event is the
// same in whichever order the definition lists them.
func (t *table) eventColumns(s jobs.TableImport) ([]column, error) {
	if len(s.Columns) > 0 {
		wanted, err := t.named("columns", s.Columns)
		if err != nil {
			return nil, err
		}
		return slices.DeleteFunc(slices.Clone(t.columns), func(c column) bool {
			return !slices.ContainsFunc(wanted, func(w column) bool { return w.Name == c.Name })
		}), nil
	}
	left, err := t.named("exclude_columns", s.ExcludeColumns)
	if err != nil {
		return nil, err
	}
	kept := slices.DeleteFunc(slices.Clone(t.columns), func(c column) bool {
		return slices.ContainsFunc(left, func(l column) bool { return l.Name == c.Name })
	})
	if len(kept) == 0 {
		return nil, jobs.Invalid("exclude_columns", fmt.Sprintf("All columns of %s are left out", t.name),
			"An event would have no value.", "Leave some of them in")
	}
	return kept, nil
}

// digestColumns are the names of the columns that the digests of a new generation
// cover: those that an event, its time or its place in the order depend on.
func (t *table) digestColumns() []string {
	var names []string
	add := func(c column) {
		if !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	for _, c := range t.columns {
		if slices.ContainsFunc(t.event, func(e column) bool { return e.Name == c.Name }) {
			add(c)
		}
	}
	for _, c := range t.keys {
		add(c)
	}
	if t.record != nil {
		add(*t.record)
	}
	return names
}

func (t *table) names() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.Name
	}
	return names
}

func (t *table) schema() []SourceColumn {
	out := make([]SourceColumn, len(t.columns))
	for i, c := range t.columns {
		out[i] = c.SourceColumn
	}
	return out
}

// signature is a hash of the columns that digests cover. Digests with different
// signatures cannot be compared.
func (t *table) signature() string {
	h := sha256.New()
	for _, c := range t.digest {
		_, _ = fmt.Fprintf(h, "%q %q\n", c.alias, strings.ToUpper(c.Type))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// digestCoversEvent reports whether rows of one digest and timestamp always are
// the same event.
func (t *table) digestCoversEvent() bool {
	covers := func(c column) bool {
		return slices.ContainsFunc(t.digest, func(d column) bool { return d.Name == c.Name })
	}
	if t.record != nil && !covers(*t.record) {
		return false
	}
	for _, c := range slices.Concat(t.event, t.keys) {
		if !covers(c) {
			return false
		}
	}
	return true
}

// timeColumn looks up a column that can order events.
func (t *table) timeColumn(attribute, name string) (column, error) {
	var times []string
	for _, c := range t.columns {
		_, isTime := c.micros()
		if strings.EqualFold(c.Name, name) {
			if isTime {
				return c, nil
			}
			return c, jobs.Invalid(attribute, fmt.Sprintf("Column %q of %s is %s", c.Name, t.name, c.Type),
				"Only TIMESTAMP, TIMESTAMP_NTZ and DATE columns order events.",
				"Name another column, or import from a view that casts it")
		}
		if isTime {
			times = append(times, c.Name)
		}
	}
	next := "The table has no TIMESTAMP, TIMESTAMP_NTZ or DATE column; import from a view that makes one"
	if len(times) > 0 {
		next = "Columns that can serve: " + strings.Join(times, ", ")
	}
	return column{}, jobs.Invalid(attribute, fmt.Sprintf("No column %q in %s", name, t.name),
		"The table was read and has no such column.", next)
}

// micros is the SQL of the column's value in microseconds since 1970; ok is false
// for a type that is no time. The session's time zone is UTC, so that a
// TIMESTAMP_NTZ or a DATE counts as UTC, whatever the client's time zone.
func (c column) micros() (sql string, ok bool) {
	switch strings.ToUpper(c.Type) {
	case "TIMESTAMP":
		return "unix_micros(" + c.sql + ")", true
	case "TIMESTAMP_NTZ", "DATE":
		return "unix_micros(CAST(" + c.sql + " AS TIMESTAMP))", true
	default:
		return "", false
	}
}
