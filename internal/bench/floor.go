package main

import (
	"context"
	"database/sql/driver"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v12/arrow"
	"github.com/apache/arrow/go/v12/arrow/array"
	dbsql "github.com/databricks/databricks-sql-go"
	dbrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/klauspost/compress/gzip"
)

// floorJSON does the minimal work of an import: it reads the driver's Arrow
// batches, appends each row as JSON text, and discards the text. Its pages have
// the size and the form of an import's.
func floorJSON(ctx context.Context, w work, _ func(result)) (r result, err error) {
	out := io.Discard
	if w.Gzip {
		out, err = gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
		if err != nil {
			return r, err
		}
	}
	var watch stopwatch
	var n int64
	err = onDriver(ctx, w, func(query queryDriver) error {
		watch = startWatch()
		rows, end, err := query("SELECT * FROM main.bench." + w.Table + " ORDER BY ts")
		if err != nil {
			return err
		}
		defer end()
		batches, err := rows.GetArrowBatches(ctx)
		if err != nil {
			return err
		}
		defer batches.Close()
		var text []byte
		for batches.HasNext() {
			batch, err := batches.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			text = appendBatch(text[:0], batch)
			n += batch.NumRows()
			batch.Release()
			if _, err := out.Write(text); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && n != int64(w.Rows) {
		err = fmt.Errorf("the floor read %d rows of %d", n, w.Rows)
	}
	return watch.stop(n), err
}

// queryDriver sends a query, and returns the driver's own result. end closes the result.
type queryDriver func(text string) (rows dbrows.Rows, end func(), err error)

// onDriver calls do on a new connection. Its pages have the size and the form of an import's.
func onDriver(ctx context.Context, w work, do func(queryDriver) error) (err error) {
	db, err := w.Sandbox.Open(dbsql.WithMaxRows(10_000), dbsql.WithCloudFetch(false))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(c any) error {
		queryer, ok := c.(driver.QueryerContext)
		if !ok {
			return fmt.Errorf("the driver's connection is a %T, which cannot query", c)
		}
		return do(func(text string) (dbrows.Rows, func(), error) {
			rows, err := queryer.QueryContext(ctx, text, nil)
			if err != nil {
				return nil, nil, err
			}
			return rows.(dbrows.Rows), func() { _ = rows.Close() }, nil //nolint:forcetypeassert // the driver's
		})
	})
}

func appendBatch(text []byte, batch arrow.Record) []byte {
	names := make([][]byte, batch.NumCols())
	for i := range names {
		names[i] = append(strconv.AppendQuote([]byte{','}, batch.ColumnName(i)), ':')
	}
	for row := range int(batch.NumRows()) {
		begin := len(text)
		for i, name := range names {
			text = append(text, name...)
			text = appendCell(text, batch.Column(i), row)
		}
		text[begin] = '{'
		text = append(text, '}', '\n')
	}
	return text
}

func appendCell(text []byte, column arrow.Array, row int) []byte {
	if column.IsNull(row) {
		return append(text, "null"...)
	}
	switch c := column.(type) {
	case *array.Int64:
		return strconv.AppendInt(text, c.Value(row), 10)
	case *array.Int32:
		return strconv.AppendInt(text, int64(c.Value(row)), 10)
	case *array.Float64:
		return strconv.AppendFloat(text, c.Value(row), 'g', -1, 64)
	case *array.Boolean:
		return strconv.AppendBool(text, c.Value(row))
	case *array.String:
		return appendText(text, c.Value(row))
	case *array.Date32:
		text = append(text, '"')
		text = c.Value(row).ToTime().AppendFormat(text, time.DateOnly)
		return append(text, '"')
	case *array.Timestamp:
		text = append(text, '"')
		text = time.UnixMicro(int64(c.Value(row))).UTC().AppendFormat(text, "2006-01-02T15:04:05.000000Z")
		return append(text, '"')
	case *array.Decimal128:
		scale := int32(0)
		if t, ok := c.DataType().(*arrow.Decimal128Type); ok {
			scale = t.Scale
		}
		return append(text, c.Value(row).ToString(scale)...)
	case *array.Binary:
		return append(text, base64.StdEncoding.EncodeToString(c.Value(row))...)
	}
	panic(fmt.Sprintf("the table of the benchmark has no %s", column.DataType()))
}

func appendText(text []byte, s string) []byte {
	begin := len(text)
	text = append(text, '"')
	for i := range len(s) {
		c := s[i]
		if c == '"' || c == '\\' || c < 0x20 {
			return strconv.AppendQuote(text[:begin], s)
		}
		text = append(text, c)
	}
	return append(text, '"')
}

// floorCSV does the minimal work of an export: it encodes rows of the exported
// fields as CSV, compresses them with gzip -1 and discards them. The rows are
// created before the measurement.
func floorCSV(_ context.Context, w work, _ func(result)) (result, error) {
	rows := preparedCells()
	watch := startWatch()
	out, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		return result{}, err
	}
	var text []byte
	for i := range w.Rows {
		for j, cell := range rows[i%len(rows)] {
			if j > 0 {
				text = append(text, ',')
			}
			text = append(text, '"')
			if strings.IndexByte(cell, '"') >= 0 {
				cell = strings.ReplaceAll(cell, `"`, `""`)
			}
			text = append(append(text, cell...), '"')
		}
		if text = append(text, '\n'); len(text) > 64<<10 {
			if _, err := out.Write(text); err != nil {
				return result{}, err
			}
			text = text[:0]
		}
	}
	if _, err := out.Write(text); err != nil {
		return result{}, err
	}
	return watch.stop(int64(w.Rows)), out.Close()
}
