package rowset

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Size estimates the bytes of a record's rows. Unlike util.TotalRecordSize it
// counts only the rows of a slice, not the whole buffers behind it.
func Size(r arrow.RecordBatch) (n int64) {
	for _, col := range r.Columns() {
		n += sizeOf(col)
	}
	return n
}

func sizeOf(a arrow.Array) int64 {
	rows := int64(a.Len())
	switch a := a.(type) {
	case array.BinaryLike:
		return rows*4 + int64(len(a.ValueBytes()))
	case *array.Struct:
		var n int64
		for i := range a.NumField() {
			n += sizeOf(a.Field(i))
		}
		return n
	case array.ListLike: // including maps
		if rows == 0 {
			return 0
		}
		start, _ := a.ValueOffsets(0)
		_, end := a.ValueOffsets(int(rows) - 1)
		items := array.NewSlice(a.ListValues(), start, end)
		defer items.Release()
		return rows*4 + sizeOf(items)
	}
	if t, ok := a.DataType().(arrow.FixedWidthDataType); ok {
		return (rows*int64(t.BitWidth()) + 7) / 8
	}
	return rows
}
