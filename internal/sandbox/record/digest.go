package record

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
)

// Digest computes two digests of rows: one that depends on their order, and one
// that does not.
type Digest struct {
	rows      int64
	ordered   [sha256.Size]byte
	unordered [sha256.Size / 8]uint64
}

// Add adds the rows of a batch.
func (d *Digest) Add(batch arrow.RecordBatch) error {
	for i := range int(batch.NumRows()) {
		text, err := Row(batch, i)
		if err != nil {
			return fmt.Errorf("digest row %d: %w", d.rows, err)
		}
		d.rows++
		one := sha256.Sum256([]byte(text))
		d.ordered = sha256.Sum256(append(d.ordered[:], one[:]...))
		// A sum does not depend on the order, but does depend on how often a row occurs.
		for w := range d.unordered {
			d.unordered[w] += binary.BigEndian.Uint64(one[8*w:])
		}
	}
	return nil
}

// Rows returns the number of rows.
func (d *Digest) Rows() int64 { return d.rows }

// Ordered returns the digest that depends on the order; "" without rows.
func (d *Digest) Ordered() string {
	if d.rows == 0 {
		return ""
	}
	return hex.EncodeToString(d.ordered[:16])
}

// Unordered returns the digest that does not depend on the order; "" without rows.
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
