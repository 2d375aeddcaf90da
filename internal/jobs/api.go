package jobs

import (
	"context"
	"iter"
)

// StoreInfo identifies a store and says whether a runner is connected to it.
type StoreInfo struct {
	ID string
	// Location is the store's directory or database, for display.
	Location string
	// RunnerAlive reports whether a runner is connected to the store.
	RunnerAlive bool
	// Lytics reports whether the customer-data side is a Lytics account.
	Lytics bool
}

// API is the product as the Terraform provider and the command line see it.
// Errors are *Error. CodeNotFound means that the store was read and does not
// have the object; no other failure has that code.
type API interface {
	// Store describes the store. If there is no store yet, create makes one;
	// without create, the error has CodeStore.
	Store(ctx context.Context, create bool) (StoreInfo, error)

	Authorizations
	Definitions
	Runs
	Catalog
	Judge
	Platform
	CustomerData
	Quarantine
	Access

	// Close releases the store. It cancels the runs that this process executes;
	// their cursors are kept.
	Close() error
}

// Authorizations is the part of API for authorizations.
type Authorizations interface {
	CreateAuthorization(ctx context.Context, c AuthorizationChange) (Authorization, error)
	// UpdateAuthorization requires the secret again when the host changes.
	UpdateAuthorization(ctx context.Context, id string, c AuthorizationChange) (Authorization, error)
	Authorization(ctx context.Context, id string) (Authorization, error)
	// ListAuthorizations lists all authorizations, sorted by label, then id. Whether
	// the secret can be read, and what Lytics knows of one, only Authorization tells.
	ListAuthorizations(ctx context.Context) ([]Authorization, error)
	// DeleteAuthorization fails with CodeInUse while jobs use the authorization.
	// The error names the jobs.
	DeleteAuthorization(ctx context.Context, id string) error
}

// Definitions is the part of API for jobs.
type Definitions interface {
	// CreateJob registers a job. If an interrupted apply left an equal job that
	// no state file holds, CreateJob adopts it. If the last job of the same key was
	// deleted, the new one is that job again: it has its id, its runs and its cursor. A
	// job of the same key that another resource owns is CodeConflict.
	CreateJob(ctx context.Context, s JobSpec) (Job, error)
	// CheckCreateJob fails with CodeConflict if a state file holds a job of the same
	// key. The create then fails, unless that job is deleted before. It writes nothing.
	CheckCreateJob(ctx context.Context, s JobSpec) error
	UpdateJob(ctx context.Context, id string, s JobSpec) (Job, error)
	Job(ctx context.Context, id string) (Job, error)
	// PauseJob pauses or resumes a job's schedule, until the definition changes
	// it or PauseJob is called again. Active runs continue. A job without a
	// schedule and without After is CodeInvalid. A job that Lytics executes is
	// paused or resumed in Lytics.
	PauseJob(ctx context.Context, id string, paused bool) (Job, error)
	// JobLog returns the log that Lytics keeps of a job that it executes, oldest
	// line first. For any other job the error is CodeInvalid.
	JobLog(ctx context.Context, id string) ([]LogLine, error)
	// Jobs lists all jobs, sorted by label, then id.
	Jobs(ctx context.Context) ([]Job, error)
	// DeleteJob cancels the job's run and keeps its cursor, its events and the
	// Databricks table; its id and its runs stay for CreateJob. A job that Lytics executes is killed there, which cannot
	// be undone. Deleting an unknown job is no error.
	DeleteJob(ctx context.Context, id string) error
	// Confirm records that a state file holds the object (an authorization or a
	// job), so that no other resource adopts it.
	Confirm(ctx context.Context, id string) error
}

// Runs is the part of API for runs.
type Runs interface {
	// StartRun queues a run. A runner executes it if one is connected to the
	// store, otherwise this process does. While another run of the job is active,
	// the new run waits. An active run whose process died is taken over first.
	StartRun(ctx context.Context, jobID string, reason Reason) (Run, error)
	// WaitRun follows a run until it ends. It calls changed (may be nil) at every
	// change of status or phase, and at most once a second for progress. If ctx
	// ends first, WaitRun cancels a run that this process started. A failed run
	// is returned without an error: its Failure says why.
	WaitRun(ctx context.Context, runID string, changed func(Run)) (Run, error)
	CancelRun(ctx context.Context, runID string) error
	Run(ctx context.Context, runID string) (Run, error)
	// ListRuns returns the newest run first.
	ListRuns(ctx context.Context, f RunFilter) ([]Run, error)
	// DryRun reports what a run would read and write, and changes nothing. samples is
	// the number of samples in the report, at most MostSamples.
	DryRun(ctx context.Context, jobID string, samples int) (DryRun, error)
	// DryRunOf is DryRun of a definition that need not be registered. It needs no store.
	DryRunOf(ctx context.Context, r DryRunRequest) (DryRun, error)
	// RunLog returns a run's log, oldest line first.
	RunLog(ctx context.Context, runID string) ([]LogLine, error)
}

