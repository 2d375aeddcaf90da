package arrowipc

import (
	"errors"
	"fmt"
	"slices"
)

// Schema is the types of a result's columns.
type Schema struct{ columns []dataType }

// dataType is the type of a column or of a part of it.
type dataType struct {
	id typeID
	// name and nullable are those of a part. For a column they are left out, because files
	// of a result may have other ones than the result.
	name     string
	nullable bool
	// width is the size of a value in bits; 0 if it has no fixed size.
	width int
	// detail and zone distinguish types of one id: unit, precision and scale, or order.
	detail   [2]int64
	zone     string
	children []dataType
}

// typeID is the number of a type in Arrow's format.
type typeID byte

// The types that the driver reads.
const (
	typeNull      typeID = 1
	typeInt       typeID = 2
	typeFloat     typeID = 3
	typeBinary    typeID = 4
	typeText      typeID = 5
	typeBool      typeID = 6
	typeDecimal   typeID = 7
	typeDate      typeID = 8
	typeTimestamp typeID = 10
	typeList      typeID = 12
	typeStruct    typeID = 13
	typeMap       typeID = 17
)

const (
	// maxFields limits the fields of a schema, nested ones included. References of a
	// message can share their targets, so that its size does not limit what it describes.
	maxFields = 20_000
	// maxNesting limits the depth of nested types. Arrow v12 reads 64 levels.
	maxNesting = 32
)

// Columns is the number of columns.
func (s *Schema) Columns() int { return len(s.columns) }

// SameTypes reports whether two schemas have the same types in the same order.
func (s *Schema) SameTypes(other *Schema) bool {
	return slices.EqualFunc(s.columns, other.columns, dataType.equal)
}

func (t dataType) equal(other dataType) bool {
	return t.id == other.id && t.name == other.name && t.nullable == other.nullable &&
		t.width == other.width && t.detail == other.detail && t.zone == other.zone &&
		slices.EqualFunc(t.children, other.children, dataType.equal)
}

// ReadSchema reads a stream that consists of a schema only.
func ReadSchema(stream []byte) (*Schema, error) {
	m, rest, err := nextMessage(stream)
	if err != nil {
		return nil, fmt.Errorf("the Arrow schema: %w", err)
	}
	s, err := schemaOf(m)
	if err != nil {
		return nil, err
	}
	if m, _, err := nextMessage(rest); err != nil || m != nil {
		return nil, errors.New("the Arrow schema is followed by something else")
	}
	return s, nil
}

// schemaOf reads the schema of a message.
func schemaOf(m *message) (*Schema, error) {
	if m == nil || m.kind != kindSchema {
		return nil, errors.New("the Arrow schema is missing")
	}
	order, err := m.header.number(0, 2, 0)
	if err != nil {
		return nil, fmt.Errorf("the Arrow schema: %w", err)
	}
	if order != 0 {
		return nil, fmt.Errorf("the Arrow schema has the byte order %d, which is not little-endian", order)
	}
	if err := m.header.checkPairs(2); err != nil {
		return nil, fmt.Errorf("the Arrow schema: %w", err)
	}
	first, n, err := m.header.vector(1, 4)
	if err != nil {
		return nil, fmt.Errorf("the Arrow schema: %w", err)
	}
	r := schemaReader{left: maxFields}
	s := &Schema{}
	for i := range n {
		t, err := r.field(m.header.b, first+4*i, 0)
		if err != nil {
			return nil, fmt.Errorf("the Arrow schema, column %d: %w", i+1, err)
		}
		s.columns = append(s.columns, t)
	}
	return s, nil
}

type schemaReader struct{ left int }

// field reads the field to which the four bytes at a position refer.
func (r *schemaReader) field(b []byte, at, depth int) (t dataType, err error) {
	if r.left--; r.left < 0 {
		return t, fmt.Errorf("it has more than %d fields", maxFields)
	}
	if depth > maxNesting {
		return t, fmt.Errorf("its type is nested deeper than %d levels", maxNesting)
	}
	f, err := follow(b, at)
	if err != nil {
		return t, err
	}
	name, err := f.text(0)
	if err != nil {
		return t, err
	}
	nullable, err := f.number(1, 1, 0)
	if err != nil {
		return t, err
	}
	if err := f.checkPairs(6); err != nil {
		return t, err
	}
	if _, there, err := f.child(4); there || err != nil {
		return t, errors.Join(errors.New("it is encoded with a dictionary"), err)
	}
	id, err := f.number(2, 1, 0)
	if err != nil {
		return t, err
	}
	details, there, err := f.child(3)
	if err != nil || !there {
		return t, errors.Join(errors.New("it has no type"), err)
	}
	if t, err = simpleType(typeID(id), details); err != nil {
		return t, err
	}
	if depth > 0 {
		t.name, t.nullable = name, nullable == 1
	}
	first, n, err := f.vector(5, 4)
	if err != nil {
		return t, err
	}
	for i := range n {
		child, err := r.field(b, first+4*i, depth+1)
		if err != nil {
			return t, err
		}
		t.children = append(t.children, child)
	}
	return t, t.checkChildren()
}

func (t dataType) checkChildren() error {
	n := len(t.children)
	switch {
	case t.id == typeStruct,
		t.id == typeList && n == 1,
		t.id == typeMap && n == 1 && t.children[0].id == typeStruct && len(t.children[0].children) == 2,
		t.id != typeList && t.id != typeMap && n == 0:
		return nil
	}
	return fmt.Errorf("its type %d has %d parts", t.id, n)
}

// simpleType reads a type without its parts. A boolean is true if its byte is 1, as for Arrow
// v12.
func simpleType(id typeID, details table) (dataType, error) {
	t := dataType{id: id}
	var err error
	number := func(field, size int, absent int64) int64 {
		v, e := details.number(field, size, absent)
		err = errors.Join(err, e)
		return v
	}
	known := true
	switch id {
	case typeNull, typeBinary, typeText, typeList, typeStruct:
	case typeBool:
		t.width = 1
	case typeMap:
		t.detail[0] = number(0, 1, 0)
	case typeInt:
		t.width = int(number(0, 4, 0))
		known = number(1, 1, 0) == 1 && slices.Contains([]int{8, 16, 32, 64}, t.width)
	case typeFloat:
		precision := number(0, 2, 0)
		known = precision == 1 || precision == 2
		t.width = int(precision) * 32
	case typeDecimal:
		t.width, t.detail = 128, [2]int64{number(0, 4, 0), number(1, 4, 0)}
		precision, scale := t.detail[0], t.detail[1]
		known = number(2, 4, 128) == 128 && precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision
	case typeDate:
		t.width = 32
		known = number(0, 2, 1) == 0
	case typeTimestamp:
		t.width, t.detail[0] = 64, number(0, 2, 0)
		known = t.detail[0] >= 0 && t.detail[0] <= 3
		var e error
		t.zone, e = details.text(1)
		err = errors.Join(err, e)
	default:
		known = false
	}
	if err == nil && !known {
		err = fmt.Errorf("its type %d with its parameters is not one that this client reads", id)
	}
	return t, err
}
