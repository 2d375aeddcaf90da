package jobstest

import (
	"context"
	"fmt"
	"io/fs"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Fake implements jobs.API in memory, for one process of an Environment.
type Fake struct {
	env      *Environment
	location string
	instance string
	creates  jobs.Creates
}

var (
	_ jobs.API       = (*Fake)(nil)
	_ jobs.Presence  = (*Fake)(nil)
	_ jobs.RunLinker = (*Fake)(nil)
)

// Environment returns the state that the process shares with others.
func (f *Fake) Environment() *Environment { return f.env }

// Instance is the process's id, for Environment.Kill.
func (f *Fake) Instance() string { return f.instance }

// Die kills this process, as Environment.Kill does.
func (f *Fake) Die() { f.env.Kill(f.instance) }

// RunURL implements jobs.RunLinker.
func (f *Fake) RunURL(runID string) string {
	f.env.mu.Lock()
	defer f.env.mu.Unlock()
	if f.env.Pages == nil {
		return ""
	}
	return f.env.Pages(runID)
}

// Store implements jobs.API.
func (f *Fake) Store(ctx context.Context, create bool) (jobs.StoreInfo, error) {
	return answer(ctx, f, "Store", []any{create}, func() (jobs.StoreInfo, error) {
		s, err := f.store()
		if err != nil && !create {
			return jobs.StoreInfo{}, err
		}
		if s == nil {
			s = f.env.create(f.location)
		}
		return jobs.StoreInfo{ID: s.ID, Location: f.location, RunnerAlive: f.env.RunnerAlive, Lytics: f.env.Lytics}, nil
	})
}

// Close implements jobs.API. It confirms the objects that the process created, except
// those of unanswered creates.
func (f *Fake) Close() error {
	unanswered, _ := f.creates.Unanswered()
	return f.Retire(context.Background(), f.instance, unanswered)
}

// Beat implements jobs.Presence. A process counts as alive until it retires or
// is killed: the fake has no leases.
func (f *Fake) Beat(ctx context.Context, instance string) error {
	return do(ctx, f, "Beat", []any{instance}, func() error {
		f.env.alive[instance] = true
		return nil
	})
}

// Retire implements jobs.Presence.
func (f *Fake) Retire(ctx context.Context, instance string, unanswered []string) error {
	return do(ctx, f, "Retire", []any{instance, unanswered}, func() error {
		delete(f.env.alive, instance)
		if s := f.env.Stores[f.location]; s != nil {
			for id, creator := range s.Creators {
				if creator == instance && !slices.Contains(unanswered, id) {
					s.Confirmed[id] = true
				}
			}
			for key, o := range s.Owners {
				if o.Creator == instance && !slices.Contains(unanswered, key) {
					o.Confirmed = true
					s.Owners[key] = o
				}
			}
		}
		return nil
	})
}

func (e *Environment) create(location string) *Store {
	e.Created++
	s := &Store{
		ID:             fmt.Sprintf("store-%d", e.Created),
		Authorizations: map[string]jobs.Authorization{},
		Tokens:         map[string]string{},
		Jobs:           map[string]jobs.Job{},
		Released:       map[string]jobs.Job{},
		Confirmed:      map[string]bool{},
		Creators:       map[string]string{},
		Logs:           map[string][]jobs.LogLine{},
		Phases:         map[string][]jobs.PhaseStart{},
		Versions:       map[string][]jobs.JobVersion{},
		Cursors:        map[string]int{},
		Events:         map[string]int{},
		Fields:         map[string]jobs.Field{},
		Mappings:       map[string]jobs.Mapping{},
		Audiences:      map[string]jobs.Audience{},
		Owners:         map[string]ObjectOwner{},
	}
	e.Stores[location] = s
	return s
}

// store returns the store that the process opened. The caller holds the lock.
func (f *Fake) store() (*Store, error) {
	if s := f.env.Stores[f.location]; s != nil {
		return s, nil
	}
	return nil, &jobs.Error{
		Code: jobs.CodeStore, Summary: "There is no store at " + f.location, Detail: "The directory does not exist.",
		Next: "Check the location", Err: fs.ErrNotExist,
	}
}

// answer executes one call under the lock, after Intercept.
func answer[T any](ctx context.Context, f *Fake, method string, args []any, run func() (T, error)) (T, error) {
	f.env.mu.Lock()
	defer f.env.mu.Unlock()
	if f.env.Intercept != nil {
		var result T
		if handled, err := f.env.Intercept(&Call{Context: ctx, Method: method, Args: args, Result: &result}); handled {
			return result, err
		}
	}
	return run()
}

// do is answer for a method that returns only an error.
func do(ctx context.Context, f *Fake, method string, args []any, run func() error) error {
	_, err := answer(ctx, f, method, args, func() (struct{}, error) { return struct{}{}, run() })
	return err
}

// read executes a call on an existing store.
func read[T any](ctx context.Context, f *Fake, method string, args []any, run func(s *Store) (T, error)) (T, error) {
	return answer(ctx, f, method, args, func() (T, error) {
		s, err := f.store()
		if err != nil {
			var none T
			return none, err
		}
		return run(s)
	})
}

// register executes a call that creates an object, and creates the store if
// there is none.
func register[T any](ctx context.Context, f *Fake, method string, args []any, run func(s *Store) (T, error)) (T, error) {
	return answer(ctx, f, method, args, func() (T, error) {
		s, err := f.store()
		if err != nil {
			s = f.env.create(f.location)
		}
		return run(s)
	})
}

// change is read for a method that returns only an error.
func change(ctx context.Context, f *Fake, method string, args []any, run func(s *Store) error) error {
	_, err := read(ctx, f, method, args, func(s *Store) (struct{}, error) { return struct{}{}, run(s) })
	return err
}

func missing(kind, id string) error {
	return &jobs.Error{
		Code:    jobs.CodeNotFound,
		Summary: fmt.Sprintf("No %s %s", kind, id),
		Detail:  "The store was read and does not have it.",
		Next:    "Check the id",
	}
}

func get[T any](m map[string]T, kind, id string) (T, error) {
	v, ok := m[id]
	if !ok {
		return v, missing(kind, id)
	}
	return v, nil
}

// newID returns consecutive ids: job-1, run-2.
func (s *Store) newID(kind string) string {
	s.created++
	return fmt.Sprintf("%s-%d", kind, s.created)
}
