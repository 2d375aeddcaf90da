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

// identity is one value of an identifier field. Field is an index into
// mappingPlan.fields.
type identity struct {
	field int
	value string
}

func (i identity) compare(o identity) int {
	return cmp.Or(cmp.Compare(i.field, o.field), cmp.Compare(i.value, o.value))
}

// profile is one user: the joined identities, and the state of each field. A profile
// becomes a conflict when more identities are joined than buildLimits.identities. A
// conflict has neither identities nor states.
type profile struct {
	id         int64
	conflict   bool
	identities []identity
	states     []merge.State
	// size is the approximate memory of the profile in bytes.
	size int
}

// profileOverhead is the memory of a profile without states and identities.
const profileOverhead = 200

// The first byte of a stored profile. Profiles of formatVersion 1 had 0 in place
// of flagStamped.
const (
	flagConflict = 1
	flagStamped  = 2
)

// encoder encodes profiles for storage, and reuses its memory.
type encoder struct {
	state, states []byte
	stamps        merge.Stamps
}

// append appends the stored form of a profile.
func (e *encoder) append(b []byte, p *profile) []byte {
	if p.conflict {
		return append(b, flagConflict)
	}
	b = appendIdentities(b, p.identities)
	e.states = e.states[:0]
	e.stamps.Reset()
	for i, s := range p.states {
		if s != nil {
			e.state = s.AppendBinary(e.state[:0], &e.stamps)
			e.states = appendState(e.states, i, e.state)
		}
	}
	return append(e.stamps.AppendBinary(b), e.states...)
}

// appendIdentities appends the beginning of a stored profile that is no conflict. The
// stamps and the states follow.
func appendIdentities(b []byte, identities []identity) []byte {
	b = binary.AppendUvarint(append(b, flagStamped), uint64(len(identities)))
	for _, i := range identities {
		b = value.AppendString(binary.AppendVarint(b, int64(i.field)), i.value)
	}
	return b
}

// readProfile decodes a stored profile. Wanted selects the fields whose states are
// read; nil selects all.
func readProfile(blob []byte, fields []mappedField, wanted []bool) (*profile, error) {
	r := value.NewReader(blob)
	p := &profile{states: make([]merge.State, len(fields))}
	switch r.Byte() {
	case flagConflict:
		p.conflict = true
		return p, nil
	case flagStamped:
	default:
		return nil, value.ErrCorrupt
	}
	p.identities = make([]identity, r.Count())
	for i := range p.identities {
		p.identities[i] = identity{int(r.Varint()), r.String()}
	}
	stamps := merge.ReadStamps(r, nil)
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
		s.Read(state, stamps)
		if state.Err() != nil || !state.Done() {
			return nil, value.ErrCorrupt
		}
		p.states[i] = s
	}
	return p, r.Err()
}

// rowReader reads stored profiles: the values of the fields that a filter names, and the
// texts of those that are columns. It does not decode other fields.
type rowReader struct {
	fields []mappedField
	// filtered selects the fields of the filter, and columns are the indexes of the
	// columns; -1 is a column that is NULL.
	filtered []bool
	columns  []int
	now      time.Time

	// hasFilter means that there is a field of the filter, and readsIDs that a field's
	// state needs the ids of stamps; needsIDs says which.
	hasFilter, readsIDs bool
	needsIDs            []bool
	// states has the stored state of each field of the current profile; nil if the field
	// has no value.
	states [][]byte
	stamps []merge.Stamp

	profile, state value.Reader
}

func newRowReader(fields []mappedField, filtered []bool, columns []int, now time.Time) *rowReader {
	rr := &rowReader{
		fields: fields, filtered: filtered, columns: columns, now: now,
		states: make([][]byte, len(fields)), needsIDs: make([]bool, len(fields)),
	}
	for i := range fields {
		rr.hasFilter = rr.hasFilter || filtered[i]
		rr.needsIDs[i] = (filtered[i] || slices.Contains(columns, i)) && fields[i].rule.ReadsIDs()
		rr.readsIDs = rr.readsIDs || rr.needsIDs[i]
	}
	return rr
}

