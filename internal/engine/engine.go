// Package engine is the jobs API in this process: it keeps definitions in a
// store, executes runs one at a time for each job, and joins importer and
// exporter to the warehouse, the staging and the platform.
package engine

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticsjobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Options configure an Engine.
type Options struct {
	// DataDir holds the store and the embedded platform.
	DataDir string
	// DatabaseURL moves the store to a PostgreSQL database, for many machines.
	DatabaseURL jobs.Secret
	// EncryptionKeyFile is outside DataDir; empty means the user's
	// configuration directory. The environment variable store.KeyEnv goes
	// before it.
	EncryptionKeyFile string
	// AllowPrivateHosts lifts the limit to Databricks' own host names.
	AllowPrivateHosts bool
	// Staging is where exports wait; nil until an export needs it. With a
	// DatabaseURL the embedded platform keeps its events there as well, below
	// segments/.
	// Exports wait in Volume where that is set.
	Staging *staging.S3Config
	Volume  *staging.VolumeConfig
	// Platform is the customer-data side: Embedded when zero.
	Platform Backend
	// PlaceholderIdentifiers are the values of identifiers that identify nobody on
	// the embedded platform. Nil means the list of the store.
	PlaceholderIdentifiers []string
	// Quarantine bounds the rows that the platform rejected.
	Quarantine QuarantineBounds
	// UserAgent names the product and its version to the warehouse.
	UserAgent string
	// Getenv reads the environment: os.Getenv when nil.
	Getenv func(string) string
	// MaxRunsPerAuthorization bounds the runs that use one warehouse at a time:
	// DefaultMaxRunsPerAuthorization when 0.
	MaxRunsPerAuthorization int
	// Work stands in for what a run does, where all around it is to be tried or
	// measured; nil does it.
	Work func(ctx context.Context, job jobs.Job, p Progress) error
	// Version is the product's, for the list of processes on a store.
	Version string
	// Name is this machine's, for people: the host name when empty.
	Name string
}

// claimsAtOnce bounds the claims of a process that are under way.
const claimsAtOnce = 4

// Progress is what a run says of itself.
type Progress interface {
	// Phase begins a phase; total 0 is not known.
	Phase(name string, total int64)
	Advance(n int64)
	Count(f func(*jobs.Counts))
}

// DefaultMaxRunsPerAuthorization keeps a warehouse from being overrun.
const DefaultMaxRunsPerAuthorization = 2

// Engine implements jobs.API. Its store is opened by the first call that needs
// it, and made by the first that registers something.
type Engine struct {
	options  Options
	instance string
	kind     string

	mu       sync.Mutex
	db       *store.DB
	platform Platform
	judge    Judge
	stop     context.CancelFunc
	beating  sync.WaitGroup
	running  map[string]*execution
	// claims bounds how many claims are under way, so that heartbeats and
	// endings find their way to the store when hundreds of runs are due.
	claims chan struct{}
	// states are of the jobs in the Lytics account.
	states accountStates
	// left are runs that this process left to runners and answers for.
	left   map[string]bool
	closed bool

	// creating are the objects of the platform whose create is under way.
	creating namedLocks
}

var _ jobs.API = (*Engine)(nil)

// New makes an Engine that has opened nothing yet.
func New(o Options) *Engine {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Platform.Open == nil {
		o.Platform = Embedded(o.Staging, o.PlaceholderIdentifiers)
	}
	o.Quarantine = o.Quarantine.withDefaults()
	if o.MaxRunsPerAuthorization <= 0 {
		o.MaxRunsPerAuthorization = DefaultMaxRunsPerAuthorization
	}
	if o.Name == "" {
		o.Name, _ = os.Hostname() // a name for people: none is no error
	}
	return &Engine{
		options: o, instance: store.NewID("in"), kind: store.KindApply,
		running: map[string]*execution{}, left: map[string]bool{}, claims: make(chan struct{}, claimsAtOnce),
	}
}

// access is what a call needs the store for.
type access int

