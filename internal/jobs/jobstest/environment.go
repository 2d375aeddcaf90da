package jobstest

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Environment holds the state that the processes of a test share: the stores,
// by location, and the warehouse of their authorizations. A test sets the
// fields before the first call, and later only within Change.
type Environment struct {
	mu sync.Mutex

	// Stores holds each store under its location, such as a data directory.
	Stores map[string]*Store
	// Created counts the stores that were created.
	Created int
	// Rows is the number of rows of each table of the warehouse. A run of an
	// import reads the rows after its cursor.
	Rows map[jobs.TableName]int
	// Token is the only token that the warehouse accepts; if empty, it accepts
	// every token.
	Token string
	// SentTokens are the tokens that authorizations were given, in order.
	SentTokens []string
	// SecretsUnreadable makes every stored secret unreadable.
	SecretsUnreadable bool
	// Warnings are the warnings of every authorization.
	Warnings []jobs.Failure
	// Profiles are the profiles of every audience.
	Profiles []jobs.Profile
	// RunnerAlive is StoreInfo.RunnerAlive in the answer of Store.
	RunnerAlive bool
	// Lytics makes the customer-data side a Lytics account.
	Lytics bool
	// RunError, if set, fails every run after half of its rows.
	RunError *jobs.Error
	// RunsHang makes WaitRun block until its context ends.
	RunsHang bool
	// OnHang, if set, is called when WaitRun begins to block.
	OnHang func()
	// RunsAdvanceOnRead advances an active run by one status at each call of Run,
	// as if a runner executed it. If it is false, only WaitRun executes runs.
	RunsAdvanceOnRead bool
	// Judge, if set, decides about texts. Without it, one with more opening than
	// closing parentheses is refused.
	Judge func(jobs.Draft) (jobs.Judgement, error)
	// Pages, if set, returns the address of a run's page.
	Pages func(runID string) string
	// Intercept, if set, is called before the fake answers a call. If it returns
	// handled, the call returns err and the value that Intercept stored in
	// Result. Intercept runs under the lock of the environment, so it must not
	// call the fake.
	Intercept func(c *Call) (handled bool, err error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	alive map[string]bool
}

// Call is one call of a method of jobs.API or jobs.Presence.
type Call struct {
	// Context is the context of the call.
	Context context.Context
	Method  string
	// Args are the arguments without the context and without functions.
	Args []any
	// Result points to the result of the method without its error: *jobs.Job,
	// *[]jobs.Event for EventLines, *ScanResult for Scan, *struct{} for a method that
	// returns only an error.
	Result any
}

// ScanResult is the result of Scan.
type ScanResult struct {
	Fields []jobs.Field
	Rows   [][]jobs.Value
}

// Store is the content of one store. Maps are keyed by the object's id.
type Store struct {
	ID             string
	Authorizations map[string]jobs.Authorization
	// Tokens holds tokens and client secrets by the authorization's id.
	Tokens map[string]string
	Jobs   map[string]jobs.Job
	// Released are the deleted jobs, by their key.
	Released map[string]jobs.Job
	// Confirmed has the ids of the objects that were confirmed.
	Confirmed map[string]bool
	// Creators has the process that created an object, by the object's id.
	Creators map[string]string
	// Runs are all runs, oldest first.
	Runs []jobs.Run
	Logs map[string][]jobs.LogLine
	// Phases are the phases of runs, by the run's id, and Versions the definitions of
	// jobs, by the job's id, the newest first. Tests set both.
	Phases   map[string][]jobs.PhaseStart
	Versions map[string][]jobs.JobVersion
	// Cursors is the number of rows read, by the import's key. Events is the
	// number of events, by stream. Deleting a job keeps both.
	Cursors   map[string]int
	Events    map[string]int
	Fields    map[string]jobs.Field
	Mappings  map[string]jobs.Mapping
	Audiences map[string]jobs.Audience
	// Owners has the owners of fields, mappings and audiences, by KIND/ID.
	Owners map[string]ObjectOwner
	// Quarantine is the rejected rows of all jobs, the oldest first.
	Quarantine []jobs.QuarantineEntry
	// AccessTokens are the tokens of the API, and Audit is the audit log, the newest
	// entry first.
	AccessTokens []jobs.Token
	Audit        []jobs.AuditEntry

	created int
}

// NewEnvironment returns an Environment without stores. Its warehouse has 100
// rows in main.sales.customers.
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

// New opens an existing store in a new Environment.
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

// Only returns the only store, or nil.
func (e *Environment) Only() *Store {
	for _, s := range e.Stores {
		return s
	}
	return nil
}

// Kill ends a process without cleanup, as SIGKILL does. Another process can
// then adopt its unconfirmed objects.
func (e *Environment) Kill(instance string) {
	e.Change(func() { delete(e.alive, instance) })
}

func (e *Environment) now() time.Time {
	if e.Now != nil {
		return e.Now()
	}
	return time.Now().UTC()
}
