package duck

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/ducktype"
)

// parquetColumns returns the columns of a DuckDB source: their names, their Databricks
// types, and the SQL that converts to these types.
func (t *txn) parquetColumns(source string) (names []string, ts []*types.Type, values []string, err error) {
	rows, err := t.conn.QueryContext(t.ctx, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+source+")")
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name, duckType string
		if err := rows.Scan(&name, &duckType); err != nil {
			return nil, nil, nil, err
		}
		d, rest, err := parseDuckType(duckType)
		if err != nil || rest != "" {
			return nil, nil, nil, sqlerror.Unsupported(fmt.Sprintf("the Parquet type %s of the column %s", duckType, name))
		}
		names, ts = append(names, name), append(ts, d)
		value := ducktype.Quote(name)
		if strings.Contains(duckType, "TIMESTAMP WITH TIME ZONE") && d.Kind == types.Timestamp {
			value = "timezone('UTC', " + value + ")"
		}
		values = append(values, "CAST("+value+" AS "+ducktype.Of(d)+")")
	}
	return names, ts, values, rows.Err()
}

var duckTypes = []struct {
	name string
	t    *types.Type
}{
	{
		"TIMESTAMP WITH TIME ZONE",
		types.TimestampType,
	}, {"TIMESTAMP_NS", types.TimestampNTZType}, {"TIMESTAMP_MS", types.TimestampNTZType}, {"TIMESTAMP_S", types.TimestampNTZType}, {"TIMESTAMP", types.TimestampNTZType},
	{
		"BOOLEAN",
		types.BooleanType,
	}, {"TINYINT", types.TinyIntType}, {"SMALLINT", types.SmallIntType}, {"INTEGER", types.IntType}, {"BIGINT", types.BigIntType},
	{"UTINYINT", types.SmallIntType}, {"USMALLINT", types.IntType}, {"UINTEGER", types.BigIntType}, {"UBIGINT", types.DecimalOf(20, 0)},
	{
		"FLOAT",
		types.FloatType,
	}, {"DOUBLE", types.DoubleType}, {"VARCHAR", types.StringType}, {"JSON", types.StringType}, {"UUID", types.StringType}, {"ENUM", types.StringType},
	{"BLOB", types.BinaryType}, {"DATE", types.DateType},
}

// parseDuckType parses the DuckDB type at the beginning of a text.
func parseDuckType(s string) (t *types.Type, rest string, err error) {
	switch {
	case strings.HasPrefix(s, "DECIMAL("):
		end := strings.IndexByte(s, ')')
		p, sc, _ := strings.Cut(s[len("DECIMAL("):end], ",")
		precision, _ := strconv.Atoi(p)
		scale, _ := strconv.Atoi(sc)
		t, rest = types.DecimalOf(precision, scale), s[end+1:]
	case strings.HasPrefix(s, "STRUCT("):
		t, rest, err = parseDuckStruct(s[len("STRUCT("):])
	case strings.HasPrefix(s, "MAP("):
		var k, v *types.Type
		if k, rest, err = parseDuckType(s[len("MAP("):]); err == nil {
			v, rest, err = parseDuckType(strings.TrimPrefix(rest, ", "))
		}
		if err == nil {
			t, rest = types.MapOf(k, v), strings.TrimPrefix(rest, ")")
		}
	default:
		for _, d := range duckTypes {
			if r, ok := strings.CutPrefix(s, d.name); ok {
				t, rest = d.t, r
				break
			}
		}
	}
	if err == nil && t == nil {
		err = fmt.Errorf("the DuckDB type %s has no Databricks type", s)
	}
	for err == nil && strings.HasPrefix(rest, "[]") {
		t, rest = types.ArrayOf(t), rest[2:]
	}
	return t, rest, err
}

func parseDuckStruct(s string) (*types.Type, string, error) {
	var fields []types.Field
	for {
		var name string
		if strings.HasPrefix(s, `"`) {
			end := 1
			for end < len(s) && (s[end] != '"' || strings.HasPrefix(s[end:], `""`)) {
				if s[end] == '"' {
					end++
				}
				end++
			}
			name, s = strings.ReplaceAll(s[1:end], `""`, `"`), s[min(end+2, len(s)):]
		} else {
			name, s, _ = strings.Cut(s, " ")
		}
		t, rest, err := parseDuckType(s)
		if err != nil {
			return nil, "", err
		}
		fields = append(fields, types.Field{Name: name, Type: t})
		if s = rest; !strings.HasPrefix(s, ", ") {
			return types.StructOf(fields...), strings.TrimPrefix(s, ")"), nil
		}
		s = s[2:]
	}
}