const (
	// readStore reads a store that exists; it writes nothing.
	readStore access = iota
	// writeStore changes a store that exists, and registers this process on it.
	writeStore
	// createStore is writeStore, and creates the store where there is none.
	createStore
)

// open returns the store, and opens it at the first call. Without createStore,
// a missing store is a CodeStore error that wraps fs.ErrNotExist.
func (e *Engine) open(ctx context.Context, a access) (*store.DB, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed()
	}
	if e.db != nil {
		if a == readStore {
			return e.db, nil
		}
		return e.db, e.register(ctx, e.db)
	}
	db, err := store.Open(ctx, store.Location{Dir: e.options.DataDir, DatabaseURL: e.options.DatabaseURL}, a == createStore)
	if err != nil {
		return nil, err
	}
	platform, err := e.options.Platform.Open(db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if a != readStore {
		if err := e.register(ctx, db); err != nil {
			return nil, errors.Join(err, platform.Close(), db.Close())
		}
	}
	e.db, e.platform = db, platform
	return db, nil
}

func errClosed() error {
	return &jobs.Error{
		Code:    jobs.CodeStore,
		Summary: "The provider is stopping",
		Detail:  "Its store is closed.",
		Next:    "Run the command again",
	}
}

// register tells the other processes on the store that this one is alive, from
// its first write on: plan and refresh write nothing. e.mu is held.
func (e *Engine) register(ctx context.Context, db *store.DB) error {
	if e.stop != nil {
		return nil
	}
	self := store.Instance{ID: e.instance, Kind: e.kind, Host: e.options.Name, Version: e.options.Version}
	if err := errors.Join(db.Appear(ctx, self.ID), db.Beat(ctx, self)); err != nil {
		return err
	}
	beat, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.stop = stop
	e.beating.Go(func() {
		tick := time.NewTicker(store.Heartbeat)
		defer tick.Stop()
		for {
			select {
			case <-beat.Done():
				return
			case <-tick.C:
				// A beat that fails is made good by the next; silence for
				// a whole lease is what others act on.
				_ = db.Beat(beat, self)
			}
		}
	})
	return nil
}

// Store implements jobs.API.
func (e *Engine) Store(ctx context.Context, create bool) (jobs.StoreInfo, error) {
	need := readStore
	if create {
		need = createStore
	}
	db, err := e.open(ctx, need)
	if err != nil {
		return jobs.StoreInfo{}, err
	}
	alive, err := db.RunnerAlive(ctx)
	_, inLytics := e.platform.(lyticsjobs.Account)
	return jobs.StoreInfo{ID: db.ID(), Location: db.Place(), RunnerAlive: alive, Lytics: inLytics}, err
}

// Close implements jobs.API. A second call does nothing.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	for _, x := range e.running {
		x.cancel(errStopping)
	}
	db, platform, stop := e.db, e.platform, e.stop
	var errs []error
	if e.judge != nil {
		errs = append(errs, e.judge.Close())
	}
	e.mu.Unlock()
	if db == nil {
		return errors.Join(errs...)
	}
	for _, x := range e.executions() {
		<-x.done
	}
	if stop != nil {
		stop()
		e.beating.Wait()
	}
	ctx, cancel := context.WithTimeout(context.Background(), store.Lease)
	defer cancel()
	if stop != nil {
		errs = append(errs, db.Retire(ctx, e.instance))
	}
	return errors.Join(append(errs, platform.Close(), db.Close())...)
}

func (e *Engine) executions() []*execution {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]*execution, 0, len(e.running))
	for _, x := range e.running {
		all = append(all, x)
	}
	return all
}

// noStore reports the one error of open that means "nothing is registered".
func noStore(err error) bool {
	return jobs.IsCode(err, jobs.CodeStore) && errors.Is(err, fs.ErrNotExist)
}

// keyAccess tells whether a missing encryption key is created.
type keyAccess bool

const (
	readKey   keyAccess = false
	createKey keyAccess = true
)

func (e *Engine) key(a keyAccess) (*store.Key, error) {
	return store.LoadKey(e.options.Getenv(store.KeyEnv), e.options.EncryptionKeyFile, e.options.DataDir, a == createKey)
}
