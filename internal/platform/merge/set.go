package merge

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// set is the state of merge and capped on a set. It keeps the time at which each member
// was last seen, and the members seen last up to the capacity. As with keyed, the
// result does not depend on the order of the events: a member that was dropped returns
// only if it is seen later.
type set struct {
	rule Rule
	seen map[string]int64
}

func (s *set) put(member string, at int64) {
	old, ok := s.seen[member]
	if ok {
		if at > old {
			s.seen[member] = at
		}
		return
	}
	if s.seen == nil {
		s.seen = map[string]int64{}
	}
	s.seen[strings.Clone(member)] = at
	// Waiting until twice the capacity keeps the cost for each member small.
	if len(s.seen) > 2*s.rule.capacity+16 {
		s.dropExcess()
	}
}

// dropExcess drops all but the members seen last, up to the capacity. Of members with
// the same time it keeps the ones with the lesser text. It does not change Value.
func (s *set) dropExcess() {
	if len(s.seen) <= s.rule.capacity {
		return
	}
	members := make([]string, 0, len(s.seen))
	for m := range s.seen {
		members = append(members, m)
	}
	slices.SortFunc(members, func(a, b string) int {
		return cmp.Or(cmp.Compare(s.seen[b], s.seen[a]), cmp.Compare(a, b))
	})
	for _, m := range members[s.rule.capacity:] {
		delete(s.seen, m)
	}
}

func (s *set) Add(v value.Value, at Stamp) {
	for _, e := range v.List() {
		s.put(e.Text(), at.Micros)
	}
}

func (s *set) Merge(o State) {
	for m, at := range sameType(s, o).seen {
		s.put(m, at)
	}
}

func (s *set) Value(now time.Time) value.Value {
	s.dropExcess()
	cutoff := s.rule.cutoff(now)
	members := make([]value.Value, 0, len(s.seen))
	for m, at := range s.seen {
		if at >= cutoff {
			v, _ := s.rule.typ.Element.Convert(value.OfString(m))
			members = append(members, v)
		}
	}
	if len(members) == 0 {
		return value.Value{}
	}
	slices.SortFunc(members, value.Compare)
	return value.OfList(members)
}

func (s *set) AppendBinary(b []byte, _ *Stamps) []byte {
	s.dropExcess()
	b = binary.AppendUvarint(b, uint64(len(s.seen)))
	for m, at := range s.seen {
		b = binary.AppendVarint(value.AppendString(b, m), at)
	}
	return b
}

func (s *set) Read(r *value.Reader, _ []Stamp) {
	n := r.Count()
	s.seen = make(map[string]int64, n)
	for range n {
		m := r.String()
		s.seen[m] = r.Varint()
	}
}

func (s *set) AddStored(r *value.Reader, _ []Stamp) {
	for range r.Count() {
		m := r.String()
		s.put(m, r.Varint())
	}
}

func (s *set) Size() int { return 64 + 64*len(s.seen) }
