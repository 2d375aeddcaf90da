package arrowipc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Record is a record batch. Its columns share the memory of the stream.
type Record struct {
	// Rows is the number of rows.
	Rows    int
	columns []column
}

// column is the values of a column, or of a part of one.
type column struct {
	dataType
	nulls int64
	// offsets are where the values begin in data. Columns without a fixed width have them.
	offsets, data []byte
}

// ReadStream reads a stream that consists of a schema and of record batches.
func ReadStream(stream []byte) (*Schema, []Record, error) {
	m, rest, err := nextMessage(stream)
	if err != nil {
		return nil, nil, fmt.Errorf("the Arrow schema: %w", err)
	}
	s, err := schemaOf(m)
	if err != nil {
		return nil, nil, err
	}
	records, err := s.ReadBatches(rest)
	return s, records, err
}

// ReadBatches reads a stream that consists of record batches of the schema.
func (s *Schema) ReadBatches(stream []byte) (records []Record, err error) {
	for {
		var m *message
		if m, stream, err = nextMessage(stream); err != nil {
			return nil, fmt.Errorf("record batch %d: %w", len(records)+1, err)
		}
		if m == nil {
			return records, nil
		}
		record, err := s.record(m)
		if err != nil {
			return nil, fmt.Errorf("record batch %d: %w", len(records)+1, err)
		}
		records = append(records, record)
	}
}

func (s *Schema) record(m *message) (Record, error) {
	if m.kind != kindBatch {
		return Record{}, fmt.Errorf("it is a message of kind %d", m.kind)
	}
	if _, there, err := m.header.child(3); there || err != nil {
		return Record{}, errors.Join(errors.New("it is compressed, which this client did not offer to read"), err)
	}
	rows, err := m.header.number(0, 8, 0)
	if err != nil {
		return Record{}, err
	}
	r := bodyReader{body: m.body, meta: m.header.b}
	if r.node, r.nodes, err = m.header.vector(1, 16); err != nil {
		return Record{}, err
	}
	if r.buffer, r.buffers, err = m.header.vector(2, 16); err != nil {
		return Record{}, err
	}
	// A row takes no bytes if its values are NULL, so that the body does not limit their
	// number.
	if rows < 0 || rows > maxRows {
		return Record{}, fmt.Errorf("it has %d rows", rows)
	}
	record := Record{Rows: int(rows), columns: make([]column, len(s.columns))}
	for i, t := range s.columns {
		c, length, err := r.column(t)
		if err == nil && length != rows {
			err = fmt.Errorf("it has %d values, and the batch has %d rows", length, rows)
		}
		if err != nil {
			return Record{}, fmt.Errorf("column %d: %w", i+1, err)
		}
		record.columns[i] = c
	}
	if r.nodes != 0 || r.buffers != 0 {
		return Record{}, errors.New("it describes more columns than its schema")
	}
	return record, nil
}

const (
	// maxRows limits the values of a column.
	maxRows = 10_000_000
	// maxElements limits the elements of one ARRAY or MAP. The driver writes such a value
	// as text in a time that grows with the square of their number.
	maxElements = 100_000
)

// bodyReader reads the columns of a record batch. nodes and buffers are the numbers of
// nodes and buffers that are left; node and buffer are the positions of the next ones.
type bodyReader struct {
	meta, body                   []byte
	node, nodes, buffer, buffers int
	// used is the sum of the sizes of the buffers. Arrow v12 copies each of them.
	used int64
}

// pair returns the two numbers at a position.
func (r *bodyReader) pair(at int) (first, second int64) {
	return int64(binary.LittleEndian.Uint64(r.meta[at:])), int64(binary.LittleEndian.Uint64(r.meta[at+8:]))
}

func (r *bodyReader) nextBuffer() ([]byte, error) {
	if r.buffers == 0 {
		return nil, errors.New("it has too few buffers")
	}
	from, n := r.pair(r.buffer)
	r.buffer, r.buffers = r.buffer+16, r.buffers-1
	size := int64(len(r.body))
	if from < 0 || n < 0 || from > size || n > size-from {
		return nil, fmt.Errorf("a buffer of %d bytes begins at byte %d of a body of %d", n, from, size)
	}
	if r.used += n; r.used > size {
		return nil, errors.New("its buffers overlap")
	}
	return r.body[from : from+n : from+n], nil
}

