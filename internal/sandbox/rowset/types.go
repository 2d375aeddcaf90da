// Package rowset encodes the Arrow batches of an engine as the row sets that
// Databricks sends: Arrow batches, CloudFetch files and columns.
package rowset

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

var typeIDs = map[string]tcli.TTypeId{
	"BOOLEAN":       tcli.TTypeId_BOOLEAN_TYPE,
	"TINYINT":       tcli.TTypeId_TINYINT_TYPE,
	"BYTE":          tcli.TTypeId_TINYINT_TYPE,
	"SMALLINT":      tcli.TTypeId_SMALLINT_TYPE,
	"SHORT":         tcli.TTypeId_SMALLINT_TYPE,
	"INT":           tcli.TTypeId_INT_TYPE,
	"INTEGER":       tcli.TTypeId_INT_TYPE,
	"BIGINT":        tcli.TTypeId_BIGINT_TYPE,
	"LONG":          tcli.TTypeId_BIGINT_TYPE,
	"FLOAT":         tcli.TTypeId_FLOAT_TYPE,
	"REAL":          tcli.TTypeId_FLOAT_TYPE,
	"DOUBLE":        tcli.TTypeId_DOUBLE_TYPE,
	"STRING":        tcli.TTypeId_STRING_TYPE,
	"VARIANT":       tcli.TTypeId_STRING_TYPE,
	"OBJECT":        tcli.TTypeId_STRING_TYPE,
	"VARCHAR":       tcli.TTypeId_VARCHAR_TYPE,
	"CHAR":          tcli.TTypeId_CHAR_TYPE,
	"BINARY":        tcli.TTypeId_BINARY_TYPE,
	"DATE":          tcli.TTypeId_DATE_TYPE,
	"TIMESTAMP":     tcli.TTypeId_TIMESTAMP_TYPE,
	"TIMESTAMP_LTZ": tcli.TTypeId_TIMESTAMP_TYPE,
	"TIMESTAMP_NTZ": tcli.TTypeId_TIMESTAMP_TYPE,
	"DECIMAL":       tcli.TTypeId_DECIMAL_TYPE,
	"ARRAY":         tcli.TTypeId_ARRAY_TYPE,
	"MAP":           tcli.TTypeId_MAP_TYPE,
	"STRUCT":        tcli.TTypeId_STRUCT_TYPE,
	"VOID":          tcli.TTypeId_NULL_TYPE,
}

// TypeID returns the Thrift type of a Databricks type such as DECIMAL(10,2),
// ARRAY<STRING> or INTERVAL DAY TO SECOND.
func TypeID(sqlType string) (tcli.TTypeId, error) {
	upper := strings.ToUpper(strings.TrimSpace(sqlType))
	word := upper
	if i := strings.IndexAny(upper, "(< "); i >= 0 {
		word = upper[:i]
	}
	if word == "INTERVAL" {
		if strings.Contains(upper, "YEAR") || strings.Contains(upper, "MONTH") {
			return tcli.TTypeId_INTERVAL_YEAR_MONTH_TYPE, nil
		}
		return tcli.TTypeId_INTERVAL_DAY_TIME_TYPE, nil
	}
	id, ok := typeIDs[word]
	if !ok {
		return 0, fmt.Errorf("rowset: the protocol has no type for the SQL type %q", sqlType)
	}
	return id, nil
}

// typeArguments returns the numbers in parentheses: 10 and 2 for DECIMAL(10,2).
func typeArguments(sqlType string) []int32 {
	open, end := strings.IndexByte(sqlType, '('), strings.LastIndexByte(sqlType, ')')
	if open < 0 || end < open {
		return nil
	}
	var out []int32
	for part := range strings.SplitSeq(sqlType[open+1:end], ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(part), 10, 32)
		if err != nil {
			return nil
		}
		out = append(out, int32(n))
	}
	return out
}

// Precision returns the precision and scale of a DECIMAL type; 10 and 0 by default.
func Precision(sqlType string) (precision, scale int32) {
	switch args := typeArguments(sqlType); len(args) {
	case 0:
		return 10, 0
	case 1:
		return args[0], 0
	default:
		return args[0], args[1]
	}
}

func qualifiers(id tcli.TTypeId, sqlType string) *tcli.TTypeQualifiers {
	number := func(n int32) *tcli.TTypeQualifierValue { return &tcli.TTypeQualifierValue{I32Value: &n} }
	switch id {
	case tcli.TTypeId_DECIMAL_TYPE:
		precision, scale := Precision(sqlType)
		return &tcli.TTypeQualifiers{Qualifiers: map[string]*tcli.TTypeQualifierValue{
			"precision": number(precision), "scale": number(scale),
		}}
	case tcli.TTypeId_VARCHAR_TYPE, tcli.TTypeId_CHAR_TYPE:
		if args := typeArguments(sqlType); len(args) == 1 {
			return &tcli.TTypeQualifiers{Qualifiers: map[string]*tcli.TTypeQualifierValue{
				"characterMaximumLength": number(args[0]),
			}}
		}
	default:
	}
	return nil
}

// Schema returns the Thrift schema of columns. Positions count from 1.
func Schema(columns []warehouse.Column) (*tcli.TTableSchema, error) {
	out := &tcli.TTableSchema{Columns: make([]*tcli.TColumnDesc, len(columns))}
	for i, c := range columns {
		id, err := TypeID(c.Type)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
		desc := &tcli.TColumnDesc{
			ColumnName: c.Name,
			Position:   int32(i + 1),
			TypeDesc: &tcli.TTypeDesc{Types: []*tcli.TTypeEntry{{
				PrimitiveEntry: &tcli.TPrimitiveTypeEntry{Type: id, TypeQualifiers: qualifiers(id, c.Type)},
			}}},
		}
		if c.Comment != "" {
			desc.Comment = &c.Comment
		}
		out.Columns[i] = desc
	}
	return out, nil
}
