package fault

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Call is a call that a fault may hit.
type Call struct {
	// Name is the RPC or S3 operation.
	Name string
	// Text is the statement, or the S3 key.
	Text string
}

// State is a fault with its counters.
type State struct {
	Fault
	// Seen counts the matching calls; Hit counts the calls that the fault hit.
	Seen int `json:"seen"`
	Hit  int `json:"hit"`
}

// Set holds the faults in force. The zero value is an empty set.
type Set struct {
	mu     sync.Mutex
	nextID int
	active []*active
}

type active struct {
	State
	pattern *regexp.Regexp
	// until is when a cold start ends; zero before its first call.
	until time.Time
	// removed is closed when the fault is removed.
	removed chan struct{}
}

// Add puts a fault in force and returns it with its id and defaults.
func (s *Set) Add(f Fault) (Fault, error) {
	if err := f.check(); err != nil {
		return Fault{}, err
	}
	match, err := regexp.Compile(f.Match)
	if err != nil {
		return Fault{}, fmt.Errorf("fault %s: match: %w", f.Kind, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f = f.withDefaults()
	s.nextID++
	f.ID = strconv.Itoa(s.nextID)
	s.active = append(s.active, &active{State: State{Fault: f}, pattern: match, removed: make(chan struct{})})
	return f, nil
}

// Replace puts exactly these faults in force, or none of them if one is wrong.
func (s *Set) Replace(faults []Fault) ([]Fault, error) {
	for _, f := range faults {
		if err := f.check(); err != nil {
			return nil, err
		}
	}
	s.Clear()
	out := make([]Fault, 0, len(faults))
	for _, f := range faults {
		added, err := s.Add(f)
		if err != nil {
			return nil, err
		}
		out = append(out, added)
	}
	return out, nil
}

// Clear removes all faults.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.active {
		close(a.removed)
	}
	s.active = nil
}

// Remove removes the fault with that id, if it is there.
func (s *Set) Remove(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.active, func(a *active) bool { return a.ID == id })
	if i < 0 {
		return false
	}
	close(s.active[i].removed)
	s.active = slices.Delete(s.active, i, i+1)
	return true
}

// List returns the faults in force, including those that will hit no more calls.
func (s *Set) List() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]State, 0, len(s.active))
	for _, a := range s.active {
		out = append(out, a.State)
	}
	return out
}

// Hit is a fault that hits a call.
type Hit struct {
	Fault
	// Remaining is the time until a cold start ends.
	Remaining time.Duration
	// Number counts the hits of the fault from 1.
	Number int

	removed <-chan struct{}
}

// Wait waits for the delay of a slow answer. It ends earlier when the fault is removed; its
// error is that of a context which ends before.
func (h Hit) Wait(ctx context.Context) error {
	timer := time.NewTimer(time.Duration(h.Delay))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-h.removed:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// Trigger counts a call against the faults of the given kinds, and returns the
// oldest fault that hits it. A call is hit by at most one of them.
func (s *Set) Trigger(c Call, kinds ...Kind) (Hit, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var hit Hit
	found := false
	now := time.Now()
	for _, a := range s.active {
		if !slices.Contains(kinds, a.Kind) {
			continue
		}
		if a.Kind == ColdStart && a.until.IsZero() {
			// The warehouse starts when it receives its first call.
			a.until = now.Add(time.Duration(a.Seconds * float64(time.Second)))
		}
		if !a.matches(c) {
			continue
		}
		remaining := a.until.Sub(now)
		if a.Kind == ColdStart && remaining <= 0 {
			continue
		}
		a.Seen++
		if found || a.Seen <= a.After || (a.Times >= 0 && a.Hit >= a.Times) {
			continue
		}
		a.Hit++
		hit, found = Hit{Fault: a.Fault, Remaining: remaining, Number: a.Hit, removed: a.removed}, true
	}
	return hit, found
}

func (a *active) matches(c Call) bool {
	if a.On != "*" && !slices.Contains(strings.Split(a.On, ","), c.Name) {
		return false
	}
	return a.Match == "" || a.pattern.MatchString(c.Text)
}
