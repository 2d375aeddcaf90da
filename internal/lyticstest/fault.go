package lyticstest

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// Fault is one misbehaviour of the server. A test sets one kind, or a Status
// together with AfterEffect.
type Fault struct {
	// Method and Path select requests: Path is a prefix of the escaped path. An
	// empty value selects all.
	Method, Path string
	// Query selects requests whose decoded query has this parameter, as "name=value".
	Query string
	// Skip is the number of selected requests that are answered normally first.
	// Times is the number of requests hit after them: 0 means 1, -1 means all.
	Skip, Times int

	// Status is answered as an error of the API.
	Status int
	// RetryAfter adds a Retry-After header, RetryAfterDate in the form of a date.
	RetryAfter     time.Duration
	RetryAfterDate bool
	// Foreign answers Status with HTML, as a proxy in between does.
	Foreign bool
	// AfterEffect executes the request before the fault.
	AfterEffect bool
	// Cut closes the connection without an answer, with Partly after a part of it.
	Cut, Partly bool
	// Garble answers 200 with HTML.
	Garble bool
	// Hold delays the answer until the channel is closed or the client gives up.
	// Held, if set, is closed when the delay begins.
	Hold <-chan struct{}
	Held chan<- struct{}

	// Reject rejects this many events of an upload, the last ones.
	Reject int
	// Lose drops this many events of an upload without counting them.
	Lose int
	// Expire refuses the page token of a scan.
	Expire bool
	// Back starts a page of a scan this many profiles early, as a changed order
	// does. Miss leaves this many profiles out of a page.
	Back, Miss int
	// Loop returns the page's own token, which gives the same page again.
	Loop bool
}

// Inject adds a fault.
func (s *Server) Inject(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// fault returns the fault for a request, or the zero Fault.
func (s *Server) fault(method, path string, query url.Values) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Method != "" && f.Method != method || !strings.HasPrefix(path, f.Path) {
			continue
		}
		if name, value, ok := strings.Cut(f.Query, "="); ok && query.Get(name) != value {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		hit := *f
		if f.Times == 0 {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return hit
	}
	return Fault{}
}
