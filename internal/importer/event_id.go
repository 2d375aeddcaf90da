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

// take returns the ids that were computed since its last call, concatenated.
func (w *eventIDs) take() string {
	text := string(w.out)
	w.out = w.out[:0]
	return text
}
