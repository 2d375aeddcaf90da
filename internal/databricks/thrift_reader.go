package databricks

import (
	"errors"
	"fmt"
)

// Thrift's type ids.
const (
	thriftBool   = 2
	thriftByte   = 3
	thriftDouble = 4
	thriftI16    = 6
	thriftI32    = 8
	thriftI64    = 10
	thriftString = 11
	thriftStruct = 12
	thriftMap    = 13
	thriftSet    = 14
	thriftList   = 15
)

// errTruncated means that a message is shorter than its lengths say.
var errTruncated = errors.New("the message ends early")

// thriftReader reads a message from front to back. After the first error, all reads return
// zeros.
type thriftReader struct {
	b []byte
	// size is the size of the whole message.
	size  int
	err   error
	depth int
	// decoded estimates the memory that the driver needs for the message.
	decoded int
}

// maxDecoded limits the memory of a decoded message. A struct of one byte on the wire takes
// hundreds of bytes in memory, so that the size of a message does not limit it.
const maxDecoded = 192 << 20

// The estimated sizes in memory of a struct, of an entry of a map, and of any other value.
const (
	structSize = 256
	entrySize  = 96
	valueSize  = 16
)

func (r *thriftReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

func (r *thriftReader) count(bytes int) {
	if r.decoded += bytes; r.decoded > maxDecoded {
		r.fail("it has more values than fit into %d MB", maxDecoded>>20)
	}
}

func (r *thriftReader) take(n int) []byte {
	if r.err == nil && (n < 0 || n > len(r.b)) {
		r.err = errTruncated
	}
	if r.err != nil {
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *thriftReader) u8() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

// number reads a signed number of n bytes.
func (r *thriftReader) number(n int) (v int64) {
	for _, b := range r.take(n) {
		v = v<<8 | int64(b)
	}
	unused := 64 - 8*n
	return v << unused >> unused
}

func (r *thriftReader) bytes() []byte {
	b := r.take(int(r.number(4)))
	r.count(valueSize + len(b))
	return b
}

// maxDepth limits the nesting, so that a hostile message cannot exhaust the stack.
const maxDepth = 64

// fields calls read for every field of a struct; read must consume the field's value.
func (r *thriftReader) fields(read func(id int64, kind byte)) {
	r.count(structSize)
	r.nested(func() {
		for r.err == nil {
			kind := r.u8()
			if kind == 0 {
				return
			}
			read(r.number(2), kind)
		}
	})
}

// each calls read for every element of a list; read must consume the element.
func (r *thriftReader) each(read func(kind byte)) {
	r.nested(func() {
		kind, n := r.u8(), r.number(4)
		if n < 0 {
			r.fail("it has a list of %d elements", n)
		}
		for i := int64(0); i < n && r.err == nil; i++ {
			r.count(valueSize)
			read(kind)
		}
	})
}

// entries calls read for every entry of a map; read must consume key and value.
func (r *thriftReader) entries(read func(key, value byte)) {
	r.nested(func() {
		key, value, n := r.u8(), r.u8(), r.number(4)
		if n < 0 {
			r.fail("it has a map of %d entries", n)
		}
		for i := int64(0); i < n && r.err == nil; i++ {
			r.count(entrySize)
			read(key, value)
		}
	})
}

func (r *thriftReader) nested(read func()) {
	if r.depth++; r.depth > maxDepth {
		r.fail("the message is nested too deep")
	}
	if r.err == nil {
		read()
	}
	r.depth--
}

func (r *thriftReader) skip(kind byte) {
	switch kind {
	case thriftBool, thriftByte:
		r.take(1)
	case thriftI16:
		r.take(2)
	case thriftI32:
		r.take(4)
	case thriftI64, thriftDouble:
		r.take(8)
	case thriftString:
		r.bytes()
	case thriftStruct:
		r.fields(func(_ int64, kind byte) { r.skip(kind) })
	case thriftList, thriftSet:
		r.each(r.skip)
	case thriftMap:
		r.entries(func(key, value byte) {
			r.skip(key)
			r.skip(value)
		})
	default:
		r.fail("unknown Thrift type %d", kind)
	}
}
