package jobs

import "time"

// AuthorizationSpec is how to reach one Databricks SQL warehouse, as declared.
type AuthorizationSpec struct {
	Label       string
	Description string
	// Host is a bare host name, or for local use an URL with a scheme
	// ("http://127.0.0.1").
	Host     string
	Port     int
	HTTPPath string
	// TokenEnv names the environment variable that holds the token where the
	// run executes. When empty the token is kept, encrypted, in the store.
	TokenEnv string
	// TokenVersion is Terraform's token_wo_version, kept so that it survives
	// an import into another state.
	TokenVersion int64
	// ClientID is a service principal's application id, for OAuth
	// machine-to-machine in place of a token. Its secret is kept, encrypted, in
	// the store; ClientSecretVersion is Terraform's client_secret_wo_version.
	ClientID            string
	ClientSecretVersion int64
	// CatalogAPI is how catalogs, databases, tables and columns are listed.
	CatalogAPI CatalogAPI
	// CheckConnection opens a session before the authorization is saved.
	CheckConnection bool
}

// Authorization is a registered AuthorizationSpec.
type Authorization struct {
	ID string
	AuthorizationSpec
	// SecretReadable is false when the store holds no secret that the present
	// encryption key opens; the token or client secret must then be sent again.
	SecretReadable bool
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// CatalogAPI is how the contents of a workspace are listed.
type CatalogAPI string

// The ways. Empty is CatalogREST.
const (
	// CatalogREST reads Unity Catalog's REST API, which starts no warehouse; the
	// warehouse is asked for hive_metastore, and where there is no Unity Catalog.
	CatalogREST CatalogAPI = "rest"
	// CatalogSQL asks the warehouse for everything.
	CatalogSQL CatalogAPI = "sql"
)

// AuthorizationChange carries a new definition. A nil Token, or a nil
// ClientSecret, keeps the stored one, which is refused when the host changed (a
// stored secret is bound to its host).
type AuthorizationChange struct {
	AuthorizationSpec
	Token        *Secret
	ClientSecret *Secret
}
