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
	// CheckConnection opens a session before the authorization is saved.
	CheckConnection bool
}

// Authorization is a registered AuthorizationSpec.
type Authorization struct {
	ID string
	AuthorizationSpec
	// SecretReadable is false when the store holds no secret that the present
	// encryption key opens; the token must then be sent again.
	SecretReadable bool
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// AuthorizationChange carries a new definition. A nil Token keeps the stored
// one, which is refused when the host changed (a stored token is bound to its
// host).
type AuthorizationChange struct {
	AuthorizationSpec
	Token *Secret
}
