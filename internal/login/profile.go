package login

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/databricks/databricks-sdk-go/config"
	"github.com/databricks/databricks-sdk-go/credentials/u2m"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// profile reads a profile of a configuration file of Databricks' tools.
func (a *attempt) profile() (*config.Config, error) {
	c := &config.Config{Profile: a.login.Profile, ConfigFile: a.login.File}
	if c.ConfigFile == "" {
		c.ConfigFile = a.options.Getenv("DATABRICKS_CONFIG_FILE")
	}
	if err := a.readProfile(c); err != nil {
		return nil, err
	}
	return c, a.choose(c, fmt.Sprintf("profile %q", c.Profile), "host")
}

// readProfile reads the profile that the settings name.
func (a *attempt) readProfile(c *config.Config) error {
	path := c.ConfigFile
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return a.invalid("The configuration file cannot be found", err.Error()+".", "Set config_file, or HOME")
		}
		path = filepath.Join(home, ".databrickscfg")
	}
	const next = "Correct profile and config_file, or create the profile with: databricks configure --profile"
	// The SDK reads without a limit, and takes a file that is missing for an empty one.
	if _, err := egress.ReadFile(path, 1<<20); err != nil {
		return a.invalid("The configuration file cannot be read", fmt.Sprintf("%v, in the process that executes the run.", err), next)
	}
	c.ConfigFile = path
	if err := config.ConfigFile.Configure(c); err != nil {
		if strings.Contains(err.Error(), "profile configured") {
			return a.invalid(fmt.Sprintf("There is no profile %q", c.Profile), fmt.Sprintf("%s does not have it.", path), next)
		}
		// The error of the parser quotes the line, which may have a secret.
		return a.invalid("The configuration file cannot be read",
			path+" has a line that is neither a section nor a setting, or a setting of another type.",
			"Correct it")
	}
	return nil
}

// environment reads the variables of Databricks' tools, and the profile that they name.
func (a *attempt) environment() (*config.Config, error) {
	c := &config.Config{}
	for _, attribute := range config.ConfigAttributes {
		for _, name := range attribute.EnvVars {
			value := a.options.Getenv(name)
			if value == "" {
				continue
			}
			if err := attribute.SetS(c, value); err != nil {
				return nil, a.invalid("An environment variable cannot be read", fmt.Sprintf("%s has a value of another type.", name),
					"Correct or unset it")
			}
			break
		}
	}
	if c.Profile != "" {
		if err := a.readProfile(c); err != nil {
			return nil, err
		}
	}
	return c, a.choose(c, "environment", "DATABRICKS_HOST")
}

// choose checks that the settings are for the workspace, and sets AuthType to the kind of
// login. from is where they come from, and hostName how the host is called there.
func (a *attempt) choose(c *config.Config, from, hostName string) error {
	for _, secret := range []string{c.Token, c.ClientSecret, c.AzureClientSecret, c.GoogleCredentials, c.Password} {
		a.transport.learn(secret)
	}
	if err := a.checkHost(c.Host, from, hostName); err != nil {
		return err
	}
	c.AuthType = a.kind(c)
	unsupported := []string{"basic", "metadata-service", "azure-devops-oidc", "github-oidc-azure"}
	switch {
	case c.AuthType == "":
		return a.invalid(fmt.Sprintf("The %s has no credential", from),
			"It has none of the settings by which Databricks' tools choose a login.",
			"Set auth_type there, with the settings of that login")
	case slices.Contains(unsupported, c.AuthType):
		return a.invalid(fmt.Sprintf("The %s has a login of the kind %q", from, c.AuthType), "This provider does not have it.",
			"Choose another auth_type there, such as oauth-m2m")
	}
	if c.OIDCTokenEnv == "" {
		c.OIDCTokenEnv = "DATABRICKS_OIDC_TOKEN"
	}
	return nil
}

// checkHost refuses settings for another workspace: a credential is never sent to another
// host than the one that it was configured for.
func (a *attempt) checkHost(host, from, name string) error {
	next := fmt.Sprintf("Set %s to %s there, or correct host of the authorization", name, a.workspace())
	if host == "" {
		return a.invalid(fmt.Sprintf("The %s names no workspace", from),
			fmt.Sprintf("%s is not set there, so its credential may be for another workspace "+
				"than the one of the authorization.", name), next)
	}
	full := host
	if !strings.Contains(full, "://") {
		full = "https://" + full
	}
	u, err := url.Parse(full)
	if err != nil || u.Scheme != a.at.URL.Scheme || !sameHost(&url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, a.at.URL) {
		return a.invalid(fmt.Sprintf("The %s is for another workspace", from), fmt.Sprintf("It has %q, and the authorization %s.", host,
			a.workspace()), next)
	}
	return nil
}

// kind is the login that Databricks' SDK would choose for the settings, without trying
// one after the other: its order, and what each needs.
func (a *attempt) kind(c *config.Config) string {
	is := func(kind jobs.LoginKind) string { return string(kind) }
	switch azure := a.azureHost(); {
	case c.AuthType != "":
		return c.AuthType
	case c.Token != "":
		return "pat"
	case c.Username != "" && c.Password != "":
		return "basic"
	case c.ClientID != "" && c.ClientSecret != "":
		return "oauth-m2m"
	case c.ClientID != "" && a.options.Getenv(gitHubURLVariable) != "":
		return is(jobs.LoginGitHubOIDC)
	case c.OIDCTokenEnv != "", a.options.Getenv("DATABRICKS_OIDC_TOKEN") != "":
		return is(jobs.LoginEnvOIDC)
	case c.OIDCTokenFilepath != "":
		return is(jobs.LoginFileOIDC)
	case c.AzureUseMSI:
		return is(jobs.LoginAzureMSI)
	case c.AzureClientID != "" && c.AzureClientSecret != "" && c.AzureTenantID != "":
		return is(jobs.LoginAzureClientSecret)
	case c.GoogleCredentials != "":
		return is(jobs.LoginGoogleCredentials)
	case c.GoogleServiceAccount != "":
		return is(jobs.LoginGoogleID)
	case azure:
		return is(jobs.LoginAzureCLI)
	}
	return ""
}

// databricksCLI takes the token that "databricks auth login" left in its cache, and
// renews it there.
func (a *attempt) databricksCLI(*config.Config) (Token, error) {
	login := "Run databricks auth login --host " + a.workspace() + " as the user of the process that executes the run"
	argument, err := u2m.NewBasicWorkspaceOAuthArgument(a.audience())
	if err != nil {
		return Token{}, a.invalid("Databricks' command line has no login for the workspace", err.Error()+".", login)
	}
	persistent, err := u2m.NewPersistentAuth(a.ctx, u2m.WithOAuthArgument(argument), u2m.WithHttpClient(a.client),
		u2m.WithOAuthEndpointSupplier(supplier{a}))
	if err != nil {
		return Token{}, a.invalid("The cache of Databricks' command line cannot be read", excerpt(err.Error()), login)
	}
	defer func() { _ = persistent.Close() }()
	token, err := persistent.Token()
	if err != nil {
		if _, refused := errors.AsType[*u2m.InvalidRefreshTokenError](err); refused || strings.Contains(err.Error(), "cache") {
			return Token{}, a.invalid("Databricks' command line has no login for the workspace", excerpt(err.Error()), login)
		}
		return Token{}, a.failed(err, "The workspace "+a.at.URL.Host, login)
	}
	a.transport.learn(token.RefreshToken)
	return issued(token), nil
}
