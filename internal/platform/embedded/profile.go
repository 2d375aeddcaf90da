package embedded

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/merge"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// identity is one value of an identifier field.
type identity struct {
	field int
	value string
}

func (i identity) compare(o identity) int {
	return cmp.Or(cmp.Compare(i.field, o.field), cmp.Compare(i.value, o.value))
}

// profile is one user: the identities that are joined, and the state of each
// field. A conflict is what was a profile until more identities were joined
// than one user has; it keeps neither.
type profile struct {
	id         int64
	conflict   bool
	identities []identity
	states     []merge.State
	// size is the memory it takes, about.
	size int
}

// profileOverhead is what a profile takes besides states and identities.
const profileOverhead = 200

// The flags of a stored profile.
const flagConflict = 1

// appendBinary appends the stored form; scratch is memory to use again.
func (p *profile) appendBinary(b []byte, scratch *[]byte) []byte {
	if p.conflict {
		return append(b, flagConflict)
	}
	b = binary.AppendUvarint(append(b, 0), uint64(len(p.identities)))
	for _, i := range p.identities {
		b = value.AppendString(binary.AppendVarint(b, int64(i.field)), i.value)
	}
	for i, s := range p.states {
		if s != nil {
			*scratch = s.AppendBinary((*scratch)[:0])
			b = binary.AppendVarint(b, int64(i))
			b = append(binary.AppendUvarint(b, uint64(len(*scratch))), *scratch...)
		}
	}
	return b
}

// readProfile takes a stored profile apart. Wanted chooses the fields whose
// states are read; nil reads all.
func readProfile(blob []byte, fields []mappedField, wanted []bool) (*profile, error) {
	r := value.NewReader(blob)
	p := &profile{states: make([]merge.State, len(fields))}
	if r.Byte() == flagConflict {
		p.conflict = true
		return p, r.Err()
	}
	p.identities = make([]identity, r.Count())
	for i := range p.identities {
		p.identities[i] = identity{int(r.Varint()), r.String()}
	}
	for !r.Done() {
		i := r.Varint()
		state := value.NewReader(r.Bytes())
		if r.Err() != nil || i < 0 || i >= int64(len(fields)) {
			return nil, value.ErrCorrupt
		}
		if wanted != nil && !wanted[i] {
			continue
		}
		s := fields[i].rule.New()
		s.Read(state)
		if state.Err() != nil || !state.Done() {
			return nil, value.ErrCorrupt
		}
		p.states[i] = s
	}
	return p, r.Err()
}

// readRow reads the values of a stored profile's wanted fields into row, NULL
// for the others. Values may share memory with each other. A conflict has none.
func readRow(blob []byte, fields []mappedField, wanted []bool, now time.Time, row []value.Value) (conflict bool, err error) {
	clear(row)
	r := value.NewRowReader(blob)
	if r.Byte() == flagConflict {
		return true, r.Err()
	}
	for range r.Count() {
		r.Varint()
		r.Bytes()
	}
	for !r.Done() {
		i := r.Varint()
		length := r.Count()
		if r.Err() != nil || i < 0 || i >= int64(len(fields)) {
			return false, value.ErrCorrupt
		}
		if !wanted[i] {
			r.Skip(length)
			continue
		}
		left := r.Left() - length
		row[i] = fields[i].rule.ReadValue(r, now)
		if r.Err() != nil || r.Left() != left {
			return false, value.ErrCorrupt
		}
	}
	return false, r.Err()
}

// add merges a value of an event.
func (p *profile) add(c contribution, fields []mappedField, at merge.Stamp) {
	s := p.states[c.field]
	if s == nil {
		s = fields[c.field].rule.New()
		p.states[c.field] = s
	}
	s.Add(c.v, at)
}

// absorb takes in the states of another profile, which is not used again.
func (p *profile) absorb(o *profile) {
	for i, s := range o.states {
		if s == nil {
			continue
		}
		if p.states[i] == nil {
			p.states[i] = s
			continue
		}
		p.states[i].Merge(s)
	}
}

func (p *profile) measure() {
	p.size = profileOverhead
	for _, i := range p.identities {
		p.size += 48 + len(i.value)
	}
	for _, s := range p.states {
		if s != nil {
			p.size += s.Size()
		}
	}
}

// identitiesOf appends the identities that an event's values are. Empty text
// identifies nobody.
func identitiesOf(contributions []contribution, fields []mappedField, out []identity) []identity {
	from := len(out)
	add := func(field int, v value.Value) {
		text := v.Text()
		i := identity{field, text}
		if text != "" && !slices.Contains(out[from:], i) {
			out = append(out, i)
		}
	}
	for _, c := range contributions {
		switch {
		case !fields[c.field].IsIdentifier:
		case c.v.Kind() == value.List:
			for _, e := range c.v.List() {
				add(c.field, e)
			}
		default:
			add(c.field, c.v)
		}
	}
	return out
}

// clone copies the text out of the event's line.
func (i identity) clone() identity { return identity{i.field, strings.Clone(i.value)} }
