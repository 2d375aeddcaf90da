package embedded_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// The lines of events are the events, whatever is in them and wherever a line ends in the
// buffer of the reader.
func TestTheLinesOfEvents(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		n := 0
		var events []jobs.Event
		add := func(id string, at time.Time, data string) { events = append(events, event(id, at, data)) }
		for _, id := range []string{"plain", `quote"`, `slash\`, "\\\"", "é", "<&>", "\u2028\x00", "\xff", `","time":"`, strings.Repeat("x", 300)} {
			for _, at := range []time.Time{
				day0, day0.Add(time.Microsecond), day0.Add(10 * time.Microsecond), day0.Add(100 * time.Millisecond), day0.Add(120_300 * time.Microsecond),
				time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(0, 2, 29, 0, 0, 0, 0, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
				time.Date(2000, 2, 29, 12, 0, 0, 1000, time.UTC), time.Date(1900, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
			} {
				add(id, at, `{"a":"`+strings.Repeat("b", n*n%997)+`","c":[1.10,"}\n","2024-01-01T00:00:00.000000Z"]}`)
				n++
			}
		}
		b.mustAppend(t, "s", events)
		events = nil
		for i := range 12 { // lines that are shorter and longer than a buffer
			add(fmt.Sprint(i), day0, `{"long":"`+strings.Repeat("c", i*61_000)+`"}`)
			for j := range 40 {
				add(fmt.Sprintf("%d-%d", i, j), day0.Add(time.Duration(j)*time.Second), `{ "spaces" : [ ] }`)
			}
		}
		b.mustAppend(t, "s", events)
		b.mustAppend(t, "s", customerEvents(0, 3000))
		if got, want := len(b.stored(t, "s")), n+len(events)+3000; got != want {
			t.Errorf("%d events, want %d", got, want)
		}
		for lines, err := range b.EventLines(t.Context(), "s") {
			if err != nil || len(lines) == 0 || lines[len(lines)-1] != '\n' {
				t.Errorf("%d bytes, %v", len(lines), err)
			}
			break // nothing is read on
		}
		if err := linesError(t.Context(), b, "none"); !jobs.IsCode(err, jobs.CodeNotFound) {
			t.Errorf("a stream that does not exist: got %v", err)
		}
	})
}

// Lines come in order and whole, without a checksum of a byte that changed in the middle of
// an extent: the events before it may be given, those at the end are not.
func TestTheLinesOfADamagedStreamEnd(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		b.mustAppend(t, "s", customerEvents(0, 2000))
		for segment, content := range t.segments() {
			content[len(content)/2] ^= 1
			t.replaceSegment(segment, content)
		}
		given := 0
		var failed error
		for lines, err := range b.EventLines(t.Context(), "s") {
			given += strings.Count(string(lines), "\n")
			failed = err
		}
		if given >= 2000 || !jobs.IsCode(failed, jobs.CodeStore) {
			t.Errorf("%d events of 2000, and %v", given, failed)
		}
	})
}
