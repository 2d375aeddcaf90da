package native

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// viewAs returns a vector's values as Go values of the same memory layout.
func viewAs[T any](v bindings.Vector, from, to int) []T {
	if to <= from {
		return nil
	}
	return unsafe.Slice((*T)(bindings.VectorGetData(v)), to)[from:to]
}

// validity returns which rows are not NULL; nil if no row is NULL.
func validity(v bindings.Vector, from, to int) []bool {
	mask := bindings.VectorGetValidity(v)
	if mask == nil {
		return nil
	}
	words := unsafe.Slice((*uint64)(mask), (to+63)/64)
	out := make([]bool, to-from)
	for i := range out {
		r := from + i
		out[i] = words[r>>6]&(1<<(r&63)) != 0
	}
	return out
}

// appendVector appends rows from..to of a vector to a builder, and returns their
// approximate size in bytes.
func appendVector(b array.Builder, v bindings.Vector, t *types.Type, from, to int) int {
	if to <= from {
		return 0
	}
	n := to - from
	valid := validity(v, from, to)
	switch b := b.(type) {
	case *array.NullBuilder:
		b.AppendNulls(n)
	case *array.BooleanBuilder:
		b.AppendValues(viewAs[bool](v, from, to), valid)
	case *array.Int8Builder:
		b.AppendValues(viewAs[int8](v, from, to), valid)
	case *array.Int16Builder:
		b.AppendValues(viewAs[int16](v, from, to), valid)
		return 2 * n
	case *array.Int32Builder:
		b.AppendValues(viewAs[int32](v, from, to), valid)
		return 4 * n
	case *array.Int64Builder:
		b.AppendValues(viewAs[int64](v, from, to), valid)
		return 8 * n
	case *array.Float32Builder:
		b.AppendValues(viewAs[float32](v, from, to), valid)
		return 4 * n
	case *array.Float64Builder:
		b.AppendValues(viewAs[float64](v, from, to), valid)
		return 8 * n
	case *array.Date32Builder:
		b.AppendValues(viewAs[arrow.Date32](v, from, to), valid)
		return 4 * n
	case *array.TimestampBuilder:
		b.AppendValues(viewAs[arrow.Timestamp](v, from, to), valid)
		return 8 * n
	case *array.Decimal128Builder:
		appendDecimals(b, v, t, from, to, valid)
		return 16 * n
	case *array.StringBuilder:
		return appendStrings(v, from, to, valid, b.AppendNull, func(s []byte) { b.BinaryBuilder.Append(s) })
	case *array.BinaryBuilder:
		return appendStrings(v, from, to, valid, b.AppendNull, b.Append)
	case *array.ListBuilder:
		return appendLists(b, b.ValueBuilder(), v, t.Elem, from, to, valid)
	case *array.MapBuilder:
		return appendMaps(b, v, t, from, to, valid)
	case *array.StructBuilder:
		return appendStructs(b, v, t, from, to, valid)
	}
	return n
}

func appendDecimals(b *array.Decimal128Builder, v bindings.Vector, t *types.Type, from, to int, valid []bool) {
	b.Reserve(to - from)
	put := func(i int, d func() decimal128.Num) {
		if valid != nil && !valid[i] {
			b.AppendNull()
			return
		}
		b.Append(d())
	}
	// DuckDB stores a decimal in the smallest integer type that fits its precision.
	switch {
	case t.Precision <= 4:
		for i, x := range viewAs[int16](v, from, to) {
			put(i, func() decimal128.Num { return decimal128.FromI64(int64(x)) })
		}
	case t.Precision <= 9:
		for i, x := range viewAs[int32](v, from, to) {
			put(i, func() decimal128.Num { return decimal128.FromI64(int64(x)) })
		}
	case t.Precision <= 18:
		for i, x := range viewAs[int64](v, from, to) {
			put(i, func() decimal128.Num { return decimal128.FromI64(x) })
		}
	default:
		type hugeint struct {
			lower uint64
			upper int64
		}
		for i, x := range viewAs[hugeint](v, from, to) {
			put(i, func() decimal128.Num { return decimal128.New(x.upper, x.lower) })
		}
	}
}

// duckString is the layout of DuckDB's strings: up to 12 bytes inline, or a pointer.
type duckString struct {
	length uint32
	inline [12]byte
}

func (s *duckString) bytes() []byte {
	if s.length <= 12 {
		return s.inline[:s.length]
	}
	p := *(**byte)(unsafe.Pointer(&s.inline[4]))
	return unsafe.Slice(p, s.length)
}

// set sets the string to a text. stored is DuckDB's copy of it, which a text that fits
// inline does not need.
func (s *duckString) set(text []byte, stored unsafe.Pointer) {
	*s = duckString{length: uint32(len(text))}
	if n := copy(s.inline[:], text); n == len(text) {
		return
	}
	clear(s.inline[4:]) // the first four bytes stay, as a prefix for comparisons
	*(*uintptr)(unsafe.Pointer(&s.inline[4])) = uintptr(stored)
}

func appendStrings(v bindings.Vector, from, to int, valid []bool, null func(), put func([]byte)) int {
	bytes := 0
	values := viewAs[duckString](v, from, to)
	for i := range values {
		if valid != nil && !valid[i] {
			null()
			continue
		}
		s := values[i].bytes()
		bytes += len(s)
		put(s)
	}
	return bytes + 4*len(values)
}

type listEntry struct{ offset, length uint64 }

func appendLists(b *array.ListBuilder, elems array.Builder, v bindings.Vector, elem *types.Type, from, to int, valid []bool) int {
	child := bindings.ListVectorGetChild(v)
	bytes := 4 * (to - from)
	for i, e := range viewAs[listEntry](v, from, to) {
		if valid != nil && !valid[i] {
			b.AppendNull()
			continue
		}
		b.Append(true)
		bytes += appendVector(elems, child, elem, int(e.offset), int(e.offset+e.length))
	}
	return bytes
}

func appendMaps(b *array.MapBuilder, v bindings.Vector, t *types.Type, from, to int, valid []bool) int {
	child := bindings.ListVectorGetChild(v)
	keys, values := bindings.StructVectorGetChild(child, 0), bindings.StructVectorGetChild(child, 1)
	bytes := 4 * (to - from)
	for i, e := range viewAs[listEntry](v, from, to) {
		if valid != nil && !valid[i] {
			b.AppendNull()
			continue
		}
		b.Append(true)
		low, high := int(e.offset), int(e.offset+e.length)
		bytes += appendVector(b.KeyBuilder(), keys, t.Key, low, high)
		bytes += appendVector(b.ItemBuilder(), values, t.Elem, low, high)
	}
	return bytes
}

func appendStructs(b *array.StructBuilder, v bindings.Vector, t *types.Type, from, to int, valid []bool) int {
	if valid == nil {
		valid = make([]bool, to-from)
		for i := range valid {
			valid[i] = true
		}
	}
	b.AppendValues(valid)
	bytes := 0
	for i := range t.Fields {
		// In DuckDB, the fields of a NULL struct are NULL too.
		bytes += appendVector(b.FieldBuilder(i), bindings.StructVectorGetChild(v, bindings.IdxT(i)), t.Fields[i].Type, from, to)
	}
	return bytes
}
