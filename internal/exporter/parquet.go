package exporter

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/compress/gzip"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// rowGroupText is how much text of cells a row group holds: it is kept in
// memory until it is written.
const rowGroupText = 16 << 20

// parquetEncoder writes Parquet with the types that the table's columns have.
// Its columns are named by place, as those of a CSV file without a header are:
// what a table may be named, a Parquet file may not.
type parquetEncoder struct {
	layout  layout
	writer  *parquet.GenericWriter[any]
	columns []*parquet.ColumnWriter
	places  []int
	// parse are the columns' conversions, by place; nil for text.
	parse  []func(text string) (parquet.Value, error)
	values []parquet.Value
	bytes  []byte
	// row counts the rows of the file, for errors; text those of the group.
	row  int64
	text int
}

// parquetName is the name of a Parquet file's column.
func parquetName(place int) string { return "c" + strconv.Itoa(place) }

func newParquetEncoder(w io.Writer, l layout) (*parquetEncoder, error) {
	width := len(l.columns)
	e := &parquetEncoder{layout: l, parse: make([]func(string) (parquet.Value, error), width), columns: make([]*parquet.ColumnWriter, width), places: make([]int, width)}
	group := parquet.Group{}
	for i, c := range l.columns {
		var node parquet.Node
		node, e.parse[i] = parquetType(c.sqlType)
		group[parquetName(i)] = parquet.Optional(parquet.Encoded(node, &parquet.Plain))
	}
	schema := parquet.NewSchema("profiles", group)
	codec, err := parquetCodec(l.compression)
	if err != nil {
		return nil, err
	}
	e.writer = parquet.NewGenericWriter[any](w, schema, parquet.Compression(codec), parquet.DataPageStatistics(false))
	writers := e.writer.ColumnWriters()
	for i := range l.columns {
		leaf, ok := schema.Lookup(parquetName(i))
		if !ok {
			return nil, fmt.Errorf("the Parquet schema lacks column %d", i)
		}
		e.columns[i], e.places[i] = writers[leaf.ColumnIndex], leaf.ColumnIndex
	}
	return e, nil
}

// The codecs keep their encoders for the next file.
var (
	fastGzip = gzip.Codec{Level: gzip.BestSpeed}
	fastZstd = zstd.Codec{Level: zstd.SpeedFastest}
)

func parquetCodec(c jobs.Compression) (compress.Codec, error) {
	switch c {
	case jobs.CompressionNone:
		return &parquet.Uncompressed, nil
	case jobs.CompressionGzip:
		return &fastGzip, nil
	case jobs.CompressionZstd:
		return &fastZstd, nil
	}
	return nil, fmt.Errorf("a Parquet file cannot be compressed with %q", c)
}

// parquetType is the Parquet type that the warehouse reads as a column type,
// and how a cell's text becomes a value of it.
func parquetType(sqlType string) (parquet.Node, func(string) (parquet.Value, error)) {
	switch sqlType {
	case "BOOLEAN":
		return parquet.Leaf(parquet.BooleanType), func(text string) (parquet.Value, error) {
			b, err := strconv.ParseBool(text)
			return parquet.BooleanValue(b), err
		}
	case "BIGINT":
		return parquet.Int(64), func(text string) (parquet.Value, error) {
			n, err := strconv.ParseInt(text, 10, 64)
			return parquet.Int64Value(n), err
		}
	case "DOUBLE":
		return parquet.Leaf(parquet.DoubleType), func(text string) (parquet.Value, error) {
			f, err := strconv.ParseFloat(text, 64)
			return parquet.DoubleValue(f), err
		}
	case "TIMESTAMP":
		return parquet.Timestamp(parquet.Microsecond), func(text string) (parquet.Value, error) {
			t, err := time.Parse(time.RFC3339Nano, text)
			return parquet.Int64Value(t.UnixMicro()), err
		}
	default:
		return parquet.String(), nil
	}
}

func (e *parquetEncoder) write(p *piece) error {
	for i, column := range e.columns {
		if err := e.convert(p.cells, i); err != nil {
			return err
		}
		if _, err := column.WriteRowValues(e.values); err != nil {
			return fmt.Errorf("write a column of a Parquet file: %w", err)
		}
	}
	e.row += int64(p.rows)
	if e.text < rowGroupText {
		return nil
	}
	e.text = 0
	return e.writer.Flush()
}

// convert fills values with those of a column.
func (e *parquetEncoder) convert(cells []jobs.Value, i int) error {
	e.values, e.bytes = e.values[:0], e.bytes[:0]
	place, width := e.places[i], len(e.columns)
	for at := i; at < len(cells); at += width {
		if cells[at].Null {
			e.values = append(e.values, parquet.NullValue().Level(0, 0, place))
			continue
		}
		text := cells[at].Text
		e.text += len(text)
		if e.parse[i] == nil {
			begin := len(e.bytes)
			e.bytes = append(e.bytes, text...)
			e.values = append(e.values, parquet.ByteArrayValue(e.bytes[begin:]).Level(0, 1, place))
			continue
		}
		v, err := e.parse[i](text)
		if err != nil {
			return e.unfit(e.row+int64(at/width), i, text, err)
		}
		e.values = append(e.values, v.Level(0, 1, place))
	}
	return nil
}

// unfit names the cell that is no value of its column's type. Its text may be
// personal, and is not repeated.
func (e *parquetEncoder) unfit(row int64, column int, text string, err error) error {
	c := e.layout.columns[column]
	return &jobs.Error{
		Code: jobs.CodeFailed, Attribute: "fields",
		Summary: fmt.Sprintf("A value of field %q does not fit the column type %s", c.name, c.sqlType),
		Detail:  fmt.Sprintf("It is the profile %d of a file, and its value has %d characters.", row+1, len(text)),
		Next:    "Correct the field's mapping, or leave the field out of fields",
		Err:     err,
	}
}

func (e *parquetEncoder) close() error { return e.writer.Close() }