// read reads the values of the filter's fields into row, and NULL for the others. A
// conflict has no values.
func (rr *rowReader) read(blob []byte, row []value.Value) (conflict bool, err error) {
	if rr.hasFilter {
		clear(row)
	}
	clear(rr.states)
	r, text := &rr.profile, ""
	if rr.readsIDs {
		text = string(blob)
	}
	r.Reset(blob, text)
	switch r.Byte() {
	case flagConflict:
		return true, nil
	case flagStamped:
	default:
		return false, value.ErrCorrupt
	}
	for range r.Count() {
		r.Varint()
		r.Bytes()
	}
	if rr.readsIDs {
		rr.stamps = merge.ReadStamps(r, rr.stamps[:0])
	} else {
		rr.stamps = merge.ReadTimes(r, rr.stamps[:0])
	}
	for !r.Done() {
		i := r.Varint()
		state := r.Bytes()
		if r.Err() != nil || i < 0 || i >= int64(len(rr.fields)) {
			return false, value.ErrCorrupt
		}
		rr.states[i] = state
		if !rr.filtered[i] {
			continue
		}
		row[i] = rr.fields[i].rule.ReadValue(rr.stored(int(i)), rr.stamps, rr.now)
		if rr.state.Err() != nil || !rr.state.Done() {
			return false, value.ErrCorrupt
		}
	}
	return false, r.Err()
}

// stored returns a reader of a field's state. States that need ids have many strings,
// which are copied at once.
func (rr *rowReader) stored(field int) *value.Reader {
	text := ""
	if rr.needsIDs[field] {
		text = string(rr.states[field])
	}
	rr.state.Reset(rr.states[field], text)
	return &rr.state
}

// appendText appends the text of a column of the profile that read has read.
func (rr *rowReader) appendText(b []byte, column int) (text []byte, null bool, err error) {
	i := rr.columns[column]
	if i < 0 || rr.states[i] == nil {
		return b, true, nil
	}
	text, null = rr.fields[i].rule.AppendText(b, rr.stored(i), rr.stamps, rr.now)
	if rr.state.Err() != nil || !rr.state.Done() {
		return b, true, value.ErrCorrupt
	}
	return text, null, nil
}

// stateReader reads stored stamps and states into profiles, and reuses its memory.
type stateReader struct {
	reader value.Reader
	stamps []merge.Stamp
}

// add merges the stored states of an event.
func (sr *stateReader) add(p *profile, states []byte, text string, fields []mappedField) error {
	r := &sr.reader
	r.Reset(states, text)
	sr.stamps = merge.ReadStamps(r, sr.stamps[:0])
	for !r.Done() {
		i := r.Varint()
		length := r.Count()
		if r.Err() != nil || i < 0 || i >= int64(len(fields)) {
			return value.ErrCorrupt
		}
		s := p.states[i]
		if s == nil {
			s = fields[i].rule.New()
			p.states[i] = s
		}
		left := r.Left() - length
		if s.AddStored(r, sr.stamps); r.Err() != nil || r.Left() != left {
			return value.ErrCorrupt
		}
	}
	return r.Err()
}

// mergeFrom merges the states of another profile, which must not be used again.
func (p *profile) mergeFrom(o *profile) {
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

func (p *profile) computeSize() {
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

// identitiesOf appends the identities among an event's values. Blank text and
// placeholders are not identities.
func (pl *mappingPlan) identitiesOf(contributions []contribution, out []identity) []identity {
	from := len(out)
	add := func(field int, v value.Value) {
		text := v.Text()
		i := identity{field, text}
		if !pl.placeholders.identifiesNobody(text) && !slices.Contains(out[from:], i) {
			out = append(out, i)
		}
	}
	for _, c := range contributions {
		switch {
		case !pl.fields[c.field].IsIdentifier:
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

// clone copies the value. Without a copy, the identity would keep the event's whole
// line in memory.
func (i identity) clone() identity { return identity{i.field, strings.Clone(i.value)} }
