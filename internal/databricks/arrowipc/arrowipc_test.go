package arrowipc_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v12/arrow"
	"github.com/apache/arrow/go/v12/arrow/array"
	"github.com/apache/arrow/go/v12/arrow/ipc"
	"github.com/apache/arrow/go/v12/arrow/memory"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks/arrowipc"
)

// schema has a column of each type that is read, with metadata as Spark writes it.
func schema() *arrow.Schema {
	metadata := arrow.NewMetadata([]string{"Spark:DataType:SqlName"}, []string{"BIGINT"})
	fields := []arrow.Field{
		{Name: "int64", Type: arrow.PrimitiveTypes.Int64, Metadata: metadata},
		{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "bool", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "int8", Type: arrow.PrimitiveTypes.Int8},
		{Name: "int16", Type: arrow.PrimitiveTypes.Int16},
		{Name: "int32", Type: arrow.PrimitiveTypes.Int32},
		{Name: "float32", Type: arrow.PrimitiveTypes.Float32},
		{Name: "float64", Type: arrow.PrimitiveTypes.Float64},
		{Name: "decimal", Type: &arrow.Decimal128Type{Precision: 10, Scale: 2}},
		{Name: "date", Type: arrow.FixedWidthTypes.Date32},
		{Name: "timestamp", Type: arrow.FixedWidthTypes.Timestamp_us},
		{Name: "binary", Type: arrow.BinaryTypes.Binary},
		{Name: "null", Type: arrow.Null, Nullable: true},
		{Name: "list", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
		{Name: "map", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64)},
		{Name: "struct", Type: arrow.StructOf(arrow.Field{Name: "a", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32)}), Nullable: true},
	}
	return arrow.NewSchema(fields, &metadata)
}

const values = `[{"int64": 5, "text": "five", "bool": true, "int8": 1, "int16": 2, "int32": 3, "float32": 1.5, "float64": 2.5,
	"decimal": "1.25", "date": "2026-01-01", "timestamp": "2026-01-01T00:00:00", "binary": "AAEC", "null": null,
	"list": ["a", null, "b"], "map": [{"key": "k", "value": 1}], "struct": {"a": [1, 2]}},
	{"int64": 6, "text": null, "bool": null, "int8": 1, "int16": 2, "int32": 3, "float32": 1.5, "float64": 2.5,
	"decimal": "1.25", "date": "2026-01-01", "timestamp": "2026-01-01T00:00:00", "binary": "", "null": null,
	"list": null, "map": [], "struct": null}]`

// sharedZone computes the zone of a type that all tests share, which arrow does without a
// lock when it is first used.
var sharedZone = sync.OnceValues(arrow.FixedWidthTypes.Timestamp_us.(*arrow.TimestampType).GetZone)

// stream writes the values, as often as told, in one batch each.
func stream(tb testing.TB, batches int, options ...ipc.Option) []byte {
	tb.Helper()
	if _, err := sharedZone(); err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	w := ipc.NewWriter(&out, append(options, ipc.WithSchema(schema()))...)
	for range batches {
		record, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema(), strings.NewReader(values))
		if err != nil {
			tb.Fatal(err)
		}
		if err := w.Write(record); err != nil {
			tb.Fatal(err)
		}
		record.Release()
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func TestStreamsOfEachType(t *testing.T) {
	t.Parallel()
	s, records, err := arrowipc.ReadStream(stream(t, 3))
	if err != nil || len(records) != 3 || s.Columns() != 16 {
		t.Fatalf("got %d batches, %v", len(records), err)
	}
	for _, r := range records {
		numbers, ok := r.Int64s(0, r.Rows)
		if !ok || !slices.Equal(numbers, []int64{5, 6}) || r.Nulls(0) != 0 || r.Nulls(1) != 1 || r.Columns() != 16 {
			t.Errorf("got %v, %t", numbers, ok)
		}
		data, offsets, ok := r.Texts(1, r.Rows)
		if !ok || string(data) != "five" || !slices.Equal(offsets, []int32{0, 4, 4}) {
			t.Errorf("got %q, %v, %t", data, offsets, ok)
		}
		if first, _, _ := r.Texts(1, 1); string(first) != "five" {
			t.Errorf("got %q of the first row", first)
		}
		if _, ok := r.Int64s(1, r.Rows); ok {
			t.Error("got numbers of a column of texts")
		}
	}
	if other, _, err := arrowipc.ReadStream(stream(t, 0)); err != nil || !other.SameTypes(s) {
		t.Errorf("got other types of the same schema: %v", err)
	}
}

// Checklist 73: a length that the bytes do not have is an error, and no allocation.
func TestWrongStreamsAreRefused(t *testing.T) {
	t.Parallel()
	whole := stream(t, 1)
	for name, c := range map[string]struct {
		stream []byte
		want   string
	}{
		"nothing":               {nil, "the Arrow schema is missing"},
		"half":                  {whole[:len(whole)/2], "record batch 1"},
		"a batch only":          {whole[schemaSize(whole):], "the Arrow schema is missing"},
		"two schemas":           {slices.Concat(whole[:schemaSize(whole)], whole), "kind 1"},
		"compressed":            {stream(t, 1, ipc.WithZstd()), "compressed"},
		"metadata without end":  {slices.Concat(whole[:4], []byte{0xFF, 0xFF, 0xFF, 0x7F}, whole[8:]), "its metadata has 2147483647 bytes"},
		"metadata before start": {slices.Concat(whole[:4], []byte{0xFF, 0xFF, 0xFF, 0xFF}, whole[8:]), "its metadata has -1 bytes"},
	} {
		if _, _, err := arrowipc.ReadStream(c.stream); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// schemaSize is the size of the schema's message.
func schemaSize(stream []byte) int { return 8 + int(binary.LittleEndian.Uint32(stream[4:])) }

// FuzzReadStream compares with Arrow v12: what is accepted here is read there, with as many
// rows.
func FuzzReadStream(f *testing.F) {
	f.Add(stream(f, 1))
	f.Add(stream(f, 3))
	f.Add(stream(f, 1, ipc.WithZstd()))
	f.Fuzz(compare)
}

func compare(t *testing.T, stream []byte) {
	t.Helper()
	_, records, err := arrowipc.ReadStream(stream)
	if err != nil {
		return
	}
	var want, got int64
	for _, r := range records {
		want += int64(r.Rows)
		for i := range r.Columns() {
			r.Int64s(i, r.Rows)
			r.Texts(i, r.Rows)
		}
	}
	reader, err := ipc.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatalf("Arrow v12 refuses the schema: %v", err)
	}
	defer reader.Release()
	for reader.Next() {
		got += reader.Record().NumRows()
		// Every value can be read.
		_ = reader.Record().Columns()
	}
	if err := reader.Err(); err != nil || got != want {
		t.Fatalf("Arrow v12 reads %d rows of %d: %v", got, want, err)
	}
}

// Changed bytes of a stream are an error, or change values only.
func TestMutatedStreams(t *testing.T) {
	t.Parallel()
	whole := stream(t, 2)
	r := rand.New(rand.NewPCG(1, 0))
	for range 20_000 {
		b := slices.Clone(whole)
		for range 1 + r.IntN(3) {
			at := r.IntN(len(b))
			switch r.IntN(3) {
			case 0:
				b[at] ^= 1 << r.IntN(8)
			case 1:
				b[at] = byte(r.IntN(256))
			default:
				copy(b[at:], binary.LittleEndian.AppendUint64(nil, uint64(1)<<r.IntN(64)))
			}
		}
		compare(t, b)
	}
}
