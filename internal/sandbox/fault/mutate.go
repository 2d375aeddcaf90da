package fault

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
)

// Mutate returns a changed copy of the answer that the fault hits.
func (h Hit) Mutate(answer []byte) []byte {
	r := rand.New(rand.NewPCG(uint64(h.Seed), uint64(h.Number))) // #nosec G404,G115 -- repeatable changes, not secrets
	out := bytes.Clone(answer)
	if len(out) == 0 {
		return out
	}
	switch h.Form {
	case "truncated":
		return out[:r.IntN(len(out))]
	case "types":
		return unknownTypes(out)
	}
	for range 1 + r.IntN(4) {
		out = change(r, out)
	}
	return out
}

// unknownTypes gives the union of each type descriptor a member that does not exist.
// Clients that read the first member without a check then fail.
func unknownTypes(answer []byte) []byte {
	// TTypeDesc: field 1 is a list of one TTypeEntry, whose field 1 is the primitive type,
	// whose field 1 is its id, an i32.
	entry := []byte{15, 0, 1, 12, 0, 0, 0, 1, 12, 0, 1, 8, 0, 1}
	unknown := bytes.Clone(entry)
	unknown[10] = 99
	return bytes.ReplaceAll(answer, entry, unknown)
}

// extremes are values of lengths, counts and offsets at which checks fail.
var extremes = []uint64{0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 47, 1<<63 - 1, 1 << 63, 1<<64 - 1}

// change makes one change. Half of the changes are near the answer's beginning or end,
// where its structure is, since most of a large answer is values.
func change(r *rand.Rand, b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	at := r.IntN(len(b))
	switch r.IntN(4) {
	case 0:
		at = r.IntN(min(len(b), 2048))
	case 1:
		at = len(b) - 1 - r.IntN(min(len(b), 256))
	}
	span := min(1+r.IntN(16), len(b)-at)
	switch r.IntN(8) {
	case 0, 1:
		b[at] ^= 1 << r.IntN(8)
	case 2:
		b[at] = byte(r.IntN(256)) // #nosec G115 -- below 256
	case 3, 4:
		copy(b[at:], extreme(r))
	case 5:
		b = append(b[:at], b[at+span:]...)
	case 6:
		b = bytes.Join([][]byte{b[:at+span], b[at : at+span], b[at+span:]}, nil)
	default:
		b = b[:at]
	}
	return b
}

// extreme returns an extreme value of 1, 2, 4 or 8 bytes, as Thrift (big-endian) or
// Arrow (little-endian) writes it.
func extreme(r *rand.Rand) []byte {
	size := 1 << r.IntN(4)
	v := extremes[r.IntN(len(extremes))]
	if r.IntN(2) == 0 {
		return binary.LittleEndian.AppendUint64(nil, v)[:size]
	}
	return binary.BigEndian.AppendUint64(nil, v)[8-size:]
}
