package importer

import (
	"context"
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// table is what a run knows of its source.
type table struct {
	name      jobs.TableName
	sql       string // the name, quoted
	columns   []column
	timestamp column
	record    *column
}

// column is a column with its quoted name.
type column struct {
	jobs.ColumnInfo
	sql string
}

func (t *table) names() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.Name
	}
	return names
}

func (i *Import) describe(ctx context.Context, wh *databricks.Warehouse) (*table, error) {
	s := i.Spec
	t := &table{name: jobs.TableName{Catalog: s.Catalog, Database: s.Database, Table: s.Table}}
	var err error
	if t.sql, err = databricks.QuoteTable(t.name); err != nil {
		return nil, err
	}
	columns, err := wh.Columns(ctx, t.name, "")
	if err != nil {
		return nil, err
	}
	seen := map[string]string{}
	for _, c := range columns {
		lower := strings.ToLower(c.Name)
		if other, ok := seen[lower]; ok {
			return nil, jobs.Invalid("table", fmt.Sprintf("Columns %q and %q of %s differ only by case", other, c.Name, t.name),
				"Databricks cannot tell them apart in a query.", "Rename one of them")
		}
		seen[lower] = c.Name
		quoted, err := databricks.Quote(c.Name)
		if err != nil {
			return nil, err
		}
		t.columns = append(t.columns, column{c, quoted})
	}
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
	return t, nil
}

// timeColumn finds a column that can order events: its name without regard to
// case, as Databricks resolves names.
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

// micros is the SQL that gives the column in microseconds since 1970. The
// session is in UTC, so that a TIMESTAMP_NTZ or a DATE counts as if it were
// UTC, whatever the client's zone.
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

// typed is the SQL of a TIMESTAMP expression in the column's own type: it is
// compared with the column itself, not with a function of it, so that Delta can
// skip files.
func (c column) typed(timestamp string) string {
	if t := strings.ToUpper(c.Type); t != "TIMESTAMP" {
		return "CAST(" + timestamp + " AS " + t + ")"
	}
	return timestamp
}

// at is the constant of the column's type at so many microseconds since 1970.
func (c column) at(micros int64) string { return c.typed(fmt.Sprintf("timestamp_micros(%d)", micros)) }
