package jobs

import "time"

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
	// ClientSecretVersion is Terraform's client_secret_wo_version.
	ClientID            string
	ClientSecretVersion int64
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
	CreatedAt      time.Time
	UpdatedAt      time.Time
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

// AuthorizationChange carries a new definition. A nil Token or ClientSecret
// keeps the stored secret; a changed host then is an error, because a stored
// secret is bound to its host.
type AuthorizationChange struct {
	AuthorizationSpec
	Token        *Secret
	ClientSecret *Secret
}
