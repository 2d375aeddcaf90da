package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// writeOnlySecret is a write-only attribute with its version. Terraform does not
// keep the value, so a changed version tells that there is a new one.
type writeOnlySecret struct {
	name, noun string
	value      func(authorizationModel) types.String
	version    func(authorizationModel) types.Int64
}

var (
	accessToken = writeOnlySecret{"token_wo", "token",
		func(m authorizationModel) types.String { return m.TokenWO },
		func(m authorizationModel) types.Int64 { return m.TokenVersion }}
	clientSecret = writeOnlySecret{"client_secret_wo", "client secret",
		func(m authorizationModel) types.String { return m.ClientSecretWO },
		func(m authorizationModel) types.Int64 { return m.ClientSecretVersion }}
	azureSecret = writeOnlySecret{"azure_client_secret_wo", "client secret",
		func(m authorizationModel) types.String { return m.AzureClientSecretWO },
		func(m authorizationModel) types.Int64 { return m.AzureClientSecretVersion }}
	googleKey = writeOnlySecret{"google_credentials_wo", "key of the service account",
		func(m authorizationModel) types.String { return m.GoogleCredentialsWO },
		func(m authorizationModel) types.Int64 { return m.GoogleCredentialsVersion }}
)

// secret is the kind of secret that the definition uses.
func (m authorizationModel) secret() writeOnlySecret {
	switch kind := m.kind(); {
	case kind == jobs.LoginAzureClientSecret:
		return azureSecret
	case kind == jobs.LoginGoogleCredentials:
		return googleKey
	case kind == "" && !m.ClientID.IsNull():
		return clientSecret
	}
	return accessToken
}

// isSent reports whether the plan sends the secret to the store.
func (w writeOnlySecret) isSent(planned, prior authorizationModel) bool {
	v := w.version(planned)
	return !v.IsNull() && !v.Equal(w.version(prior))
}
