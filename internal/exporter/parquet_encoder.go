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

// rowGroupBytes is the size of a row group, in bytes of the text of its cells. A row group
// is in memory until it is written.
const rowGroupBytes = 16 << 20

// parquetEncoder writes Parquet with the types of the table's columns. The columns of a
// file are named by their position, like the columns of a CSV file without a header,
// because Parquet does not allow all names that a table allows.
type parquetEncoder struct {
	layout  layout
	writer  *parquet.GenericWriter[any]
	columns []*parquet.ColumnWriter
	// leaves are the columns' indexes in the Parquet schema, by position.
	leaves []int
	// parse converts the text of a cell, by position; nil for text columns.
	parse []func(text string) (parquet.Value, error)
	// values and bytes are buffers for the values of one column, and their text.
	values []parquet.Value
	bytes  []byte
	// rows counts the rows of the file, for errors.
	rows int64
	// groupBytes is the current size of the row group, as in rowGroupBytes.
	groupBytes int
}

// parquetName is the name of a Parquet file's column.
func parquetName(position int) string { return "c" + strconv.Itoa(position) }

func newParquetEncoder(w io.Writer, l layout) (*parquetEncoder, error) {
	width := len(l.columns)
	e := &parquetEncoder{layout: l, parse: make([]func(string) (parquet.Value, error), width),
		columns: make([]*parquet.ColumnWriter, width), leaves: make([]int, width)}
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
		e.columns[i], e.leaves[i] = writers[leaf.ColumnIndex], leaf.ColumnIndex
	}
	return e, nil
}

// The codecs are shared, because they keep encoders for the next file.
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

// parquetType returns the Parquet type that the warehouse reads as an SQL type, and the
// conversion of a cell's text to it; the conversion is nil for text.
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

func (e *parquetEncoder) write(p *rowChunk) error {
	for i, column := range e.columns {
		if err := e.convert(p.cells, i); err != nil {
			return err
		}
		if _, err := column.WriteRowValues(e.values); err != nil {
			return fmt.Errorf("write a column of a Parquet file: %w", err)
		}
	}
	e.rows += int64(p.rows)
	if e.groupBytes < rowGroupBytes {
		return nil
	}
	e.groupBytes = 0
	return e.writer.Flush()
}

// convert converts the cells of one column to values.
func (e *parquetEncoder) convert(cells []jobs.Value, i int) error {
	e.values, e.bytes = e.values[:0], e.bytes[:0]
	leaf, width := e.leaves[i], len(e.columns)
	for at := i; at < len(cells); at += width {
		if cells[at].Null {
			e.values = append(e.values, parquet.NullValue().Level(0, 0, leaf))
			continue
		}
		text := cells[at].Text
		e.groupBytes += len(text)
		if e.parse[i] == nil {
			begin := len(e.bytes)
			e.bytes = append(e.bytes, text...)
			e.values = append(e.values, parquet.ByteArrayValue(e.bytes[begin:]).Level(0, 1, leaf))
			continue
		}
		v, err := e.parse[i](text)
		if err != nil {
			return e.unfitValue(e.rows+int64(at/width), i, text, err)
		}
		e.values = append(e.values, v.Level(0, 1, leaf))
	}
	return nil
}

// unfitValue is the error of a cell that cannot be converted to its column's type. It
// leaves out the text, because the text may be personal data.
func (e *parquetEncoder) unfitValue(row int64, column int, text string, err error) error {
	c := e.layout.columns[column]
	return &jobs.Error{
		Code: jobs.CodeFailed, Attribute: "fields",
		Summary: fmt.Sprintf("A value of field %q does not fit the column type %s", c.name, c.sqlType),
		Detail:  fmt.Sprintf("It is profile %d of its file, and the value has %d characters.", row+1, len(text)),
		Next:    "Correct the field's mapping, or leave the field out of fields",
		Err:     err,
	}
}

func (e *parquetEncoder) close() error { return e.writer.Close() }
