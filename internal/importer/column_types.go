package importer

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// usualTypes are the types whose values to_json writes in every release. Of the others, such
// as GEOMETRY, GEOGRAPHY, INTERVAL and VARIANT, the warehouse decides.
var usualTypes = regexp.MustCompile(`(?i)^(STRING|VARCHAR|CHAR|TINYINT|BYTE|SMALLINT|SHORT|INT|INTEGER|BIGINT|LONG|FLOAT|REAL|DOUBLE|` +
	`DECIMAL|DEC|NUMERIC|BOOLEAN|BINARY|DATE|TIMESTAMP|TIMESTAMP_NTZ|ARRAY|MAP|STRUCT|VOID)\b`)

// nestedType matches a type without a usual JSON form within another type.
var nestedType = regexp.MustCompile(`(?i)\b(GEOMETRY|GEOGRAPHY|INTERVAL|VARIANT|OBJECT)\b`)

// errNoJSON marks the error of columns that the warehouse does not write as JSON.
var errNoJSON = errors.New("a column has no JSON form")

// CheckColumns returns the error with which a first run would end because of the columns
// that its table has.
func CheckColumns(s jobs.TableImport, columns []jobs.ColumnInfo) error {
	schema := make([]SourceColumn, len(columns))
	for i, c := range columns {
		schema[i] = SourceColumn{Name: c.Name, Type: c.Type}
	}
	_, err := newTable(s, schema, nil)
	return err
}

// unwritable describes the error of a statement that reads rows, if the table has columns
// whose values to_json may not be able to write.
func (t *table) unwritable(err error) error {
	e, ok := errors.AsType[*databricks.StatementError](err)
	if !ok || !jobs.IsCode(err, jobs.CodeFailed) || errors.Is(err, errSnapshotGone) {
		return err
	}
	var names, types []string
	for _, c := range t.event {
		if !usualTypes.MatchString(c.Type) || nestedType.MatchString(c.Type) {
			names, types = append(names, fmt.Sprintf("%q", c.Name)), append(types, fmt.Sprintf("%q (%s)", c.Name, c.Type))
		}
	}
	if names == nil {
		return err
	}
	return &jobs.Error{Code: jobs.CodeInvalid, Attribute: "exclude_columns",
		Summary: fmt.Sprintf("The rows of %s cannot be read with the columns %s", t.name, strings.Join(types, ", ")),
		Detail:  e.Message,
		Next: fmt.Sprintf("Leave them out with exclude_columns = [%s], or import from a view that converts them, such as with "+
			"st_asgeojson, to_json or CAST(... AS STRING)", strings.Join(names, ", ")),
		Err: errors.Join(err, errNoJSON)}
}

// ordered is the column's value in the order of rows. A text with a collation is ordered by
// its bytes, as everywhere else: open source Delta has no collated columns, so that a copy
// could not hold it.
func (c column) ordered() string {
	if strings.Contains(strings.ToUpper(c.Type), " COLLATE ") {
		return "CAST(" + c.sql + " AS STRING)"
	}
	return c.sql
}
