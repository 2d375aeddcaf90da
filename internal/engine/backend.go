package engine

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Platform is what runs and definitions need of the customer-data side.
type Platform interface {
	// CreateField and its like refuse (CodeConflict) an object that exists.
	CreateField(ctx context.Context, f jobs.Field) (jobs.Field, error)
	PutField(ctx context.Context, f jobs.Field) (jobs.Field, error)
	Field(ctx context.Context, id string) (jobs.Field, error)
	DeleteField(ctx context.Context, id string) error
	CreateMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error)
	PutMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error)
	Mapping(ctx context.Context, id string) (jobs.Mapping, error)
	Mappings(ctx context.Context) ([]jobs.Mapping, error)
	DeleteMapping(ctx context.Context, id string) error
	CreateAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error)
	PutAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error)
	Audience(ctx context.Context, idOrSlug string) (jobs.Audience, error)
	DeleteAudience(ctx context.Context, id string) error

	Fields(ctx context.Context) ([]jobs.Field, error)
	Streams(ctx context.Context) ([]jobs.StreamInfo, error)
	Audiences(ctx context.Context) ([]jobs.Audience, error)
	AudienceSize(ctx context.Context, idOrSlug string) (int64, error)

	// Append adds events to a stream, and calls commit in a transaction of the
	// store once the stream has them. commit receives the events that the platform
	// rejected.
	Append(
		ctx context.Context, stream string, events []jobs.Event, commit func(tx *store.Tx, rejected []jobs.RejectedEvent) error,
	) (jobs.AppendResult, error)
	// BuildProfiles brings the profiles up to the streams, where that is not
	// the platform's own business.
	BuildProfiles(ctx context.Context, progress func(done, total int64)) (platform.ProfileStats, error)
	Scan(ctx context.Context, audience string, fields []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error)
	Profile(ctx context.Context, id jobs.Identity) (jobs.Profile, error)
	Close() error
}

// LocalPlatform is a platform that keeps its events and profiles in this store.
type LocalPlatform interface {
	EventLines(ctx context.Context, stream string) iter.Seq2[[]byte, error]
	// LatestEvents returns the newest events of a stream, at most n, the newest first.
	LatestEvents(ctx context.Context, stream string, n int) ([]jobs.Event, error)
	// LatestEventsOf returns those among the newest events that belong, at most n.
	LatestEventsOf(ctx context.Context, stream string, among, n int, belongs func(jobs.Event) bool) ([]jobs.Event, error)
	Erase(ctx context.Context, id jobs.Identity, dryRun bool) (jobs.Erasure, error)
	// BelongsTo returns a function that reports whether an event belongs to the user
	// of these identities, or to a user who was erased before.
	BelongsTo(ctx context.Context, ids []jobs.Identity) (func(stream string, e jobs.Event) bool, error)
}

// AccountPlatform is a platform in an account of a service: a store belongs to
// one such account. CheckAccount fails when the credential is of another one, and
// tells in bound when it made the account the store's.
type AccountPlatform interface {
	CheckAccount(ctx context.Context) (bound string, err error)
	// StoreAccount returns the id of the store's account; it is empty if the store
	// belongs to none yet.
	StoreAccount(ctx context.Context) (id string, err error)
	// RequestErasure asks the service to erase a user, which it does some time
	// later: ErasureDone tells when. A dry run only looks the user up.
	RequestErasure(ctx context.Context, r jobs.ErasureRequest) (jobs.Erasure, error)
	ErasureDone(ctx context.Context, requestID string) (bool, error)
	// AwaitProfiles waits, up to a bound, until the service has counted the events
	// that it accepted. Progress, which may be nil, gets the number of events
	// counted, and of all awaited. Lag tells what was missing at the bound.
	AwaitProfiles(ctx context.Context, progress func(done, total int64)) (lag platform.Lag, err error)
}

var (
	_ AccountPlatform = (*lytics.Platform)(nil)
	_ Platform        = (*embedded.Platform)(nil)
	_ Platform        = (*lytics.Platform)(nil)
	_ LocalPlatform   = (*embedded.Platform)(nil)
	_ Judge           = (*lytics.Platform)(nil)

	_ importer.SenderSink = (*lytics.Platform)(nil)
)

// Backend is a choice of platform.
type Backend struct {
	// Key tells the cursors of this platform from those of others on the same
	// store: rows that one has, another has not. Empty for the embedded one.
	Key string
	// Account is the account that is configured, and empty if none is or if the
	// platform has no accounts. The key of a cursor ends with the store's account.
	Account string
	// Open opens the platform of a store; it is closed before the store.
	Open func(db *store.DB) (Platform, error)
	// OpenJudge opens what checks texts without a store. If it is nil, the embedded
	// platform's parsers check them.
	OpenJudge func() (Judge, error)
}

// Judge checks filters and expressions.
type Judge interface {
	jobs.Judge
	Close() error
}

// parsers are the judge of the embedded platform.
type parsers struct{}

func (parsers) JudgeDraft(_ context.Context, d jobs.Draft) (jobs.Judgement, error) {
	return platform.JudgeDraft(d)
}
func (parsers) Close() error { return nil }

// Embedded is the platform inside the data directory, or with a shared store in
// its database and the bucket or volume of segments. Without one a shared store's
// platform takes definitions, and refuses events. Placeholders are the values of
// identifiers that identify nobody; nil means those of the store.
func Embedded(segments embedded.OpenObjects, placeholders []string) Backend {
	return Backend{Open: func(db *store.DB) (Platform, error) {
		c := embedded.Config{DB: db, Placeholders: placeholders}
		if db.Shared() {
			c.Segments = segments
		}
		return embedded.Open(c)
	}}
}

// LyticsAccount says which Lytics account is the platform.
type LyticsAccount struct {
	Token jobs.Secret
	// APIURL and BulkURL default to Lytics's own.
	APIURL, BulkURL string
	// AccountID is empty for the token's default account.
	AccountID string
	// UploadFormat is how events are written; empty for the default.
	UploadFormat string
	// ProfileWait is how long an export waits for the profiles of imported events.
	ProfileWait time.Duration
	UserAgent   string
}

// Lytics is the platform in a Lytics account.
func Lytics(a LyticsAccount) Backend {
	api := strings.TrimRight(a.APIURL, "/")
	if api == "" {
		api = lytics.DefaultAPIURL
	}
	c := lytics.Config{
		Token:  func(context.Context) (jobs.Secret, error) { return a.Token, nil },
		APIURL: a.APIURL, BulkURL: a.BulkURL, AccountID: a.AccountID, UploadFormat: lytics.UploadFormat(a.UploadFormat), UserAgent: a.UserAgent,
		ProfileWait: a.ProfileWait,
	}
	return Backend{
		Key: "lytics|" + api, Account: a.AccountID,
		Open: func(db *store.DB) (Platform, error) {
			own := c
			own.DB = db
			return lytics.Open(own)
		},
		OpenJudge: func() (Judge, error) { return lytics.Open(c) },
	}
}
