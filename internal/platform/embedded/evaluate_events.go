package embedded

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/merge"
)

// evaluation is what the mappings make of the events of a chunk.
type evaluation struct {
	// events are the events that identify a user who was not erased.
	events []evaluatedEvent
	// identities are the identities of all events, one event after the other.
	identities []identity
	// states are the stored forms of the states of all events, one event after the
	// other: the stamps, and the state of each field that the event has a value for,
	// as encoder.append writes them.
	states []byte
	// text is a copy of states; see statesOf.
	text string
	// taken and bytes are the number and the size of all events.
	taken, bytes int
	// unfit and unidentified are added to the counters.
	unfit, unidentified int64
}

// evaluatedEvent are the ends of an event's identities and states.
type evaluatedEvent struct {
	identitiesFrom, identitiesTo int
	statesFrom, statesTo         int
}

// identitiesOf returns the identities of an event.
func (e *evaluation) identitiesOf(n int) []identity {
	x := &e.events[n]
	return e.identities[x.identitiesFrom:x.identitiesTo]
}

// encodedStates returns the stored states of an event.
func (e *evaluation) encodedStates(n int) []byte {
	return e.states[e.events[n].statesFrom:e.events[n].statesTo]
}

// statesOf returns the stored states of an event, as bytes and as a text.
func (e *evaluation) statesOf(n int) ([]byte, string) {
	if e.text == "" {
		e.text = string(e.states)
	}
	x := &e.events[n]
	return e.states[x.statesFrom:x.statesTo], e.text[x.statesFrom:x.statesTo]
}

// evaluator evaluates events in one goroutine.
type evaluator struct {
	plan   *mappingPlan
	stream *streamMappings
	erased *erasedList
	// damage is Platform.damageError.
	damage func(summary, detail string) error

	scratch       evaluation
	contributions []contribution
	stamps        merge.Stamps
	state, states []byte
}

// evaluate evaluates the events of a chunk. It fails if one of its lines is no event.
func (v *evaluator) evaluate(c *chunk) error {
	e := &v.scratch
	*e = evaluation{events: e.events[:0], identities: e.identities[:0], states: e.states[:0]}
	from := 0
	for _, end := range c.ends {
		event, ok := parseLine(c.lines[from:end])
		if !ok {
			return v.damage("Stream "+v.stream.name+" is damaged",
				fmt.Sprintf("one of the %d lines before %s is no event", len(c.ends), c.place))
		}
		from = end
		v.add(e, event)
	}
	c.evaluated = *e
	c.evaluated.events, c.evaluated.identities = slices.Clone(e.events), slices.Clone(e.identities)
	c.evaluated.states = slices.Clone(e.states)
	clear(e.identities)
	return nil
}

func (v *evaluator) add(e *evaluation, event rawEvent) {
	e.taken++
	e.bytes += len(event.data) + len(event.id)
	var unfit int64
	v.contributions, unfit = v.stream.evaluate(event.data, event.micros, v.plan.fields, v.contributions[:0])
	e.unfit += unfit
	known, states := len(e.identities), len(e.states)
	e.identities = v.plan.identitiesOf(v.contributions, e.identities)
	identities := e.identities[known:]
	if len(identities) == 0 {
		e.unidentified++
	}
	if len(identities) == 0 || v.erased.has(v.plan.fields, identities) {
		e.identities = e.identities[:known]
		return
	}
	e.states = v.appendStates(e.states, merge.Stamp{Micros: event.micros, ID: event.id})
	e.events = append(e.events, evaluatedEvent{known, len(e.identities), states, len(e.states)})
}

// appendStates appends the stored form of the states of a profile that has only the
// current contributions.
func (v *evaluator) appendStates(b []byte, at merge.Stamp) []byte {
	v.states = v.states[:0]
	v.stamps.Reset()
	for rest := v.contributions; len(rest) > 0; {
		same := 1
		for same < len(rest) && rest[same].field == rest[0].field {
			same++
		}
		field := rest[0].field
		rule := &v.plan.fields[field].rule
		if same == 1 {
			v.state = rule.AppendFirst(v.state[:0], rest[0].v, at, &v.stamps)
		} else {
			s := rule.New()
			for _, c := range rest[:same] {
				s.Add(c.v, at)
			}
			v.state = s.AppendBinary(v.state[:0], &v.stamps)
		}
		v.states = appendState(v.states, field, v.state)
		rest = rest[same:]
	}
	return append(v.stamps.AppendBinary(b), v.states...)
}

// appendState appends the stored form of a field's state.
func appendState(b []byte, field int, state []byte) []byte {
	b = binary.AppendUvarint(binary.AppendVarint(b, int64(field)), uint64(len(state)))
	return append(b, state...)
}
