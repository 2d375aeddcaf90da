package arrowipc

import (
	"encoding/binary"
	"errors"
)

// errOutside means that a message's metadata points outside its bytes.
var errOutside = errors.New("its metadata points outside its bytes")

// table is a table of a FlatBuffers message, in which Arrow writes metadata. A field that is
// absent has its default value. All references go forward, except those to a table's list of
// fields, so that following them ends.
type table struct {
	b []byte
	// pos and fields are the positions of the table and of its list of fields, whose size
	// in bytes is size.
	pos, fields, size int
}

// root returns the root table of a message.
func root(b []byte) (table, error) { return follow(b, 0) }

// follow returns the table to which the four bytes at a position refer.
func follow(b []byte, at int) (table, error) {
	pos, err := forward(b, at)
	if err != nil {
		return table{}, err
	}
	if pos > len(b)-4 {
		return table{}, errOutside
	}
	t := table{b: b, pos: pos, fields: pos - int(int32(binary.LittleEndian.Uint32(b[pos:])))}
	if t.fields < 0 || t.fields > len(b)-4 {
		return table{}, errOutside
	}
	t.size = int(binary.LittleEndian.Uint16(b[t.fields:]))
	if t.size < 4 || t.size%2 != 0 || t.size > len(b)-t.fields {
		return table{}, errOutside
	}
	return t, nil
}

// forward returns the position to which the four bytes at a position refer.
func forward(b []byte, at int) (int, error) {
	if at < 0 || at > len(b)-4 {
		return 0, errOutside
	}
	pos := at + int(binary.LittleEndian.Uint32(b[at:]))
	if pos > len(b) {
		return 0, errOutside
	}
	return pos, nil
}

// field returns the position of a field of a size in bytes; 0 if it is absent.
func (t table) field(id, size int) (int, error) {
	at := 4 + 2*id
	if at+2 > t.size {
		return 0, nil
	}
	offset := int(binary.LittleEndian.Uint16(t.b[t.fields+at:]))
	if offset == 0 {
		return 0, nil
	}
	if t.pos+offset > len(t.b)-size {
		return 0, errOutside
	}
	return t.pos + offset, nil
}

// number returns a signed number of size bytes.
func (t table) number(id, size int, absent int64) (int64, error) {
	at, err := t.field(id, size)
	if err != nil || at == 0 {
		return absent, err
	}
	var v int64
	for i := size - 1; i >= 0; i-- {
		v = v<<8 | int64(t.b[at+i])
	}
	unused := 64 - 8*size
	return v << unused >> unused, nil
}

// child returns a field that is a table, and whether it is there.
func (t table) child(id int) (table, bool, error) {
	at, err := t.field(id, 4)
	if err != nil || at == 0 {
		return table{}, false, err
	}
	child, err := follow(t.b, at)
	return child, err == nil, err
}

// vector returns the position of the first element and the number of elements of a field
// that is a list, whose elements have a size in bytes.
func (t table) vector(id, size int) (first, n int, err error) {
	at, err := t.field(id, 4)
	if err != nil || at == 0 {
		return 0, 0, err
	}
	if at, err = forward(t.b, at); err != nil {
		return 0, 0, err
	}
	if at > len(t.b)-4 {
		return 0, 0, errOutside
	}
	n = int(binary.LittleEndian.Uint32(t.b[at:]))
	if n > (len(t.b)-at-4)/size {
		return 0, 0, errOutside
	}
	return at + 4, n, nil
}

// text returns a field that is a string.
func (t table) text(id int) (string, error) {
	first, n, err := t.vector(id, 1)
	return string(t.b[first : first+n]), err
}

// checkPairs checks a field that is a list of keys with their values, both strings.
func (t table) checkPairs(id int) error {
	first, n, err := t.vector(id, 4)
	for i := 0; i < n && err == nil; i++ {
		var pair table
		if pair, err = follow(t.b, first+4*i); err == nil {
			_, _, key := pair.vector(0, 1)
			_, _, value := pair.vector(1, 1)
			err = errors.Join(key, value)
		}
	}
	return err
}
