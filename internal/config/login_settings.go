package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Login is how this process logs in to a workspace that its operator configures: a token,
// OAuth with a client secret, or a login of an authorization by the same attributes. Secrets
// are in the configuration or in the environment. AllowedLogins is not asked: it is for what
// others than the operator write.
type Login struct {
	// Either Token is set, or ClientID and ClientSecret of a service principal, or what a
	// kind of jobs.Login has.
	Token                Secret   `yaml:"token"`
	ClientID             string   `yaml:"client_id"`
	ClientSecret         Secret   `yaml:"client_secret"`
	AuthType             string   `yaml:"auth_type"`
	Audience             string   `yaml:"audience"`
	IDTokenFile          string   `yaml:"databricks_id_token_filepath"`
	IDTokenEnv           string   `yaml:"oidc_token_env"`
	AzureClientID        string   `yaml:"azure_client_id"`
	AzureTenantID        string   `yaml:"azure_tenant_id"`
	AzureClientSecret    Secret   `yaml:"azure_client_secret"`
	GoogleServiceAccount string   `yaml:"google_service_account"`
	GoogleCredentials    Secret   `yaml:"google_credentials"`
	TokenFile            string   `yaml:"token_file"`
	TokenCommand         []string `yaml:"token_command"`
	Profile              string   `yaml:"profile"`
	ConfigFile           string   `yaml:"config_file"`
}

// Texts are the attributes with one text beside auth_type, by name.
func (l *Login) Texts() map[string]*string {
	return map[string]*string{
		"client_id": &l.ClientID, "audience": &l.Audience, "databricks_id_token_filepath": &l.IDTokenFile, "oidc_token_env": &l.IDTokenEnv,
		"azure_client_id": &l.AzureClientID, "azure_tenant_id": &l.AzureTenantID, "google_service_account": &l.GoogleServiceAccount,
		"token_file": &l.TokenFile, "profile": &l.Profile, "config_file": &l.ConfigFile,
	}
}

// Secrets are the attributes that are secrets, by name.
func (l *Login) Secrets() map[string]*Secret {
	return map[string]*Secret{
		"token": &l.Token, "client_secret": &l.ClientSecret, "azure_client_secret": &l.AzureClientSecret,
		"google_credentials": &l.GoogleCredentials,
	}
}

// secretOf is the secret of a login; nil for a login without one.
func (l *Login) secretOf(k jobs.LoginKind) *Secret {
	return l.Secrets()[strings.TrimSuffix(k.SecretAttribute(), "_wo")]
}

// settings are the attributes at a path of the configuration.
func (l *Login) settings(at string) jobs.LoginSettings {
	s := jobs.LoginSettings{
		At: at, Kinds: jobs.LoginKinds(), AuthType: l.AuthType, Texts: map[string]string{}, Words: map[string][]string{},
		Others: []string{"token", "client_id", "client_secret"}, WithoutLogin: "use token, or client_id and client_secret",
	}
	for name, text := range l.Texts() {
		if *text != "" {
			s.Texts[name] = *text
		}
	}
	for name, secret := range l.Secrets() {
		if !secret.Empty() {
			s.Texts[name] = ""
		}
	}
	if len(l.TokenCommand) > 0 {
		s.Words["token_command"] = l.TokenCommand
	}
	return s
}

// Chosen returns the login, and its secret; nil for a token, and for OAuth with a client
// secret. Complete has refused a login with a mistake.
func (l *Login) Chosen() (*jobs.Login, jobs.Secret) {
	login, err := l.settings("").Login()
	if err != nil || login == nil {
		return nil, jobs.Secret{}
	}
	if s := l.secretOf(login.Kind); s != nil {
		return login, s.Secret
	}
	return login, jobs.Secret{}
}

// given reports whether any attribute is.
func (l *Login) given() bool {
	s := l.settings("")
	return l.AuthType != "" || len(s.Texts)+len(s.Words) > 0
}

// login fills the login at a path of the configuration from variables whose names begin with
// env. It is one: the environment gives the whole of it, or the secret of the one that is given.
func (e *environment) login(l *Login, at, env string) {
	variable := func(name string) string { return env + strings.ToUpper(name) }
	var chosen Login // by the environment, without a secret that may complete another login
	e.text(&chosen.AuthType, variable("auth_type"))
	for name, text := range chosen.Texts() {
		e.text(text, variable(name))
	}
	e.secret(&chosen.Token, variable("token"))
	e.texts(&chosen.TokenCommand, variable("token_command"))
	switch {
	case !l.given():
		*l = chosen
		for name, secret := range l.Secrets() {
			e.secret(secret, variable(name))
		}
	case e.override && chosen.given():
		*l = chosen
	}
	switch login, _ := l.settings(at).Login(); {
	case login.KeepsSecret():
		e.secret(l.secretOf(login.Kind), variable(strings.TrimSuffix(login.Kind.SecretAttribute(), "_wo")))
	case login == nil && l.ClientID != "":
		e.secret(&l.ClientSecret, variable("client_secret"))
	}
	if e.override {
		return
	}
	for _, path := range []struct {
		attribute string
		value     *string
	}{{"databricks_id_token_filepath", &l.IDTokenFile}, {"token_file", &l.TokenFile}, {"config_file", &l.ConfigFile}} {
		e.absolute(at+"."+path.attribute, path.value)
	}
}

// check refuses a login that cannot work as it is written. The errors are joined, one for
// each attribute.
func (l *Login) check(at, env string) error {
	login, err := l.settings(at).Login()
	switch {
	case err != nil:
		return err
	case login == nil && (l.Token.Empty() == (l.ClientID == "") || (l.ClientID == "") != l.ClientSecret.Empty()):
		return jobs.Invalid(at, fmt.Sprintf("The login of %s is incomplete, or there are two", at),
			at+" needs either token, or client_id and client_secret of a service principal, or another login by auth_type.",
			"Set one of them, secrets best as "+env+"TOKEN or "+env+"CLIENT_SECRET")
	case login == nil:
		return nil
	}
	if err := login.Check(); err != nil {
		return below(at, err)
	}
	if login.Kind == jobs.LoginEnvOIDC && IsOwnVariable(login.Variable) {
		return jobs.Invalid(at+".oidc_token_env", fmt.Sprintf("oidc_token_env must not name %s", login.Variable),
			"The configuration of this product, or a library that it uses, reads the variable. It is never sent to a workspace.",
			"Give the token in another variable, such as DATABRICKS_OIDC_TOKEN")
	}
	if s := l.secretOf(login.Kind); s != nil && s.Empty() {
		name := strings.TrimSuffix(login.Kind.SecretAttribute(), "_wo")
		return jobs.Invalid(at+"."+name, fmt.Sprintf("%s has no %s", at, name), fmt.Sprintf("The login %q needs it.", string(login.Kind)),
			"Set it, best as "+env+strings.ToUpper(name))
	}
	return nil
}

// below names the attributes of errors at their path in the configuration.
func below(at string, err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, below(at, e))
		}
		return errors.Join(all...)
	}
	if e, ok := errors.AsType[*jobs.Error](err); ok {
		e.Attribute = at + "." + e.Attribute
	}
	return err
}
