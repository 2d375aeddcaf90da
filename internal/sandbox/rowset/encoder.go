package rowset

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/pierrec/lz4/v4"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Options are the formats that the client can read.
type Options struct {
	Format tcli.TSparkRowSetType
	// Native holds the types that are sent as Arrow types; the others are sent as text.
	Native Native
	// LZ4 compresses Arrow batches and files.
	LZ4 bool
	// Location is the session's time zone, for TIMESTAMP values that are sent as
	// text. Nil means UTC.
	Location *time.Location
}

// Native are the types that the client wants as Arrow types.
type Native struct {
	Timestamps, Decimals, Nested, Intervals, Nulls bool
}

// Encoder encodes the rows of one result.
type Encoder struct {
	columns []warehouse.Column
	options Options
	schema  *arrow.Schema
	thrift  *tcli.TTableSchema
	// asText marks the columns whose Arrow type is text on the wire only.
	asText []bool
	// preamble is the IPC message of the schema.
	preamble []byte
}

// endOfStream is the length of the marker that ends an IPC stream.
const endOfStream = 8

// NewEncoder returns an encoder of rows with the given columns.
func NewEncoder(columns []warehouse.Column, o Options) (*Encoder, error) {
	if o.Location == nil {
		o.Location = time.UTC
	}
	columns = slices.Clone(columns)
	for i, c := range columns {
		// Engines send intervals as text. A client that asked for Arrow's intervals
		// would read the column as one.
		if o.Native.Intervals && strings.HasPrefix(strings.ToUpper(c.Type), "INTERVAL") && c.Arrow.Type == arrow.BinaryTypes.String {
			columns[i].Type = "STRING"
		}
	}
	schema, err := Schema(columns)
	if err != nil {
		return nil, err
	}
	e := &Encoder{columns: columns, options: o, thrift: schema, asText: make([]bool, len(columns))}
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		id := schema.Columns[i].TypeDesc.Types[0].PrimitiveEntry.Type
		fields[i] = arrow.Field{
			Name: c.Name, Type: c.Arrow.Type, Nullable: true,
			Metadata: arrow.MetadataFrom(map[string]string{"Spark:DataType:SqlName": c.Type}),
		}
		if c.Arrow.Type == nil {
			return nil, fmt.Errorf("rowset: column %q of type %s has no Arrow type", c.Name, c.Type)
		}
		if !o.Native.isNative(id) && c.Arrow.Type.ID() != arrow.STRING {
			e.asText[i] = true
			fields[i].Type = arrow.BinaryTypes.String
		}
	}
	e.schema = arrow.NewSchema(fields, nil)
	var buf bytes.Buffer
	if err := ipc.NewWriter(&buf, ipc.WithSchema(e.schema)).Close(); err != nil {
		return nil, fmt.Errorf("rowset: encode the Arrow schema: %w", err)
	}
	e.preamble = buf.Bytes()[:buf.Len()-endOfStream]
	return e, nil
}

func (n Native) isNative(id tcli.TTypeId) bool {
	switch id {
	case tcli.TTypeId_TIMESTAMP_TYPE:
		return n.Timestamps
	case tcli.TTypeId_DECIMAL_TYPE:
		return n.Decimals
	case tcli.TTypeId_ARRAY_TYPE, tcli.TTypeId_MAP_TYPE, tcli.TTypeId_STRUCT_TYPE:
		return n.Nested
	case tcli.TTypeId_INTERVAL_DAY_TIME_TYPE, tcli.TTypeId_INTERVAL_YEAR_MONTH_TYPE:
		return n.Intervals
	case tcli.TTypeId_NULL_TYPE:
		return n.Nulls
	default:
		return true
	}
}

// Format returns the format of the row sets.
func (e *Encoder) Format() tcli.TSparkRowSetType { return e.options.Format }

// Metadata describes the result set.
func (e *Encoder) Metadata() *tcli.TGetResultSetMetadataResp {
	format, compressed, staging := e.options.Format, e.options.LZ4, false
	out := &tcli.TGetResultSetMetadataResp{
		Status:             &tcli.TStatus{StatusCode: tcli.TStatusCode_SUCCESS_STATUS},
		Schema:             e.thrift,
		ResultFormat:       &format,
		IsStagingOperation: &staging,
	}
	if format == tcli.TSparkRowSetType_COLUMN_BASED_SET {
		compressed = false
	} else {
		out.ArrowSchema = e.preamble
	}
	out.Lz4Compressed = &compressed
	return out
}

