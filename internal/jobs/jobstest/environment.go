package jobstest

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Environment is what outlives the processes of a test: the stores, by their
// location, and the warehouse that their authorizations reach. A test sets the
// fields before the first call, and later within Change.
type Environment struct {
	mu sync.Mutex

	// Stores holds each store under its location, such as a data directory.
	Stores map[string]*Store
	// Created counts the stores that were created.
	Created int
	// Rows is how many rows each table of the warehouse has. A run of an import
	// reads those after its cursor.
	Rows map[jobs.TableName]int
	// Token is the only one that the warehouse accepts; empty accepts all.
	Token string
	// SentTokens are the tokens that authorizations were given, in order.
	SentTokens []string
	// SecretsUnreadable makes every stored secret unreadable.
	SecretsUnreadable bool
	// Profiles are those of every audience.
	Profiles []jobs.Profile
	// RunnerAlive is what Store answers.
	RunnerAlive bool
	// RunError fails runs, after half of their rows.
	RunError *jobs.Error
	// RunsHang makes WaitRun block until its context ends.
	RunsHang bool
	// OnHang, if set, is called when a WaitRun begins to block.
	OnHang func()
	// RunsAdvanceOnRead moves an active run one status further at each Run, as a
	// runner would that executes it meanwhile. Without it, only WaitRun executes.
	RunsAdvanceOnRead bool
	// Pages, if set, gives the address of a run's page.
	Pages func(runID string) string
	// Intercept, if set, is asked at each call before the fake answers. When
	// handled is true the call gives err, and what Intercept stored in Result.
	// Calls wait for each other in it, so it makes none itself.
	Intercept func(c *Call) (handled bool, err error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	alive map[string]bool
}

// Call is one call of a method of jobs.API or jobs.Presence.
type Call struct {
	// Context is what the method was called with.
	Context context.Context
	Method  string
	// Args are the arguments without the context and without functions.
	Args []any
	// Result points to what the method gives beside its error: *jobs.Job,
	// *[]jobs.Event for Events, *ScanResult for Scan, *struct{} for nothing.
	Result any
}

// ScanResult is what Scan gives.
type ScanResult struct {
	Fields []jobs.Field
	Rows   [][]jobs.Value
}

// Store is what one store holds. Maps are by the object's id.
type Store struct {
	ID             string
	Authorizations map[string]jobs.Authorization
	// Tokens holds tokens and client secrets by the authorization's id.
	Tokens map[string]string
	Jobs   map[string]jobs.Job
	// Confirmed has the ids of objects that a state file is known to hold.
	Confirmed map[string]bool
	// Creators has the process that created an object, by the object's id.
	Creators map[string]string
	// Runs are all runs, the oldest first.
	Runs []jobs.Run
	Logs map[string][]jobs.LogLine
	// Cursors counts the rows that were read, by the import's key, and Events
	// those in a stream, by the stream's name. Both outlive the job.
	Cursors   map[string]int
	Events    map[string]int
	Fields    map[string]jobs.Field
	Mappings  map[string]jobs.Mapping
	Audiences map[string]jobs.Audience

	created int
}

// NewEnvironment makes one without stores, whose warehouse has 100 rows in
// main.sales.customers.
func NewEnvironment() *Environment {
	return &Environment{
		Stores: map[string]*Store{}, alive: map[string]bool{},
		Rows: map[jobs.TableName]int{{Catalog: "main", Database: "sales", Table: "customers"}: 100},
	}
}

// Open opens the store at a location as a new process. The store is created by
// the first call that registers something, or by Fake.Store.
func (e *Environment) Open(location string) *Fake {
	f := &Fake{env: e, location: location, instance: "in_" + uuid.NewString()}
	e.Change(func() { e.alive[f.instance] = true })
	return f
}

// New opens a store that exists, alone in an environment of its own.
func New() *Fake {
	e := NewEnvironment()
	f := e.Open("memory")
	e.Change(func() { e.create(f.location) })
	return f
}

// Change runs f while no call is under way.
func (e *Environment) Change(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
}

// Only gives the one store there is, or nil.
func (e *Environment) Only() *Store {
	for _, s := range e.Stores {
		return s
	}
	return nil
}

// Kill ends a process without a word, as SIGKILL does: what it created and no
// state file holds is adopted by the next process that creates the same.
func (e *Environment) Kill(instance string) {
	e.Change(func() { delete(e.alive, instance) })
}

func (e *Environment) now() time.Time {
	if e.Now != nil {
		return e.Now()
	}
	return time.Now().UTC()
}
