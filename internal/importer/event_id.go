package importer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// eventIDLength is the length of an id: 128 bits in hexadecimal.
const eventIDLength = 32

// eventIDs computes the ids of one generation.
type eventIDs struct {
	// input is the buffer that is hashed. Its first prefix bytes, the import's
	// key, are the same for every id.
	input      []byte
	prefix     int
	generation uint64
	// out are the ids computed since the last take, one after the other.
	out []byte
}

func newEventIDs(key string, generation int) *eventIDs {
	w := &eventIDs{generation: uint64(generation)} // #nosec G115 -- the bits are what is hashed
	w.input = appendText(nil, []byte(key))
	w.prefix = len(w.input)
	return w
}

// appendText writes the length of a text and the text, so that no two sequences
// of texts have the same bytes.
func appendText(b, text []byte) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(text))), text...)
}

func (w *eventIDs) append(micros int64, digest, tie []byte, occurrence int64) {
	b := appendText(w.input[:w.prefix], digest)
	if tie != nil {
		b = appendText(b, tie)
	}
	b = binary.BigEndian.AppendUint64(b, w.generation)
	b = binary.BigEndian.AppendUint64(b, uint64(micros))     // #nosec G115 -- the bits are what is hashed
	b = binary.BigEndian.AppendUint64(b, uint64(occurrence)) // #nosec G115 -- the bits are what is hashed
	w.input = b
	sum := sha256.Sum256(b)
	w.out = hex.AppendEncode(w.out, sum[:eventIDLength/2])
}

// appendChange appends the id of a row that was added, or of a key that lost a row,
// after a version of the table. How often the row was there before is not known, so
// that the version tells it from earlier events of an identical row. The time of its
// commit, where it is known, tells the version from that of another table of the name.
func (w *eventIDs) appendChange(kind string, base changeRange, micros int64, digest, tie []byte, occurrence int64) {
	b := appendText(w.input[:w.prefix], digest)
	if tie != nil {
		b = appendText(b, tie)
	}
	b = appendText(b, []byte(kind))
	if base.committedAt != 0 { // an earlier release did not keep the time: its ids stay as they are
		b = binary.BigEndian.AppendUint64(b, uint64(base.committedAt)) // #nosec G115 -- the bits are what is hashed
	}
	for _, n := range []int64{base.after, micros, occurrence} {
		b = binary.BigEndian.AppendUint64(b, uint64(n)) // #nosec G115 -- the bits are what is hashed
	}
	w.input = binary.BigEndian.AppendUint64(b, w.generation)
	sum := sha256.Sum256(w.input)
	w.out = hex.AppendEncode(w.out, sum[:eventIDLength/2])
}

// take returns the ids that were computed since its last call, concatenated.
func (w *eventIDs) take() string {
	text := string(w.out)
	w.out = w.out[:0]
	return text
}