// Batches encodes records as Arrow batches: IPC messages without the schema,
// which clients take from the metadata.
func (e *Encoder) Batches(records []arrow.RecordBatch) ([]*tcli.TSparkArrowBatch, error) {
	out := make([]*tcli.TSparkArrowBatch, 0, len(records))
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(e.schema))
	from := len(e.preamble)
	for _, r := range records {
		if err := e.write(w, r); err != nil {
			return nil, err
		}
		batch := bytes.Clone(buf.Bytes()[from:])
		from = 0
		buf.Reset()
		if e.options.LZ4 {
			var err error
			if batch, err = compress(batch); err != nil {
				return nil, err
			}
		}
		out = append(out, &tcli.TSparkArrowBatch{Batch: batch, RowCount: r.NumRows()})
	}
	return out, nil
}

// FileWriter writes a CloudFetch file: an IPC stream, compressed as a whole.
type FileWriter struct {
	encoder *Encoder
	lz4     *lz4.Writer
	ipc     *ipc.Writer
}

// NewFile starts a CloudFetch file on w.
func (e *Encoder) NewFile(w io.Writer) *FileWriter {
	f := &FileWriter{encoder: e}
	if e.options.LZ4 {
		f.lz4 = lz4.NewWriter(w)
		w = f.lz4
	}
	f.ipc = ipc.NewWriter(w, ipc.WithSchema(e.schema))
	return f
}

// Write appends a record.
func (f *FileWriter) Write(r arrow.RecordBatch) error { return f.encoder.write(f.ipc, r) }

// Close ends the file. It does not close the underlying writer.
func (f *FileWriter) Close() error {
	if err := f.ipc.Close(); err != nil {
		return fmt.Errorf("rowset: end a result file: %w", err)
	}
	if f.lz4 != nil {
		return f.lz4.Close()
	}
	return nil
}

func (e *Encoder) write(w *ipc.Writer, r arrow.RecordBatch) error {
	physical, err := e.convertColumns(r)
	if err != nil {
		return err
	}
	defer physical.Release()
	if err := w.Write(physical); err != nil {
		return fmt.Errorf("rowset: encode an Arrow batch: %w", err)
	}
	return nil
}

// convertColumns converts the columns of r to the types that the client wants.
func (e *Encoder) convertColumns(r arrow.RecordBatch) (arrow.RecordBatch, error) {
	if int(r.NumCols()) != len(e.columns) {
		return nil, fmt.Errorf("rowset: the engine sent %d columns for %d declared ones", r.NumCols(), len(e.columns))
	}
	cols := make([]arrow.Array, len(e.columns))
	defer func() {
		for _, c := range cols {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i, c := range e.columns {
		col := r.Column(i)
		if !arrow.TypeEqual(col.DataType(), c.Arrow.Type) {
			return nil, fmt.Errorf("rowset: the engine sent %s for column %q, declared as %s", col.DataType(), c.Name, c.Arrow.Type)
		}
		if !e.asText[i] {
			col.Retain()
			cols[i] = col
			continue
		}
		text, err := e.toText(col)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
		cols[i] = text
	}
	return array.NewRecordBatch(e.schema, cols, r.NumRows()), nil
}

func (e *Encoder) toText(col arrow.Array) (arrow.Array, error) {
	text, err := textOf(col, e.options.Location)
	if err != nil {
		return nil, err
	}
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(col.Len())
	var scratch []byte
	for i := range col.Len() {
		if isNull(col, i) {
			b.AppendNull()
			continue
		}
		scratch = text(scratch[:0], i)
		b.Append(string(scratch))
	}
	return b.NewArray(), nil
}

func compress(data []byte) ([]byte, error) {
	var buf bytes.Buffer
	w := lz4.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("rowset: compress an Arrow batch: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("rowset: compress an Arrow batch: %w", err)
	}
	return buf.Bytes(), nil
}
