package merge

import (
	"encoding/binary"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// Stamps are the distinct stamps of one profile's states, which refer to them by index.
// The fields of most profiles come from few events, and an event's id is longer than
// most values.
type Stamps struct {
	list []Stamp
	// indexes holds the indexes of all stamps but the last few; nil as long as there
	// are no more than few.
	indexes map[Stamp]int
}

// few is the number of last stamps that are searched one by one.
const few = 8

// Reset removes all stamps.
func (s *Stamps) Reset() { s.list, s.indexes = s.list[:0], nil }

// appendReference appends the index of a stamp, and adds the stamp if it is new.
func (s *Stamps) appendReference(b []byte, at Stamp) []byte {
	return binary.AppendUvarint(b, uint64(s.index(at)))
}

func (s *Stamps) index(at Stamp) int {
	for i := len(s.list) - 1; i >= max(0, len(s.list)-few); i-- {
		if s.list[i] == at {
			return i
		}
	}
	if i, ok := s.indexes[at]; ok {
		return i
	}
	if len(s.list) >= few {
		if s.indexes == nil {
			s.indexes = map[Stamp]int{}
		}
		s.indexes[s.list[len(s.list)-few]] = len(s.list) - few
	}
	s.list = append(s.list, at)
	return len(s.list) - 1
}

// AppendBinary appends the form that ReadStamps reads.
func (s *Stamps) AppendBinary(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(s.list)))
	for _, at := range s.list {
		b = value.AppendString(binary.AppendVarint(b, at.Micros), at.ID)
	}
	return b
}

// ReadStamps appends the stamps of a profile to list.
func ReadStamps(r *value.Reader, list []Stamp) []Stamp {
	for range r.Count() {
		at := Stamp{Micros: r.Varint()}
		at.ID = r.String()
		list = append(list, at)
	}
	return list
}

// ReadTimes appends the stamps of a profile to list, without their ids.
func ReadTimes(r *value.Reader, list []Stamp) []Stamp {
	for range r.Count() {
		list = append(list, Stamp{Micros: r.Varint()})
		r.Bytes()
	}
	return list
}

// readReference reads the index of a stamp, and returns the stamp.
func readReference(r *value.Reader, stamps []Stamp) Stamp {
	i := r.Index(len(stamps))
	if i < 0 {
		return Stamp{}
	}
	return stamps[i]
}
