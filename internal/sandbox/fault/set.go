package fault

import (
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
	s.active = append(s.active, &active{State: State{Fault: f}, pattern: match})
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
	s.active = nil
}

// Remove removes the fault with that id, if it is there.
func (s *Set) Remove(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.active)
	s.active = slices.DeleteFunc(s.active, func(a *active) bool { return a.ID == id })
	return len(s.active) < before
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
		hit, found = Hit{Fault: a.Fault, Remaining: remaining, Number: a.Hit}, true
	}
	return hit, found
}

func (a *active) matches(c Call) bool {
	if a.On != "*" && !slices.Contains(strings.Split(a.On, ","), c.Name) {
		return false
	}
	return a.Match == "" || a.pattern.MatchString(c.Text)
}
