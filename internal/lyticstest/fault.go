package lyticstest

import (
	"slices"
	"strings"
	"time"
)

// Fault is one misbehaviour. One of the kinds below is set, or two where that
// makes sense: a status with AfterEffect takes effect and answers the status.
type Fault struct {
	// Method and Path choose the requests; Path is how the escaped path begins.
	// Empty is any.
	Method, Path string
	// Skip lets so many of them pass; Times is how many are hit, 1 for 0 and all
	// for -1.
	Skip, Times int

	// Status is answered with the API's own error.
	Status     int
	RetryAfter time.Duration
	// RetryAfterDate writes RetryAfter as a date.
	RetryAfterDate bool
	// Foreign answers the status as a proxy does, not the API.
	Foreign bool
	// AfterEffect lets the request take effect first.
	AfterEffect bool
	// Cut closes the connection without an answer; with Partly in its midst.
	Cut, Partly bool
	// Garble answers 200 with what is no JSON.
	Garble bool
	// Hold keeps the answer until it is closed or the client gives up; Held is
	// closed, if set, when that begins.
	Hold <-chan struct{}
	Held chan<- struct{}

	// Reject lets so many events of an upload be rejected, the last ones.
	Reject int
	// Lose takes so many events of an upload without counting or storing them.
	Lose int
	// Expire refuses the token of a scan.
	Expire bool
	// Back begins a page of a scan so many profiles earlier, as when the order
	// changes; Miss leaves so many out; Loop gives the same token again.
	Back, Miss int
	Loop       bool
}

// Inject adds a misbehaviour.
func (s *Server) Inject(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// fault gives the misbehaviour for a request, or an empty one.
func (s *Server) fault(method, path string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Method != "" && f.Method != method || !strings.HasPrefix(path, f.Path) {
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
