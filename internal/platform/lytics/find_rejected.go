package lytics

import (
	"context"
	"fmt"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// maxDryRuns is the largest number of dry runs for one upload. One rejected event
// of 50,000 is found with 17.
const maxDryRuns = 400

// span is the events of a sending from first to last, without last, and how many
// of them Lytics rejected.
type span struct {
	first, last int
	rejected    int64
}

// findRejected returns which events of an upload Lytics rejected. Lytics only
// counts them, so they are found by dry runs of halves. The accepted events are in
// the stream and are never sent again, except in a dry run.
//
// If a dry run fails, contradicts the upload or an earlier dry run, or if maxDryRuns
// is reached, the result has ranges of events, and how many of them were rejected.
func (p *Platform) findRejected(ctx context.Context, stream string, u upload, s *sending, rejected int64) []jobs.RejectedEvent {
	f := &rejectedSearch{p: p, stream: stream, sending: s, runsLeft: maxDryRuns}
	all := span{u.first, u.last, rejected}
	if all.isAll() {
		f.addEach(all)
		return f.found
	}
	if n, ok := f.dryRun(ctx, all.first, all.last); !ok || n != rejected {
		f.addRange(all)
		return f.found
	}
	// The halves of one size come before smaller ones: if the search ends early, the
	// ranges that remain are as short as possible.
	for queue := []span{all}; len(queue) > 0; queue = queue[1:] {
		one := queue[0]
		switch {
		case one.rejected == 0:
			continue
		case one.isAll():
			f.addEach(one)
			continue
		}
		middle := one.first + (one.last-one.first)/2
		n, ok := f.dryRun(ctx, one.first, middle)
		left, right := span{one.first, middle, n}, span{middle, one.last, one.rejected - n}
		if !ok || !left.isPossible() || !right.isPossible() {
			f.addRange(one)
			continue
		}
		queue = append(queue, left, right)
	}
	return f.found
}

// rejectedSearch is the state of findRejected.
type rejectedSearch struct {
	p        *Platform
	stream   string
	sending  *sending
	runsLeft int
	found    []jobs.RejectedEvent
}

// addEach adds every event of a span.
func (f *rejectedSearch) addEach(s span) {
	for _, e := range f.sending.events[s.first:s.last] {
		f.found = append(
			f.found,
			jobs.RejectedEvent{Event: e, Reason: "Lytics rejected the event and gives no reason", Bytes: int64(len(e.Data))},
		)
	}
}

// addRange adds a span whose rejected events cannot be told from the others.
func (f *rejectedSearch) addRange(s span) {
	first, last := f.sending.events[s.first], f.sending.events[s.last-1]
	first.Data = nil
	f.found = append(f.found, jobs.RejectedEvent{
		Event:  first,
		Reason: fmt.Sprintf("Lytics rejected %d of these %d events, and its dry runs do not tell which", s.rejected, s.last-s.first),
		Among:  &jobs.EventRange{LastID: last.ID, LastTime: last.Time, Events: int64(s.last - s.first), Rejected: s.rejected},
	})
}

// dryRun asks how many events Lytics rejects. It reports false if there is no
// answer, or if the answer does not say that it was a dry run: the search then ends,
// and the events count as possibly duplicated.
func (f *rejectedSearch) dryRun(ctx context.Context, first, last int) (rejected int64, ok bool) {
	if f.runsLeft == 0 {
		return 0, false
	}
	f.runsLeft--
	text, err := body(f.stream, f.sending.events[first:last], f.p.format)
	if err != nil {
		f.runsLeft = 0
		return 0, false
	}
	c := f.p.collectCall(f.stream, text)
	c.query.Set("dryrun", "true")
	answer, err := f.p.do(ctx, c)
	if err != nil {
		f.runsLeft = 0
		return 0, false
	}
	if gjson.GetBytes(answer, "data.dryrun").Type != gjson.True {
		f.runsLeft = 0
		f.sending.repeat(upload{first: first, last: last})
		return 0, false
	}
	rejected, ok = count(gjson.GetBytes(answer, "data.rejected_count"))
	if !ok {
		f.runsLeft = 0
	}
	return rejected, ok
}

// isAll reports whether all events of the span were rejected.
func (s span) isAll() bool { return s.rejected == int64(s.last-s.first) }

// isPossible reports whether the number of rejected events fits the span.
func (s span) isPossible() bool { return s.rejected >= 0 && s.rejected <= int64(s.last-s.first) }