// column reads a column, or a part of one, with its parts.
func (r *bodyReader) column(t dataType) (c column, length int64, err error) {
	c.dataType = t
	if r.nodes == 0 {
		return c, 0, errors.New("it is missing")
	}
	length, c.nulls = r.pair(r.node)
	r.node, r.nodes = r.node+16, r.nodes-1
	if length < 0 || length > maxRows || c.nulls < 0 || c.nulls > length {
		return c, 0, fmt.Errorf("it has %d values, of which %d are NULL", length, c.nulls)
	}
	if t.id == typeNull {
		return c, length, nil
	}
	validity, err := r.nextBuffer()
	if err != nil {
		return c, 0, err
	}
	if need := (length + 7) / 8; c.nulls > 0 && int64(len(validity)) < need {
		return c, 0, fmt.Errorf("%d bytes tell which values are NULL, and %d are needed", len(validity), need)
	}
	switch t.id {
	case typeText, typeBinary:
		err = r.bytes(&c, length)
	case typeList, typeMap:
		err = r.list(&c, length)
	case typeStruct:
		for i, part := range t.children {
			_, n, err := r.column(part)
			if err == nil && n < length {
				err = fmt.Errorf("it has %d values, and %d are needed", n, length)
			}
			if err != nil {
				return c, 0, fmt.Errorf("part %d: %w", i+1, err)
			}
		}
	default:
		if c.data, err = r.nextBuffer(); err != nil {
			return c, 0, err
		}
		if need := (length*int64(t.width) + 7) / 8; int64(len(c.data)) < need {
			err = fmt.Errorf("its values have %d bytes, and %d are needed", len(c.data), need)
		}
	}
	return c, length, err
}

func (r *bodyReader) bytes(c *column, length int64) (err error) {
	if c.offsets, err = r.nextBuffer(); err != nil {
		return err
	}
	if c.data, err = r.nextBuffer(); err != nil {
		return err
	}
	_, err = checkOffsets(c.offsets, length, int64(len(c.data)))
	return err
}

func (r *bodyReader) list(c *column, length int64) (err error) {
	if c.offsets, err = r.nextBuffer(); err != nil {
		return err
	}
	_, elements, err := r.column(c.children[0])
	if err != nil {
		return fmt.Errorf("the elements: %w", err)
	}
	longest, err := checkOffsets(c.offsets, length, elements)
	if err == nil && longest > maxElements {
		err = fmt.Errorf("a value has %d elements; at most %d are read", longest, maxElements)
	}
	return err
}

// checkOffsets checks the offsets of length values into limit elements, and returns the
// number of elements of the longest value.
func checkOffsets(offsets []byte, length, limit int64) (longest int64, err error) {
	if length == 0 && len(offsets) == 0 {
		return 0, nil
	}
	if need := 4 * (length + 1); int64(len(offsets)) < need {
		return 0, fmt.Errorf("its offsets have %d bytes, and %d are needed", len(offsets), need)
	}
	last := int64(int32(binary.LittleEndian.Uint32(offsets)))
	if last < 0 {
		return 0, fmt.Errorf("its first offset is %d", last)
	}
	for i := int64(1); i <= length; i++ {
		at := int64(int32(binary.LittleEndian.Uint32(offsets[4*i:])))
		if at < last {
			return 0, fmt.Errorf("its offset %d is followed by %d", last, at)
		}
		longest, last = max(longest, at-last), at
	}
	if last > limit {
		return 0, fmt.Errorf("its last offset is %d, and there are %d elements", last, limit)
	}
	return longest, nil
}

// Columns is the number of columns.
func (r Record) Columns() int { return len(r.columns) }

// Nulls is the number of values of a column that are NULL.
func (r Record) Nulls(i int) int64 { return r.columns[i].nulls }

// Int64s returns the first rows of a column of 64-bit integers, in memory of their own. ok
// is false for a column of another type.
func (r Record) Int64s(i, rows int) (values []int64, ok bool) {
	c := r.columns[i]
	if c.id != typeInt || c.width != 64 {
		return nil, false
	}
	values = make([]int64, rows)
	for n := range values {
		values[n] = int64(binary.LittleEndian.Uint64(c.data[8*n:]))
	}
	return values, true
}

// Texts returns the first rows of a column of strings, in memory of their own: the value n
// is data[offsets[n]:offsets[n+1]]. ok is false for a column of another type.
func (r Record) Texts(i, rows int) (data []byte, offsets []int32, ok bool) {
	c := r.columns[i]
	if c.id != typeText {
		return nil, nil, false
	}
	offsets = make([]int32, rows+1)
	if len(c.offsets) == 0 {
		return nil, offsets, true
	}
	first := int32(binary.LittleEndian.Uint32(c.offsets))
	for n := range offsets {
		offsets[n] = int32(binary.LittleEndian.Uint32(c.offsets[4*n:])) - first
	}
	return slices.Clone(c.data[first : first+offsets[rows]]), offsets, true
}
