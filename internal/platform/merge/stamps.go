package merge

import (
	"encoding/binary"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// Stamps are the different stamps in one profile's states, which refer to them
// by number: most profiles' fields come from few events, and an event's id is
// longer than most values.
type Stamps struct {
	list []Stamp
	// places are those of all but a few stamps; nil as long as there are few.
	places map[Stamp]int
}

// few is the number of newest stamps that are searched one by one.
const few = 8

// Reset forgets all stamps.
func (s *Stamps) Reset() { s.list, s.places = s.list[:0], nil }

// appendReference appends the number of a stamp.
func (s *Stamps) appendReference(b []byte, at Stamp) []byte {
	return binary.AppendUvarint(b, uint64(s.place(at)))
}

func (s *Stamps) place(at Stamp) int {
	for i := len(s.list) - 1; i >= max(0, len(s.list)-few); i-- {
		if s.list[i] == at {
			return i
		}
	}
	if i, ok := s.places[at]; ok {
		return i
	}
	if len(s.list) >= few {
		if s.places == nil {
			s.places = map[Stamp]int{}
		}
		s.places[s.list[len(s.list)-few]] = len(s.list) - few
	}
	s.list = append(s.list, at)
	return len(s.list) - 1
}

// AppendBinary appends a form that ReadStamps reads.
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

// readReference reads the number of a stamp, and gives the stamp.
func readReference(r *value.Reader, stamps []Stamp) Stamp {
	i := r.Index(len(stamps))
	if i < 0 {
		return Stamp{}
	}
	return stamps[i]
}
