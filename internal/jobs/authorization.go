package jobs

import (
	"context"
	"time"
)

// AuthorizationSpec is how to reach one Databricks SQL warehouse, as declared.
type AuthorizationSpec struct {
	Label       string
	Description string
	// Host is a host name without a scheme, or, for local use, a URL with one
	// ("http://127.0.0.1").
	Host     string
	Port     int
	HTTPPath string
	// ManagedBy is who keeps the authorization and connects with it; empty is
	// ManagedByProvider.
	ManagedBy Manager
	// TokenEnv names the environment variable that holds the token in the process
	// that executes the run. If empty, the token is stored, encrypted.
	TokenEnv string
	// TokenVersion is Terraform's token_wo_version, kept so that it survives
	// an import into another state.
	TokenVersion int64
	// ClientID is a service principal's application id, for OAuth
	// machine-to-machine instead of a token. Its secret is stored, encrypted;
	// ClientSecretVersion is Terraform's client_secret_wo_version, or the version of
	// the secret that is kept for Login.
	ClientID            string
	ClientSecretVersion int64
	// Login is how tokens are obtained, instead of the above; nil for none.
	Login *Login
	// CAFile is a PEM file of the process that executes the run. Its certificate
	// authorities are trusted by the connections of this authorization, in addition to
	// the system's and to the operator's. Empty for none.
	CAFile string
	// CatalogAPI selects how catalogs, databases, tables and columns are listed.
	CatalogAPI CatalogAPI
	// CheckConnection opens a session before the authorization is saved.
	CheckConnection bool
}

// Authorization is a registered AuthorizationSpec.
type Authorization struct {
	ID string
	AuthorizationSpec
	// LyticsID is its id in the Lytics account; empty when it is not managed there.
	LyticsID string
	// SecretReadable is false if the store has no secret, or cannot decrypt it
	// with the current encryption key. The token or client secret must then be
	// sent again.
	SecretReadable bool
	// Warnings say what will make a later release refuse the authorization, or makes
	// its runs fail, and what the operator has to do about it.
	Warnings  []Failure
	CreatedAt time.Time
	UpdatedAt time.Time
}

// CatalogAPI selects how catalogs, databases, tables and columns are listed.
type CatalogAPI string

// The catalog APIs. Empty is CatalogREST.
const (
	// CatalogREST reads Unity Catalog's REST API, which needs no running
	// warehouse. hive_metastore, and workspaces without Unity Catalog, are read
	// through the warehouse.
	CatalogREST CatalogAPI = "rest"
	// CatalogSQL reads everything through the warehouse.
	CatalogSQL CatalogAPI = "sql"
)

// AuthorizationChange carries a new definition. ClientSecret is also the secret of a
// Login that has one. A nil Token or ClientSecret keeps the stored secret; a changed Destination then is an error, because a stored
// secret is bound to it.
type AuthorizationChange struct {
	AuthorizationSpec
	Token        *Secret
	ClientSecret *Secret
}

// TokenIssuer is implemented by an API that opens its store in this process. A runner's
// client is none: whoever held a token of the runner would get the rights of its
// authorizations in their workspaces.
type TokenIssuer interface {
	// IssueToken obtains an access token of the workspace by the OAuth login of an
	// authorization. For one whose credential is a token the error is CodeInvalid.
	IssueToken(ctx context.Context, authorizationID string) (WorkspaceToken, error)
}

// WorkspaceToken is an access token of a workspace.
type WorkspaceToken struct {
	Secret Secret
	// Expires is when it ends; zero means that it is not known.
	Expires time.Time
}

// CheckIssuesTokens refuses an authorization whose login issues no access tokens.
func (a Authorization) CheckIssuesTokens() error {
	if !a.ManagedBy.IsLytics() && (a.ClientID != "" && a.Login == nil || a.Login != nil && a.Login.Kind.IssuesTokens()) {
		return nil
	}
	return Invalid("authorization_id", "The authorization issues no access tokens",
		"Its credential is a token that something else issued, and it does not leave the place where it is kept.",
		"Give an authorization with OAuth: client_id with client_secret_wo, or an auth_type that asks an issuer")
}
