package protocol

import (
	"encoding/json"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// The types here have the same fields as the types of package jobs and differ
// only in tags, so that Go converts between them. A field that only one of the
// two has is a compile error.

// Authorization is jobs.Authorization. It has no secrets.
type Authorization struct {
	ID             string            `json:"id"`
	Spec           AuthorizationSpec `json:"spec"`
	LyticsID       string            `json:"lytics_id,omitempty" doc:"Its id in the Lytics account, where Lytics manages it."`
	SecretReadable bool              `json:"secret_readable" doc:"Whether the store has the secret and can decrypt it."`
	Warnings       []jobs.Failure    `json:"warnings,omitempty" doc:"What will make a later release refuse it, or makes its runs fail."`
	CreatedAt      time.Time         `json:"created_at"`
	UpdatedAt      time.Time         `json:"updated_at"`
}

// AuthorizationSpec is jobs.AuthorizationSpec.
type AuthorizationSpec struct {
	Label               string          `json:"label"`
	Description         string          `json:"description,omitempty"`
	Host                string          `json:"host" doc:"A host name without a scheme, or, for local use, a URL with one."`
	Port                int             `json:"port"`
	HTTPPath            string          `json:"http_path"`
	ManagedBy           jobs.Manager    `json:"managed_by,omitempty" doc:"Who keeps it: provider (the default) or lytics." enum:"provider,lytics,"`
	TokenEnv            string          `json:"token_env,omitempty" doc:"The environment variable of the runner that holds the token."`
	TokenVersion        int64           `json:"token_version,omitempty"`
	ClientID            string          `json:"client_id,omitempty" doc:"A service principal's application id, for OAuth instead of a token."`
	ClientSecretVersion int64           `json:"client_secret_version,omitempty"`
	Login               *jobs.Login     `json:"login,omitempty" doc:"How the runner obtains tokens, instead of a stored credential."`
	CAFile              string          `json:"ca_file,omitempty" doc:"A PEM file of the runner's machine with certificate authorities that the connections of the authorization trust, too."`
	CatalogAPI          jobs.CatalogAPI `json:"catalog_api,omitempty" doc:"How catalogs are listed: rest (the default) or sql." enum:"rest,sql,"`
	CheckConnection     bool            `json:"check_connection,omitempty" doc:"Open a session before the authorization is saved."`
}

// AuthorizationChange is jobs.AuthorizationChange.
type AuthorizationChange struct {
	Spec         AuthorizationSpec `json:"spec"`
	Token        *string           `json:"token,omitempty" writeOnly:"true" doc:"The personal access token. If left out, the stored token is kept."`
	ClientSecret *string           `json:"client_secret,omitempty" writeOnly:"true" doc:"The secret of the service principal or of the login. If left out, the stored secret is kept."`
}

// AuthorizationOf converts an authorization for the wire.
func AuthorizationOf(a jobs.Authorization) Authorization {
	return Authorization{
		ID:             a.ID,
		Spec:           AuthorizationSpec(a.AuthorizationSpec),
		LyticsID:       a.LyticsID,
		SecretReadable: a.SecretReadable,
		Warnings:       a.Warnings,
		CreatedAt:      a.CreatedAt,
		UpdatedAt:      a.UpdatedAt,
	}
}

// Jobs converts the value from the wire.
func (a Authorization) Jobs() jobs.Authorization {
	return jobs.Authorization{
		ID:                a.ID,
		AuthorizationSpec: jobs.AuthorizationSpec(a.Spec),
		LyticsID:          a.LyticsID,
		SecretReadable:    a.SecretReadable,
		Warnings:          a.Warnings,
		CreatedAt:         a.CreatedAt,
		UpdatedAt:         a.UpdatedAt,
	}
}

// ChangeOf converts a definition with its secrets for the wire.
func ChangeOf(c jobs.AuthorizationChange) AuthorizationChange {
	return AuthorizationChange{Spec: AuthorizationSpec(c.AuthorizationSpec), Token: reveal(c.Token), ClientSecret: reveal(c.ClientSecret)}
}

// Jobs converts the value from the wire.
func (c AuthorizationChange) Jobs() jobs.AuthorizationChange {
	return jobs.AuthorizationChange{
		AuthorizationSpec: jobs.AuthorizationSpec(c.Spec),
		Token:             conceal(c.Token),
		ClientSecret:      conceal(c.ClientSecret),
	}
}

func reveal(s *jobs.Secret) *string {
	if s == nil {
		return nil
	}
	text := s.Reveal()
	return &text
}

func conceal(text *string) *jobs.Secret {
	if text == nil {
		return nil
	}
	s := jobs.NewSecret(*text)
	return &s
}

// StoreInfo is jobs.StoreInfo.
type StoreInfo struct {
	ID          string `json:"id"`
	Location    string `json:"location" doc:"The store's directory or database, for display."`
	RunnerAlive bool   `json:"runner_alive" doc:"Whether a runner is connected to the store."`
	Lytics      bool   `json:"lytics,omitempty" doc:"Whether the customer-data side is a Lytics account."`
}

// ErasureStatus tells whether an erasure has been carried out.
type ErasureStatus struct {
	Done bool `json:"done"`
}

// CatalogInfo is jobs.CatalogInfo.
type CatalogInfo struct {
	Name    string `json:"name"`
	Comment string `json:"comment,omitempty"`
}

// DatabaseInfo is jobs.DatabaseInfo.
type DatabaseInfo struct {
	Catalog string `json:"catalog"`
	Name    string `json:"name"`
	Comment string `json:"comment,omitempty"`
}

// TableInfo is jobs.TableInfo.
type TableInfo struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Comment string `json:"comment,omitempty"`
}

