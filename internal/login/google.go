package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/databricks/databricks-sdk-go/config"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/impersonate"
	"google.golang.org/api/option"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

const cloudPlatform = "https://www.googleapis.com/auth/cloud-platform"

// googleCredentials obtains an identity token for the key of a Google service account.
// The workspace is its audience.
func (a *attempt) googleCredentials(c *config.Config) (Token, error) {
	text := []byte(c.GoogleCredentials)
	if path := strings.TrimSpace(c.GoogleCredentials); path != "" && !strings.HasPrefix(path,
		"{") && a.login.Kind.SecretAttribute() == "" {
		var err error
		if text, err = egress.ReadFile(path, maxToken); err != nil {
			return Token{}, a.invalid("The key of the Google service account cannot be read", err.Error()+".",
				"Give the path of its JSON file")
		}
	}
	const next = "Give the JSON key of a service account, as the Google Cloud console makes it, and check that the account is in the workspace"
	// Other types of credentials name programs and URLs, from which a token would be taken.
	var key struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(text, &key); err != nil || key.Type != "service_account" {
		return Token{}, a.invalid("The Google credentials are not the key of a service account",
			"They are not JSON with the type service_account. "+
				"They are not repeated here.", next)
	}
	signer, err := google.JWTConfigFromJSON(text)
	if err != nil {
		return Token{}, a.invalid("The key of the Google service account cannot be used", "Its private key cannot be read.", next)
	}
	signer.PrivateClaims, signer.UseIDToken = map[string]any{"target_audience": a.audience()}, true
	token, err := signer.TokenSource(a.ctx).Token()
	if err != nil {
		return Token{}, a.failed(err, "Google", next)
	}
	return issued(token), nil
}

// audience is the audience of Google's identity tokens: the URL of the workspace as
// people write it, without a default port.
func (a *attempt) audience() string {
	return strings.TrimSuffix(a.workspace(), map[string]string{"https": ":443", "http": ":80"}[a.at.URL.Scheme])
}

// googleID obtains an identity token for a Google service account, which the default
// credentials of this process may impersonate.
func (a *attempt) googleID(c *config.Config) (Token, error) {
	// A profile or the environment names an account without a check of the definition.
	if !jobs.IsGoogleServiceAccount(c.GoogleServiceAccount) {
		return Token{}, a.invalid(fmt.Sprintf("%q is no Google service account", c.GoogleServiceAccount),
			"It is neither the address nor the id of one.", "Give the address, such as NAME@PROJECT.iam.gserviceaccount.com")
	}
	base, err := a.googleDefault()
	if err != nil {
		return Token{}, err
	}
	const next = "Give the account that this process runs as the role Service Account Token Creator on google_service_account"
	client := &http.Client{Transport: &oauth2.Transport{Source: base, Base: a.transport}, CheckRedirect: a.client.CheckRedirect}
	source, err := impersonate.IDTokenSource(a.ctx, impersonate.IDTokenConfig{
		Audience: a.audience(), TargetPrincipal: c.GoogleServiceAccount, IncludeEmail: true,
	}, option.WithHTTPClient(client))
	if err != nil {
		return Token{}, a.failed(err, "Google", next)
	}
	token, err := source.Token()
	if err != nil {
		if !strings.Contains(err.Error(), "status code ") {
			return Token{}, a.failed(err, "Google", next)
		}
		return Token{}, a.failed(&statusError{status: a.transport.lastStatus(), text: excerpt(err.Error())}, "Google", next)
	}
	return issued(token), nil
}

// googleDefault returns Google's default credentials: a file that
// GOOGLE_APPLICATION_CREDENTIALS names, that of gcloud, or the machine's account. The
// library finds the same, but asks the machine through a client of its own.
func (a *attempt) googleDefault() (oauth2.TokenSource, error) {
	path := a.options.Getenv("GOOGLE_APPLICATION_CREDENTIALS")
	given := path != ""
	if !given {
		path = gcloudFile(a.options.Getenv)
	}
	text, err := egress.ReadFile(path, maxToken)
	switch {
	case err == nil:
	case given || !errors.Is(err, os.ErrNotExist):
		return nil, a.invalid("Google's default credentials cannot be read", err.Error()+".",
			"Correct GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login")
	default:
		return oauth2.ReuseTokenSource(nil, machineAccount{a}), nil
	}
	var file struct {
		Type google.CredentialsType `json:"type"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, a.invalid("Google's default credentials cannot be read", path+" is not JSON.",
			"Run gcloud auth application-default login")
	}
	credentials, err := google.CredentialsFromJSONWithType(a.ctx, text, file.Type, cloudPlatform)
	if err != nil {
		return nil, a.invalid("Google's default credentials cannot be used", excerpt(err.Error()),
			"Run gcloud auth application-default login")
	}
	return credentials.TokenSource, nil
}

func gcloudFile(getenv func(string) string) string {
	const name = "application_default_credentials.json"
	if runtime.GOOS == "windows" {
		return filepath.Join(getenv("APPDATA"), "gcloud", name)
	}
	return filepath.Join(getenv("HOME"), ".config", "gcloud", name)
}

// machineAccount is the service account of a machine of Google Cloud, from its metadata
// server (Google's documentation of the metadata server).
type machineAccount struct{ *attempt }

// Token implements oauth2.TokenSource.
func (m machineAccount) Token() (*oauth2.Token, error) {
	host := m.options.Getenv("GCE_METADATA_HOST")
	if host == "" {
		host = "169.254.169.254"
	}
	address := "http://" + host + "/computeMetadata/v1/instance/service-accounts/default/token?scopes=" + cloudPlatform
	m.transport.trustLocal(address)
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	const next = "Run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS, where the run executes; a machine of Google " +
		"Cloud needs a service account"
	if err := m.getJSON(address, http.Header{"Metadata-Flavor": {"Google"}}, &answer); err != nil {
		return nil, m.failed(err, "The service account of this machine", next)
	}
	if answer.AccessToken == "" {
		return nil, m.invalid("The service account of this machine has no token",
			fmt.Sprintf("The metadata server %s answered without one.", host), next)
	}
	return &oauth2.Token{AccessToken: answer.AccessToken, Expiry: time.Now().Add(time.Duration(answer.ExpiresIn) * time.Second)}, nil
}

var _ oauth2.TokenSource = machineAccount{}