// Catalog is the part of API that reads the warehouse's catalog. Patterns are
// SHOW ... LIKE patterns: "*" matches any characters, "|" separates
// alternatives, and case is ignored; an empty pattern matches everything. Lists
// are sorted by name, columns by position.
type Catalog interface {
	Catalogs(ctx context.Context, authorizationID, pattern string) ([]CatalogInfo, error)
	Databases(ctx context.Context, authorizationID, catalog, pattern string) ([]DatabaseInfo, error)
	Tables(ctx context.Context, authorizationID, catalog, database, pattern string) ([]TableInfo, error)
	Columns(ctx context.Context, authorizationID string, table TableName, pattern string) ([]ColumnInfo, error)
	// ListCatalog lists a level of a catalog through the connection of the query. It
	// needs no store.
	ListCatalog(ctx context.Context, q CatalogQuery) (CatalogListing, error)
}

// Platform is the part of API for fields, mappings and audiences. Each object
// belongs to the resource that created or imported it. A method that changes an
// object takes the owner that asks for the change, and fails with CodeNotOwned if the
// object belongs to another one.
type Platform interface {
	// CreateField, CreateMapping and CreateAudience fail with CodeConflict if the
	// object exists, also with the same definition; the error shows the import block
	// to write. The create is noted in the store before the platform is called: if a
	// process dies in it, the next create continues with what is there. The same owner
	// may call again after an answer was lost.
	CreateField(ctx context.Context, f Field, owner Owner) (Field, error)
	PutField(ctx context.Context, f Field, owner Owner) (Field, error)
	Field(ctx context.Context, id string) (Field, error)
	// DeleteField fails with CodeInUse while mappings feed the field.
	DeleteField(ctx context.Context, id string, owner Owner) error

	CreateMapping(ctx context.Context, m Mapping, owner Owner) (Mapping, error)
	PutMapping(ctx context.Context, m Mapping, owner Owner) (Mapping, error)
	Mapping(ctx context.Context, id string) (Mapping, error)
	DeleteMapping(ctx context.Context, id string, owner Owner) error

	CreateAudience(ctx context.Context, a Audience, owner Owner) (Audience, error)
	PutAudience(ctx context.Context, a Audience, owner Owner) (Audience, error)
	// Audience takes an id or a slug.
	Audience(ctx context.Context, idOrSlug string) (Audience, error)
	// DeleteAudience fails with CodeInUse while exports read the audience.
	DeleteAudience(ctx context.Context, id string, owner Owner) error

	// CheckCreate fails as the create would if the object exists and the store knows
	// no owner of it. It writes nothing. If the object has an owner, only the create
	// can tell: it may be the owner that is about to be replaced.
	CheckCreate(ctx context.Context, o Object) error
	// Claim tells a resource whether an object in its state belongs to it.
	Claim(ctx context.Context, c Claim) (Ownership, error)
}

// CustomerData is the part of API that reads the platform's data. A method that
// the platform does not support fails with CodeInvalid.
type CustomerData interface {
	// Fields are sorted by id, Mappings by stream, field and guard, Streams by name,
	// Audiences by slug.
	Fields(ctx context.Context) ([]Field, error)
	Mappings(ctx context.Context) ([]Mapping, error)
	Streams(ctx context.Context) ([]StreamInfo, error)
	Audiences(ctx context.Context) ([]Audience, error)
	// AudienceSize counts the profiles of an audience, given by id or slug.
	AudienceSize(ctx context.Context, idOrSlug string) (int64, error)
	// EventLines reads the events that a stream has when the call begins, in the
	// order they were written. Each value has whole lines, and is valid until the
	// next one; a line is the JSON object of an event, {"id":...,"time":...,"data":{...}},
	// whose time is in RFC 3339 and UTC. It ends with the first error.
	EventLines(ctx context.Context, stream string) iter.Seq2[[]byte, error]
	// Scan reads the profiles of an audience and returns the columns and the
	// rows. Without fields it reads all fields.
	Scan(ctx context.Context, idOrSlug string, fields []string) ([]Field, iter.Seq2[[]Value, error], error)
	// Profile returns the user who has an identity.
	Profile(ctx context.Context, id Identity) (Profile, error)
	// Erase permanently removes the user who has an identity. The embedded platform
	// removes the profile and the events at once, and every event of the same
	// identities in later imports. A Lytics account accepts a request and executes
	// it later: the result then has a RequestID. A dry run only reports what would
	// be removed.
	Erase(ctx context.Context, r ErasureRequest) (Erasure, error)
	// ErasureDone reports whether Lytics has executed a request.
	ErasureDone(ctx context.Context, requestID string) (bool, error)
}
