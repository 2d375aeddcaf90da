package jobs

import (
	"context"
	"iter"
)

// StoreInfo identifies a store and what is alive on it.
type StoreInfo struct {
	ID string
	// Location says where it is, for people.
	Location string
	// RunnerAlive reports whether something executes schedules there.
	RunnerAlive bool
}

// API is all that the Terraform provider and the command line know of the
// product. Errors are *Error; a method that finds no such object returns one
// with CodeNotFound, and never returns that code for any other reason.
type API interface {
	// Store describes the store. When none is there yet it returns an Error
	// with CodeStore, unless create is set, which makes one.
	Store(ctx context.Context, create bool) (StoreInfo, error)

	Authorizations
	Definitions
	Runs
	Catalog
	Platform
	CustomerData

	// Close releases the store. Runs this process executes are cancelled and
	// their cursors kept.
	Close() error
}

// Authorizations is the part of API for authorizations.
type Authorizations interface {
	CreateAuthorization(ctx context.Context, c AuthorizationChange) (Authorization, error)
	// UpdateAuthorization refuses a changed host without a token.
	UpdateAuthorization(ctx context.Context, id string, c AuthorizationChange) (Authorization, error)
	Authorization(ctx context.Context, id string) (Authorization, error)
	// DeleteAuthorization refuses (CodeInUse) while jobs use it, naming them.
	DeleteAuthorization(ctx context.Context, id string) error
}

// Definitions is the part of API for jobs.
type Definitions interface {
	// CreateJob registers a job, or adopts the one an interrupted apply left
	// unseen; a job of the same key that something else owns is CodeConflict.
	CreateJob(ctx context.Context, s JobSpec) (Job, error)
	UpdateJob(ctx context.Context, id string, s JobSpec) (Job, error)
	Job(ctx context.Context, id string) (Job, error)
	// PauseJob stops a job's schedule, or lets it go on from now, until the
	// definition says otherwise or it is called again. Runs that are active go
	// on. A job that neither a schedule nor other jobs start is refused.
	PauseJob(ctx context.Context, id string, paused bool) (Job, error)
	// Jobs lists all, by label then id.
	Jobs(ctx context.Context) ([]Job, error)
	// DeleteJob cancels its run and keeps cursor, events and the Databricks
	// table. Deleting what is not there is no error.
	DeleteJob(ctx context.Context, id string) error
	// Confirm notes that a state file holds the object (an authorization or a
	// job), so that no other resource adopts it.
	Confirm(ctx context.Context, id string) error
}

// Runs is the part of API for runs.
type Runs interface {
	// StartRun queues a run: for a runner, when one is alive on the store, and
	// else for this process. While another run of the job is active it waits
	// its turn. A run left by a dead process is taken over first.
	StartRun(ctx context.Context, jobID string, reason Reason) (Run, error)
	// WaitRun follows a run until it ends, calling changed (may be nil) at
	// every change of status or phase and at most once a second for progress.
	// When ctx ends first, a run that this process started is cancelled.
	// A failed run is returned with its fields and no error.
	WaitRun(ctx context.Context, runID string, changed func(Run)) (Run, error)
	CancelRun(ctx context.Context, runID string) error
	Run(ctx context.Context, runID string) (Run, error)
	// ListRuns gives the newest first.
	ListRuns(ctx context.Context, f RunFilter) ([]Run, error)
	// DryRun says what a run would read and write, and changes nothing.
	DryRun(ctx context.Context, jobID string) (DryRun, error)
	// RunLog gives a run's log, oldest line first.
	RunLog(ctx context.Context, runID string) ([]LogLine, error)
}

// Catalog is the part of API that reads the warehouse's catalog. Patterns are
// SHOW ... LIKE patterns: "*" any characters, "|" alternatives, case ignored;
// empty means all. Lists are sorted by name, columns by position.
type Catalog interface {
	Catalogs(ctx context.Context, authorizationID, pattern string) ([]CatalogInfo, error)
	Databases(ctx context.Context, authorizationID, catalog, pattern string) ([]DatabaseInfo, error)
	Tables(ctx context.Context, authorizationID, catalog, database, pattern string) ([]TableInfo, error)
	Columns(ctx context.Context, authorizationID string, table TableName, pattern string) ([]ColumnInfo, error)
}

// Platform is the part of API for the customer-data side.
type Platform interface {
	// CreateField and its like refuse (CodeConflict) an object that exists with
	// another definition; the same definition is adopted.
	CreateField(ctx context.Context, f Field) (Field, error)
	PutField(ctx context.Context, f Field) (Field, error)
	Field(ctx context.Context, id string) (Field, error)
	// DeleteField refuses (CodeInUse) while mappings feed it.
	DeleteField(ctx context.Context, id string) error

	CreateMapping(ctx context.Context, m Mapping) (Mapping, error)
	PutMapping(ctx context.Context, m Mapping) (Mapping, error)
	Mapping(ctx context.Context, id string) (Mapping, error)
	DeleteMapping(ctx context.Context, id string) error

	CreateAudience(ctx context.Context, a Audience) (Audience, error)
	PutAudience(ctx context.Context, a Audience) (Audience, error)
	// Audience takes an id or a slug.
	Audience(ctx context.Context, idOrSlug string) (Audience, error)
	// DeleteAudience refuses (CodeInUse) while exports read it.
	DeleteAudience(ctx context.Context, id string) error
}

// CustomerData is the part of API for what the platform holds. A platform that
// keeps some of it to itself refuses with CodeInvalid.
type CustomerData interface {
	// Fields lists all by id, Streams by name, Audiences by slug.
	Fields(ctx context.Context) ([]Field, error)
	Streams(ctx context.Context) ([]StreamInfo, error)
	Audiences(ctx context.Context) ([]Audience, error)
	// AudienceSize counts the profiles of an audience, given by id or slug.
	AudienceSize(ctx context.Context, idOrSlug string) (int64, error)
	// Events reads a stream in the order it was written: what is there when it
	// begins. It ends with the first error.
	Events(ctx context.Context, stream string) iter.Seq2[Event, error]
	// Scan reads an audience: the columns, and their rows. No fields means all.
	Scan(ctx context.Context, idOrSlug string, fields []string) ([]Field, iter.Seq2[[]Value, error], error)
	// Profile gives the user that has an identity.
	Profile(ctx context.Context, id Identity) (Profile, error)
	// Erase removes the user that has an identity, for good: events, profile,
	// and what later imports bring of the same identities. With dryRun it only
	// says what would go.
	Erase(ctx context.Context, id Identity, dryRun bool) (Erasure, error)
}
