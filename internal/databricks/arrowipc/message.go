package arrowipc

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The kinds of messages that are read.
const (
	kindSchema = 1
	kindBatch  = 3
)

// message is one message of a stream: metadata, and a body of values.
type message struct {
	kind   int64
	header table
	body   []byte
}

// continuation is the first field of each message, in streams since Arrow 0.15.
const continuation = 0xFFFFFFFF

var errTruncated = errors.New("it ends early")

// nextMessage returns the first message of a stream, and the rest of the stream. The message
// is nil at the end of the stream. Bytes that follow the mark of the end are not read, and
// the driver does not read them either.
func nextMessage(stream []byte) (m *message, rest []byte, err error) {
	b := stream
	if len(b) == 0 {
		return nil, nil, nil
	}
	if len(b) >= 4 && binary.LittleEndian.Uint32(b) == continuation {
		b = b[4:]
	}
	if len(b) < 4 {
		return nil, nil, errTruncated
	}
	size := int64(int32(binary.LittleEndian.Uint32(b)))
	if b = b[4:]; size == 0 {
		return nil, nil, nil
	}
	if size < 0 || size > int64(len(b)) {
		return nil, nil, fmt.Errorf("its metadata has %d bytes, and %d are there", size, len(b))
	}
	meta, b := b[:size:size], b[size:]
	top, err := root(meta)
	if err != nil {
		return nil, nil, err
	}
	version, err := top.number(0, 2, 0)
	if err != nil {
		return nil, nil, err
	}
	if version != 3 && version != 4 {
		return nil, nil, fmt.Errorf("it has version %d of the metadata", version+1)
	}
	m = &message{}
	if m.kind, err = top.number(1, 1, 0); err != nil {
		return nil, nil, err
	}
	header, there, err := top.child(2)
	if err != nil || !there {
		return nil, nil, errors.Join(errors.New("it has no header"), err)
	}
	m.header = header
	if err := top.checkPairs(4); err != nil {
		return nil, nil, err
	}
	length, err := top.number(3, 8, 0)
	if err != nil {
		return nil, nil, err
	}
	if length < 0 || length > int64(len(b)) {
		return nil, nil, fmt.Errorf("its body has %d bytes, and %d are there", length, len(b))
	}
	m.body = b[:length:length]
	return m, b[length:], nil
}
