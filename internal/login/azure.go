package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/databricks/databricks-sdk-go/common/environment"
	"github.com/databricks/databricks-sdk-go/config"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// azure returns the Azure cloud of the workspace, with the id of Databricks' application
// there. A host of its own counts as one of the public cloud.
func (a *attempt) azure() environment.DatabricksEnvironment {
	e := environment.GetEnvironmentForHostname(a.at.URL.Hostname())
	if e.AzureEnvironment == nil {
		e = environment.GetEnvironmentForHostname("workspace.azuredatabricks.net")
	}
	return e
}

// azureHost reports whether the workspace is one of Azure.
func (a *attempt) azureHost() bool {
	return environment.GetEnvironmentForHostname(a.at.URL.Hostname()).Cloud == environment.CloudAzure
}

// entraID is the id or name of a directory, application or identity. It is part of a URL
// or an argument of a program.
var entraID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

func checkEntraID(attribute, id string) error {
	if id == "" || entraID.MatchString(id) {
		return nil
	}
	return jobs.Invalid(attribute, fmt.Sprintf("%q is not an id of Microsoft Entra", id), "An id has letters, digits, dots and hyphens.",
		"Copy the id from the Azure portal")
}

// azureClientSecret obtains a token of Microsoft Entra for an application and its secret,
// as Databricks' SDK does.
func (a *attempt) azureClientSecret(c *config.Config) (Token, error) {
	if c.AzureClientID == "" || c.AzureTenantID == "" || c.AzureClientSecret == "" {
		return Token{}, a.invalid("The login of the Entra application is not complete",
			"It needs the client id, the tenant id and the client secret.",
			"Give all three: in the definition, in the profile, or as ARM_CLIENT_ID, ARM_TENANT_ID and ARM_CLIENT_SECRET in the environment")
	}
	if err := errors.Join(checkEntraID("azure_tenant_id", c.AzureTenantID), checkEntraID("azure_client_id",
		c.AzureClientID)); err != nil {
		return Token{}, err
	}
	authority := a.azure().AzureActiveDirectoryEndpoint()
	// Azure's own libraries read this variable too.
	if own := a.options.Getenv("AZURE_AUTHORITY_HOST"); own != "" {
		if !strings.Contains(own, "://") {
			own = "https://" + own
		}
		authority = own
		a.transport.trust(own)
	}
	token, err := (&clientcredentials.Config{
		ClientID: c.AzureClientID, ClientSecret: c.AzureClientSecret, AuthStyle: oauth2.AuthStyleInParams,
		TokenURL:       strings.TrimSuffix(authority, "/") + "/" + c.AzureTenantID + "/oauth2/token",
		EndpointParams: url.Values{"resource": {a.azure().AzureApplicationID}},
	}).Token(a.ctx)
	if err != nil {
		return Token{}, a.failed(err, "Microsoft Entra",
			"Check azure_tenant_id and azure_client_id; make a new client secret of the application, and "+
				"give it in azure_client_secret_wo with a higher azure_client_secret_wo_version")
	}
	return issued(token), nil
}

// azureIdentity obtains a token for the managed identity of the machine: from App
// Service's endpoint where its variables are set, which Container Apps and Functions have
// too, else from the instance metadata service (Microsoft's documentation of both).
func (a *attempt) azureIdentity(c *config.Config) (Token, error) {
	if err := checkEntraID("azure_client_id", c.AzureClientID); err != nil {
		return Token{}, err
	}
	base, header, version := "http://169.254.169.254/metadata/identity/oauth2/token", http.Header{"Metadata": {"true"}}, "2018-02-01"
	if own := a.options.Getenv("AZURE_POD_IDENTITY_AUTHORITY_HOST"); own != "" {
		base = strings.TrimSuffix(own, "/") + "/metadata/identity/oauth2/token"
	}
	if endpoint, secret := a.options.Getenv("IDENTITY_ENDPOINT"), a.options.Getenv("IDENTITY_HEADER"); endpoint != "" && secret != "" {
		a.transport.learn(secret)
		base, header, version = endpoint, http.Header{"X-IDENTITY-HEADER": {secret}}, "2019-08-01"
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return Token{}, a.invalid("The endpoint of the managed identity is not a URL",
			"An environment variable of this process names it.",
			"Correct IDENTITY_ENDPOINT or AZURE_POD_IDENTITY_AUTHORITY_HOST")
	}
	query := url.Values{"api-version": {version}, "resource": {a.azure().AzureApplicationID}}
	if c.AzureClientID != "" {
		query.Set("client_id", c.AzureClientID)
	}
	u.RawQuery = query.Encode()
	a.transport.trustLocal(base)
	var answer struct {
		AccessToken string      `json:"access_token"`
		ExpiresOn   json.Number `json:"expires_on"`
	}
	const next = "Assign a managed identity to the machine that executes the run; for a user-assigned one, give its client id in azure_client_id"
	if err := a.getJSON(u.String(), header, &answer); err != nil {
		// The service answers so for a moment while it is updated.
		if refused, ok := errors.AsType[*statusError](err); ok && (refused.status == http.StatusNotFound || refused.status == http.StatusGone) {
			refused.status = http.StatusServiceUnavailable
		}
		failed := a.failed(err, "The managed identity of this machine", next)
		if e, ok := errors.AsType[*jobs.Error](failed); ok && e.Code == jobs.CodeUnreachable {
			e.Next = next + ". Outside Azure, use another login"
		}
		return Token{}, failed
	}
	if answer.AccessToken == "" {
		return Token{}, a.invalid("The managed identity of this machine answered without a token", "Its answer has no access_token.",
			next)
	}
	return newToken(answer.AccessToken, epoch(answer.ExpiresOn)), nil
}

// azureCLI obtains a token from Azure's command line, with the arguments of Databricks'
// SDK. The SDK's own function neither ends with the context nor limits the output.
func (a *attempt) azureCLI(c *config.Config) (Token, error) {
	if err := checkEntraID("azure_tenant_id", c.AzureTenantID); err != nil {
		return Token{}, err
	}
	command := []string{"az", "account", "get-access-token", "--resource", a.azure().AzureApplicationID, "--output", "json"}
	if c.AzureTenantID != "" {
		command = append(command, "--tenant", c.AzureTenantID)
	}
	output, err := a.run(command)
	switch failed, ok := errors.AsType[*commandError](err); {
	case ok && failed.missing:
		return Token{}, a.invalid("Azure's command line is not installed",
			"The program az is not on the PATH of the process that executes the run.",
			"Install it and run az login, or use another login")
	case ok:
		return Token{}, a.invalid("Azure's command line gave no token", failed.reason+": "+excerpt(failed.messages),
			"Run az login as the user of the process that executes the run; with azure_tenant_id, az login --tenant and the id")
	case err != nil:
		return Token{}, err
	}
	token, ok := printedToken(output)
	if !ok {
		return Token{}, a.invalid("The output of Azure's command line has no token",
			"It is not JSON with accessToken. It is not repeated here.",
			"Update the command line: az upgrade")
	}
	return token, nil
}