// ColumnInfo is jobs.ColumnInfo.
type ColumnInfo struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Nullable bool   `json:"nullable"`
	Comment  string `json:"comment,omitempty"`
	Position int    `json:"position"`
}

// Field is jobs.Field.
type Field struct {
	ID             string `json:"id"`
	Description    string `json:"description,omitempty"`
	Type           string `json:"type"`
	IsIdentifier   bool   `json:"is_identifier,omitempty"`
	IsPII          bool   `json:"is_pii,omitempty"`
	MergeOperation string `json:"merge_operation,omitempty"`
	Capacity       int64  `json:"capacity,omitempty"`
	KeepDays       int64  `json:"keep_days,omitempty"`
}

// Mapping is jobs.Mapping.
type Mapping struct {
	ID              string `json:"id,omitempty"`
	Stream          string `json:"stream"`
	Field           string `json:"field"`
	Expression      string `json:"expression"`
	GuardExpression string `json:"guard_expression,omitempty"`
}

// Audience is jobs.Audience.
type Audience struct {
	ID          string `json:"id,omitempty"`
	Name        string `json:"name"`
	Slug        string `json:"slug,omitempty"`
	Description string `json:"description,omitempty"`
	Filter      string `json:"filter"`
}

// Object is jobs.Object.
type Object struct {
	Field    *Field    `json:"field,omitempty"`
	Mapping  *Mapping  `json:"mapping,omitempty"`
	Audience *Audience `json:"audience,omitempty"`
}

// ObjectOf puts a definition on the wire.
func ObjectOf(o jobs.Object) Object {
	return Object{Field: (*Field)(o.Field), Mapping: (*Mapping)(o.Mapping), Audience: (*Audience)(o.Audience)}
}

// Jobs takes it off the wire.
func (o Object) Jobs() jobs.Object {
	return jobs.Object{Field: (*jobs.Field)(o.Field), Mapping: (*jobs.Mapping)(o.Mapping), Audience: (*jobs.Audience)(o.Audience)}
}

// StreamInfo is jobs.StreamInfo.
type StreamInfo struct {
	Name      string     `json:"name"`
	Events    int64      `json:"events"`
	Bytes     int64      `json:"bytes"`
	FirstTime *time.Time `json:"first_time,omitempty"`
	LastTime  *time.Time `json:"last_time,omitempty"`
}

// Event is a line of a streamed answer: an event, or the end.
type Event struct {
	ID   string          `json:"id,omitempty"`
	Time *time.Time      `json:"time,omitempty"`
	Data json.RawMessage `json:"data,omitempty"`
	End  *End            `json:"end,omitempty"`
}

// Row is a line of a streamed answer: first the fields, then one profile per
// line, then the end.
type Row struct {
	Fields []Field   `json:"fields,omitempty"`
	Values []*string `json:"values,omitempty"`
	End    *End      `json:"end,omitempty"`
}

// End is the last line of a streamed answer; an answer without it is
// incomplete. Problem is nil if everything was sent.
type End struct {
	Problem *Problem `json:"problem,omitempty"`
}

// ValuesOf converts the values of a profile for the wire.
func ValuesOf(row []jobs.Value) []*string {
	out := make([]*string, len(row))
	for i, v := range row {
		if !v.Null {
			out[i] = &row[i].Text
		}
	}
	return out
}

// ValueOf converts a value from the wire.
func ValueOf(text *string) jobs.Value {
	if text == nil {
		return jobs.Value{Null: true}
	}
	return jobs.Value{Text: *text}
}
