package native

import (
	"database/sql"
	"errors"
	"fmt"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// chunkRows is the number of rows of a DuckDB vector, and maxChunkBytes the size at which
// a chunk of fewer rows is appended.
const (
	chunkRows     = 2048
	maxChunkBytes = 16 << 20
)

// TextAppender appends rows of text to a table. The driver's own appender calls C three
// times for each cell; this one does so for each column of a chunk.
type TextAppender struct {
	appender bindings.Appender
	chunk    bindings.DataChunk
	columns  []textColumn
	rows     int
	bytes    int
}

// textColumn is a column of the next chunk: the texts of all rows, one after the other.
type textColumn struct {
	text []byte
	ends []int
	// nulls has a bit for each row that is NULL.
	nulls    [chunkRows / 64]uint64
	someNull bool
}

// NewTextAppender returns an appender to a temporary table whose columns all are texts.
// Nothing else may use the connection until Close.
func NewTextAppender(c *sql.Conn, table string, columns int) (*TextAppender, error) {
	conn, err := rawConnection(c)
	if err != nil {
		return nil, err
	}
	a := &TextAppender{columns: make([]textColumn, columns)}
	if bindings.AppenderCreateExt(conn, "temp", "main", table, &a.appender) == bindings.StateError {
		err := errors.New(bindings.AppenderError(a.appender))
		bindings.AppenderDestroy(&a.appender)
		return nil, fmt.Errorf("append to %s: %w", table, err)
	}
	text := bindings.CreateLogicalType(bindings.TypeVarchar)
	defer bindings.DestroyLogicalType(&text)
	types := make([]bindings.LogicalType, columns)
	for i := range types {
		types[i] = text
	}
	a.chunk = bindings.CreateDataChunk(types)
	return a, nil
}

// Set sets a column of the current row to a text, which must be valid UTF-8. Each column
// is set once, with Set or SetNull.
func (a *TextAppender) Set(column int, text []byte) {
	c := &a.columns[column]
	c.text = append(c.text, text...)
	c.ends = append(c.ends, len(c.text))
	a.bytes += len(text)
}

// SetNull sets a column of the current row to NULL.
func (a *TextAppender) SetNull(column int) {
	c := &a.columns[column]
	c.ends = append(c.ends, len(c.text))
	c.nulls[a.rows/64] |= 1 << (a.rows % 64)
	c.someNull = true
}

// EndRow ends the current row.
func (a *TextAppender) EndRow() error {
	if a.rows++; a.rows < chunkRows && a.bytes < maxChunkBytes {
		return nil
	}
	return a.flush()
}

func (a *TextAppender) flush() error {
	bindings.DataChunkReset(a.chunk)
	for i := range a.columns {
		a.columns[i].fill(bindings.DataChunkGetVector(a.chunk, bindings.IdxT(i)), a.rows)
	}
	bindings.DataChunkSetSize(a.chunk, bindings.IdxT(a.rows))
	a.rows, a.bytes = 0, 0
	if bindings.AppendDataChunk(a.appender, a.chunk) == bindings.StateError {
		return errors.New(bindings.AppenderError(a.appender))
	}
	return nil
}

// fill moves the column to a vector.
func (c *textColumn) fill(v bindings.Vector, rows int) {
	// DuckDB copies the texts of all rows as if they were the first row's. The rows then
	// point into that copy, which lives as long as the vector's content.
	var copied unsafe.Pointer
	if len(c.text) > len(duckString{}.inline) {
		bindings.VectorAssignStringElementLen(v, 0, c.text)
		copied = *(*unsafe.Pointer)(unsafe.Pointer(&viewAs[duckString](v, 0, 1)[0].inline[4]))
	}
	from := 0
	values := viewAs[duckString](v, 0, rows)
	for i, end := range c.ends {
		values[i].set(c.text[from:end], unsafe.Add(copied, from))
		from = end
	}
	if c.someNull {
		bindings.VectorEnsureValidityWritable(v)
		mask := unsafe.Slice((*uint64)(bindings.VectorGetValidity(v)), (rows+63)/64)
		for i := range mask {
			mask[i] &^= c.nulls[i]
		}
		clear(c.nulls[:])
		c.someNull = false
	}
	c.text, c.ends = c.text[:0], c.ends[:0]
}

// Close appends the remaining rows. After an error, the rows that were appended so far are
// undefined.
func (a *TextAppender) Close() (err error) {
	if a.rows > 0 {
		err = a.flush()
	}
	if bindings.AppenderClose(a.appender) == bindings.StateError && err == nil {
		err = errors.New(bindings.AppenderError(a.appender))
	}
	bindings.AppenderDestroy(&a.appender)
	bindings.DestroyDataChunk(&a.chunk)
	return err
}
