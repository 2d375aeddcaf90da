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

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
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
	// AllowPrivateHosts lifts the limit to Databricks' own host names. PrivateHosts are
	// the hosts that are allowed without it.
	AllowPrivateHosts bool
	PrivateHosts      egress.Hosts
	// CAFile is a PEM file with certificate authorities for workspaces, beside those of
	// the system; empty for none.
	CAFile string
	// ForeignDefinitions is set where others than the operator of this process write
	// the definitions, as on a runner: the operator's lists then decide what they may
	// name. Else the author of a definition is the operator.
	ForeignDefinitions bool
	// AllowedTokenEnv are the variables that token_env may name where definitions are
	// foreign. Nil means config.DefaultTokenEnv.
	AllowedTokenEnv config.Variables
	// AllowedLogins are the logins that definitions may use there, beside stored secrets
	// and token_env.
	AllowedLogins config.Logins
	// Staging is where exports wait; nil until an export needs it. With a
	// DatabaseURL the embedded platform keeps its events there as well, below
	// segments/, unless Events is set.
	// Exports wait in Volume where that is set.
	Staging *staging.S3Config
	Volume  *staging.VolumeConfig
	Events  *EventsVolume
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
	// Workers executes the work of runs in other processes, and asks workspaces there for
	// catalogs, dry runs and checks of connections; nil does it in this one.
	Workers Workers
	// AnswerWithin bounds the time of a question to Workers: DefaultAnswerWithin when 0.
	AnswerWithin time.Duration
	// Connections bounds the connections to a store in PostgreSQL; 0 means the bound
	// of a process that serves an API or executes many runs.
	Connections int
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
	// creates are Terraform's creates in this process.
	creates jobs.Creates
}

var _ jobs.API = (*Engine)(nil)

// New makes an Engine that has opened nothing yet.
func New(o Options) *Engine {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Platform.Open == nil {
		o.Platform = Embedded(o.EventObjects(), o.PlaceholderIdentifiers)
	}
	o.Quarantine = o.Quarantine.withDefaults()
	if o.MaxRunsPerAuthorization <= 0 {
		o.MaxRunsPerAuthorization = DefaultMaxRunsPerAuthorization
	}
	if o.AnswerWithin <= 0 {
		o.AnswerWithin = DefaultAnswerWithin
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
	db, err := store.Open(ctx, store.Location{
		Dir: e.options.DataDir, DatabaseURL: e.options.DatabaseURL, Connections: e.options.Connections,
	}, a == createStore)
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
	if err := errors.Join(db.Appear(ctx, e.instance), db.Beat(ctx, e.self())); err != nil {
		return err
	}
	if err := db.BindSecrets(ctx, func() (*store.Key, error) { return e.key(ctx, db, readKey) }); err != nil {
		return err
	}
	if e.kind == store.KindApply {
		if err := db.ForgetEmbeddedAudit(ctx, store.DefaultAuditRetention); err != nil {
			return err
		}
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
				_ = db.Beat(beat, e.self())
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
		unanswered, _ := e.creates.Unanswered()
		errs = append(errs, db.Retire(ctx, e.instance, unanswered))
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

// key returns the keys of the store that this process's key gives access to. A store
// that was rotated has its key already: none is created for it.
func (e *Engine) key(ctx context.Context, db *store.DB, a keyAccess) (*store.Key, error) {
	if a == createKey {
		current, err := db.CurrentKey(ctx)
		if err != nil {
			return nil, err
		}
		a = keyAccess(current == "")
	}
	if a == createKey {
		if err := e.checkNewKeyLasts(); err != nil {
			return nil, err
		}
	}
	key, err := e.ownKey(a)
	if err != nil {
		return nil, err
	}
	if a == createKey {
		// A rotation must know of this process's key before something is encrypted.
		if err := db.Beat(ctx, e.self()); err != nil {
			return nil, err
		}
	}
	return db.Keyring(ctx, key)
}

// self is this process, as the others on the store see it.
func (e *Engine) self() store.Instance {
	return store.Instance{ID: e.instance, Kind: e.kind, Host: e.options.Name, Version: e.options.Version, KeyID: e.keyID()}
}

// ownKey is the key that this process is configured with. Its file is read each time:
// a new key needs no restart.
func (e *Engine) ownKey(a keyAccess) (*store.Key, error) {
	return store.LoadKey(e.options.Getenv(store.KeyEnv), e.options.EncryptionKeyFile, e.options.DataDir, a == createKey)
}

// keyID is the id of that key; empty without one.
func (e *Engine) keyID() string {
	key, err := e.ownKey(readKey)
	if err != nil {
		return ""
	}
	return key.ID()
}
