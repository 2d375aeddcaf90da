package jobs

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"time"
)

// Role says what the holder of a token may do.
type Role string

// The roles, each with the rights of those before it.
const (
	// RoleRead reads everything.
	RoleRead Role = "read"
	// RoleOperate starts, cancels, pauses and resumes, and handles rejected rows.
	RoleOperate Role = "operate"
	// RoleAdmin changes definitions, erases users, and manages tokens.
	RoleAdmin Role = "admin"
)

// Roles are all roles, the weakest first.
var Roles = []Role{RoleRead, RoleOperate, RoleAdmin}

// Allows reports whether the role has the rights of another one. An unknown role
// has none.
func (r Role) Allows(needed Role) bool {
	return r.rank() > 0 && needed.rank() > 0 && r.rank() >= needed.rank()
}

func (r Role) rank() int {
	for i, known := range Roles {
		if r == known {
			return i + 1
		}
	}
	return 0
}

// The names of actors that are no tokens of the store.
const (
	// DefaultTokenName is the name of the runner's own token, which is an admin's.
	DefaultTokenName = "default"
	// ActorSchedule starts the runs that nobody asked for.
	ActorSchedule = "schedule"
)

// Via is the way by which an actor made a change.
type Via string

// The ways. In embedded use the actor is the user of the operating system.
const (
	ViaAPI      Via = "api"
	ViaSocket   Via = "socket"
	ViaPage     Via = "page"
	ViaEmbedded Via = "embedded"
	ViaSchedule Via = "schedule"
)

// Actor is who makes a call: the name of a token, or a user of the machine.
type Actor struct {
	Name string
	Role Role
	Via  Via
	// Address is the remote IP address, or in embedded use the machine's name.
	Address string
	// Token is the hash of the token; zero for a user of the machine in embedded use.
	// For the socket it is that of the runner's own token.
	Token TokenHash
}

type actorKey struct{}

// WithActor sets who makes a call.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf returns who makes a call; ok is false if WithActor set nobody.
func ActorOf(ctx context.Context) (_ Actor, ok bool) {
	a, ok := ctx.Value(actorKey{}).(Actor)
	return a, ok
}

// TokenPrefix begins every token that NewAccessToken makes, so that scanners for
// leaked secrets find them: lyr_ and 52 letters and digits of base32.
const TokenPrefix = "lyr_"

// NewAccessToken makes a token of 260 bits from crypto/rand.
func NewAccessToken() Secret { return NewSecret(TokenPrefix + rand.Text() + rand.Text()) }

// TokenHash is what is kept of a token.
type TokenHash [sha256.Size]byte

// HashToken hashes a token with SHA-256. A slow hash with salt, as for passwords,
// would add nothing: nobody can guess a random text of 256 bits.
func HashToken(token string) TokenHash { return sha256.Sum256([]byte(token)) }

// Token is a named token, without its text.
type Token struct {
	// ID tells apart the tokens of one name.
	ID   string `json:"id"`
	Name string `json:"name"`
	Role Role   `json:"role" enum:"read,operate,admin"`
	// CreatedBy is the actor that made it.
	CreatedBy string    `json:"created_by,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt is nil for a token that is valid until it is revoked.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// TokenSpec describes a token to create.
type TokenSpec struct {
	// Name is 1 to 63 lower-case letters, digits, dots, hyphens or underscores.
	Name string `json:"name"`
	Role Role   `json:"role" enum:"read,operate,admin"`
	// ExpiresInSeconds is how long it is valid; 0 means until it is revoked.
	ExpiresInSeconds int64 `json:"expires_in_seconds,omitempty"`
}

// NewToken is a token that was just made. Its text cannot be read again.
type NewToken struct {
	Token
	Secret Secret
}

// Access is the part of API for tokens and for the audit log.
type Access interface {
	// Tokens lists the tokens of the store, by name and time. Those of the runner's
	// configuration are not among them.
	Tokens(ctx context.Context) ([]Token, error)
	// CreateToken makes a token. A name that is in use is CodeConflict.
	CreateToken(ctx context.Context, s TokenSpec) (NewToken, error)
	// RotateToken makes a further token of the same name, role and lifetime. The earlier ones
	// are valid for keepSeconds more.
	RotateToken(ctx context.Context, name string, keepSeconds int64) (NewToken, error)
	// RevokeToken removes all tokens of a name, or the one of an id, and tells how
	// many. The sessions that were opened with them end.
	RevokeToken(ctx context.Context, nameOrID string) (int64, error)
	// CreateSignInCode makes a code that signs in to the runner's page once, with the
	// token of the caller. Without a runner there is no page: CodeInvalid.
	CreateSignInCode(ctx context.Context) (SignInCode, error)
	// AuditLog lists changes, the newest first.
	AuditLog(ctx context.Context, f AuditFilter) (AuditPage, error)
}

// AuditEntry says who did what, when, from where and with what result. It has
// names and ids, and no other value of a definition.
type AuditEntry struct {
	ID int64     `json:"id"`
	At time.Time `json:"at"`
	// Actor is the name of the token, the user of the machine, or schedule.
	Actor string `json:"actor"`
	Role  Role   `json:"role,omitempty"`
	// Via is api, socket, page, embedded or schedule.
	Via Via `json:"via"`
	// Address is the remote IP address, or in embedded use the machine's name.
	Address string `json:"address,omitempty"`
	// Action is the id of the API's operation, such as update-job.
	Action string `json:"action"`
	// Object is the id of the job, authorization, field, mapping or audience, or
	// the name of the token.
	Object string `json:"object,omitempty"`
	// Label is the object's label when the change was made.
	Label string `json:"label,omitempty"`
	// RunID is the run that was started or cancelled.
	RunID string `json:"run_id,omitempty"`
	// Result is ok, or the code of the error.
	Result string `json:"result"`
}

// AuditOK is the result of a change that was made.
const AuditOK = "ok"

// AuditFilter selects entries; empty fields select all.
type AuditFilter struct {
	Actor  string
	Object string
	Action string
	Since  time.Time
	// Before selects the entries with smaller ids: AuditPage.Next of the last page.
	Before int64
	// Limit is the most entries to give; 0 means 100.
	Limit int
}

// AuditPage is a page of the audit log.
type AuditPage struct {
	Entries []AuditEntry `json:"entries"`
	// Next is the Before of the next page; 0 if this is the last one.
	Next int64 `json:"next,omitempty"`
}
