package record

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
)

// Digest sums up rows, in their order and in any.
type Digest struct {
	rows      int64
	ordered   [sha256.Size]byte
	unordered [sha256.Size / 8]uint64
}

// Add digests a batch.
func (d *Digest) Add(batch arrow.RecordBatch) error {
	for i := range int(batch.NumRows()) {
		text, err := Row(batch, i)
		if err != nil {
			return fmt.Errorf("digest row %d: %w", d.rows, err)
		}
		d.rows++
		one := sha256.Sum256([]byte(text))
		d.ordered = sha256.Sum256(append(d.ordered[:], one[:]...))
		// A sum does not depend on the order, and counts what is there twice.
		for w := range d.unordered {
			d.unordered[w] += binary.BigEndian.Uint64(one[8*w:])
		}
	}
	return nil
}

// Rows is how many there were.
func (d *Digest) Rows() int64 { return d.rows }

// Ordered is the digest of the rows in their order; "" if there were none.
func (d *Digest) Ordered() string {
	if d.rows == 0 {
		return ""
	}
	return hex.EncodeToString(d.ordered[:16])
}

// Unordered is the digest of the rows in any order; "" if there were none.
func (d *Digest) Unordered() string {
	if d.rows == 0 {
		return ""
	}
	out := make([]byte, 0, sha256.Size)
	for _, w := range d.unordered {
		out = binary.BigEndian.AppendUint64(out, w)
	}
	return hex.EncodeToString(out[:16])
}
