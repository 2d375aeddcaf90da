package front_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	dbrows "github.com/databricks/databricks-sql-go/rows"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/front"
)

// countArrow counts a statement's rows through the driver's Arrow interface.
func countArrow(t *testing.T, db *sql.DB, statement string) (n int64) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	err = conn.Raw(func(c any) error {
		rows, err := c.(driver.QueryerContext).QueryContext(t.Context(), statement, nil)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		batches, err := rows.(dbrows.Rows).GetArrowBatches(t.Context())
		if err != nil {
			return err
		}
		defer batches.Close()
		for batches.HasNext() {
			b, err := batches.Next()
			if err != nil {
				return err
			}
			n += b.NumRows()
			b.Release()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func scanAll(ctx context.Context, db *sql.DB, statement string, args ...any) (out [][]any, types []string, err error) {
	rows, err := db.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.ColumnTypes()
	if err != nil {
		return nil, nil, err
	}
	for _, c := range columns {
		types = append(types, c.DatabaseTypeName())
	}
	for rows.Next() {
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, nil, err
		}
		out = append(out, row)
	}
	return out, types, rows.Err()
}

func TestEveryTypeInEveryForm(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.UTC)
	nested := map[bool][3]any{
		// In Arrow form, the driver itself formats nested values as JSON.
		true:  {"[1,null,3]", `{"k\"1":2.5}`, `{"a "b"":3.300,"at":"2024-02-29 23:59:59.123456 +0000 UTC"}`},
		false: {"[1,null,3]", `{"k\"1":2.5}`, `{"a \"b\"":3.300,"at":"2024-02-29 23:59:59.123456"}`},
	}
	for _, form := range forms {
		for _, nativeDecimal := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/decimal=%v", form, nativeDecimal), func(t *testing.T) {
				t.Parallel()
				s := start(t, func(o *front.Options) { o.Results = form })
				got, types, err := scanAll(t.Context(), s.open(dbsql.WithArrowNativeDecimal(nativeDecimal)), "TYPES")
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != 2 {
					t.Fatalf("%d rows, want 2", len(got))
				}
				n := nested[form != front.ResultsColumn]
				want := []any{
					true, int8(-128), int16(-32768), int32(-2147483648), int64(-9223372036854775808), float32(1.1), 1e300,
					"-12345678901234.567", "a\"b\n\x00ü🙂", []byte{0, 255, 1}, time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC), at, at,
					n[0], n[1], n[2], "1 02:03:04.000000000", nil,
				}
				for i, w := range want {
					if fmt.Sprintf("%T %v", got[0][i], got[0][i]) != fmt.Sprintf("%T %v", w, w) {
						t.Errorf("column %d: got %T %v, want %T %v", i, got[0][i], got[0][i], w, w)
					}
					if got[1][i] != nil {
						t.Errorf("column %d: got %v for NULL", i, got[1][i])
					}
				}
				wantTypes := []string{
					"BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "STRING", "BINARY",
					"DATE", "TIMESTAMP", "TIMESTAMP", "ARRAY", "MAP", "STRUCT", "INTERVAL_DAY_TIME", "NULL",
				}
				if !slices.Equal(types, wantTypes) {
					t.Errorf("types %v, want %v", types, wantTypes)
				}
			})
		}
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	db := s.open()
	positional, _, err := scanAll(t.Context(), db, "PARAMS", "it's", int64(7), nil, true, 1.5)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(positional), "[[ STRING it's] [ BIGINT 7] [ VOID <nil>] [ BOOLEAN true] [ DOUBLE 1.5]]"; got != want {
		t.Errorf("positional: got %s, want %s", got, want)
	}
	named, _, err := scanAll(t.Context(), db, "PARAMS", dbsql.Parameter{Name: "p", Type: dbsql.SqlDecimal, Value: "12.50"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(named), "[[p DECIMAL(4,2) 12.50]]"; got != want {
		t.Errorf("named: got %s, want %s", got, want)
	}
}

func TestAffectedRows(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	result, err := s.open().ExecContext(t.Context(), "INSERT 42")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); n != 42 || err != nil {
		t.Fatalf("%d affected rows, %v", n, err)
	}
}
