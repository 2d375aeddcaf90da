package jobs

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Login is how the process that executes a run gets access tokens, for every kind
// beside a stored token, a variable with a token, and OAuth with a stored client secret.
// LoginFields says which fields a kind has.
type Login struct {
	Kind LoginKind `json:"kind"`
	// Identity is who logs in: the application id of a service principal in Databricks,
	// the client id of an application or managed identity in Microsoft Entra, or the
	// address of a Google service account.
	Identity string `json:"identity,omitempty"`
	// Audience is the audience that is asked of the issuer of an identity token.
	Audience string `json:"audience,omitempty"`
	// Tenant is the id of the directory in Microsoft Entra.
	Tenant string `json:"tenant,omitempty"`
	// File is what the kind reads: a file with a token, or a configuration file.
	File string `json:"file,omitempty"`
	// Variable is the name of an environment variable with an identity token.
	Variable string `json:"variable,omitempty"`
	// Profile is the name of a profile of a configuration file.
	Profile string `json:"profile,omitempty"`
	// Command is a program and its arguments. It prints a token.
	Command []string `json:"command,omitempty"`
}

// LoginKind is a kind of login. Those that Databricks' unified authentication has too
// have its names.
type LoginKind string

// The kinds of logins.
const (
	LoginTokenFile         LoginKind = "token-file"
	LoginTokenCommand      LoginKind = "token-command"
	LoginProfile           LoginKind = "profile"
	LoginEnvironment       LoginKind = "environment"
	LoginGitHubOIDC        LoginKind = "github-oidc"
	LoginFileOIDC          LoginKind = "file-oidc"
	LoginEnvOIDC           LoginKind = "env-oidc"
	LoginAzureCLI          LoginKind = "azure-cli"
	LoginAzureMSI          LoginKind = "azure-msi"
	LoginAzureClientSecret LoginKind = "azure-client-secret"
	LoginGoogleCredentials LoginKind = "google-credentials"
	LoginGoogleID          LoginKind = "google-id"
	LoginDatabricksCLI     LoginKind = "databricks-cli"
)

// IssuesTokens reports whether the login asks an issuer for access tokens, by OAuth. The
// others read a token that something else keeps or issued.
func (k LoginKind) IssuesTokens() bool {
	switch k {
	case LoginTokenFile, LoginTokenCommand, LoginProfile, LoginEnvironment, "":
		return false
	}
	return true
}

// LoginField is a field of Login that a kind has.
type LoginField struct {
	// Attribute is its name in Terraform.
	Attribute string
	Required  bool
	// Names means that the field names something of the process that executes the run,
	// such as a file: an operator allows the kind for chosen names only.
	Names bool
	text  func(*Login) *string
	words func(*Login) *[]string
}

// Text returns the field's text in the login; nil for a list of words.
func (f LoginField) Text(l *Login) *string {
	if f.text == nil {
		return nil
	}
	return f.text(l)
}

// Words returns the field's list of words in the login; nil for a text.
func (f LoginField) Words(l *Login) *[]string {
	if f.words == nil {
		return nil
	}
	return f.words(l)
}

// given reports whether the login has the field.
func (f LoginField) given(l *Login) bool {
	if f.words != nil {
		return len(*f.words(l)) > 0
	}
	return *f.text(l) != ""
}

func identity(l *Login) *string { return &l.Identity }
func audience(l *Login) *string { return &l.Audience }
func tenant(l *Login) *string   { return &l.Tenant }
func file(l *Login) *string     { return &l.File }
func variable(l *Login) *string { return &l.Variable }
func profile(l *Login) *string  { return &l.Profile }

// loginFields are the kinds, in the order of the documentation, with their fields.
var loginFields = []struct {
	kind   LoginKind
	fields []LoginField
	// secret is the attribute of the stored secret; empty for none.
	secret string
}{
	{kind: LoginGitHubOIDC, fields: []LoginField{{Attribute: "client_id", text: identity}, {Attribute: "audience", text: audience}}},
	{kind: LoginFileOIDC, fields: []LoginField{
		{Attribute: "databricks_id_token_filepath", Required: true, Names: true, text: file}, {Attribute: "client_id", text: identity}}},
	{kind: LoginEnvOIDC, fields: []LoginField{
		{Attribute: "oidc_token_env", Required: true, Names: true, text: variable}, {Attribute: "client_id", text: identity}}},
	{kind: LoginAzureCLI, fields: []LoginField{{Attribute: "azure_tenant_id", text: tenant}}},
	{kind: LoginAzureMSI, fields: []LoginField{{Attribute: "azure_client_id", text: identity}}},
	{kind: LoginAzureClientSecret, secret: "azure_client_secret_wo", fields: []LoginField{
		{Attribute: "azure_client_id", Required: true, text: identity}, {Attribute: "azure_tenant_id", Required: true, text: tenant}}},
	{kind: LoginGoogleCredentials, secret: "google_credentials_wo"},
	{kind: LoginGoogleID, fields: []LoginField{{Attribute: "google_service_account", Required: true, text: identity}}},
	{kind: LoginTokenFile, fields: []LoginField{{Attribute: "token_file", Required: true, Names: true, text: file}}},
	{kind: LoginTokenCommand, fields: []LoginField{
		{Attribute: "token_command", Required: true, Names: true, words: func(l *Login) *[]string { return &l.Command }}}},
	{kind: LoginProfile, fields: []LoginField{
		{Attribute: "profile", Required: true, Names: true, text: profile}, {Attribute: "config_file", text: file}}},
	{kind: LoginEnvironment},
	{kind: LoginDatabricksCLI},
}

// LoginKinds returns the kinds, in the order of the documentation.
func LoginKinds() []LoginKind {
	out := make([]LoginKind, len(loginFields))
	for i, k := range loginFields {
		out[i] = k.kind
	}
	return out
}

// Fields returns the fields of the kind, and whether there is such a kind.
func (k LoginKind) Fields() ([]LoginField, bool) {
	for _, known := range loginFields {
		if known.kind == k {
			return known.fields, true
		}
	}
	return nil, false
}

// SecretAttribute is the attribute that gives the stored secret of the kind; empty for a
// kind without one.
func (k LoginKind) SecretAttribute() string {
	for _, known := range loginFields {
		if known.kind == k {
			return known.secret
		}
	}
	return ""
}

// NamesObject reports whether definitions of the kind name something of the process that
// executes the run.
func (k LoginKind) NamesObject() bool {
	fields, _ := k.Fields()
	return slices.ContainsFunc(fields, func(f LoginField) bool { return f.Names })
}

// Object is what the login names of the process that executes the run: a file, a
// variable, a profile, or a command with its arguments, with quotes around those that have
// blanks. It is empty for the other kinds.
func (l *Login) Object() string {
	switch l.Kind {
	case LoginFileOIDC, LoginTokenFile:
		return l.File
	case LoginEnvOIDC:
		return l.Variable
	case LoginTokenCommand:
		words := slices.Clone(l.Command)
		for i, w := range words {
			if strings.ContainsAny(w, " \t\r\n\"") {
				words[i] = strconv.Quote(w)
			}
		}
		return strings.Join(words, " ")
	case LoginProfile:
		if l.File != "" {
			return l.File + "#" + l.Profile
		}
		return l.Profile
	}
	return ""
}

// HasParent reports whether a path has a part "..", by the separators of any system.
func HasParent(path string) bool {
	return slices.Contains(strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' }), "..")
}

// KeepsSecret reports whether the store keeps a secret for the login.
func (l *Login) KeepsSecret() bool { return l != nil && l.Kind.SecretAttribute() != "" }

// Attribute is the attribute that an error of the login is about: the first one of its
// fields that it has, or auth_type.
func (l *Login) Attribute() string {
	if a := l.Kind.SecretAttribute(); a != "" {
		return a
	}
	fields, _ := l.Kind.Fields()
	for _, f := range fields {
		if f.Names {
			return f.Attribute
		}
	}
	return "auth_type"
}

// client is the identity to which a stored secret of the login is bound.
func (l *Login) client() string {
	if !l.KeepsSecret() {
		return ""
	}
	return strings.TrimRight(fmt.Sprintf("%s %s %s", l.Kind, l.Identity, l.Tenant), " ")
}

var googleServiceAccount = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(@[A-Za-z0-9.-]+)?$`)

// IsGoogleServiceAccount reports whether a text can be the address or the id of a Google
// service account. It is a part of a URL, where other texts would lead elsewhere.
func IsGoogleServiceAccount(text string) bool { return googleServiceAccount.MatchString(text) }

// Check refuses a login that has not the fields of its kind. The errors are joined, one
// for each attribute.
func (l *Login) Check() error {
	fields, ok := l.Kind.Fields()
	if !ok {
		names := make([]string, len(loginFields))
		for i, k := range loginFields {
			names[i] = string(k.kind)
		}
		return Invalid("auth_type", fmt.Sprintf("There is no login %q", string(l.Kind)), "The logins are "+strings.Join(names, ", ")+".",
			"Set auth_type to one of them, or give token_wo, token_env, or client_id with client_secret_wo without it")
	}
	var errs []error
	rest := *l
	for _, f := range fields {
		if f.Required && !f.given(l) {
			errs = append(errs, Invalid(f.Attribute, fmt.Sprintf("auth_type = %q needs %s", string(l.Kind), f.Attribute),
				"The login has nothing to start from without it.", "Set "+f.Attribute))
		}
		if f.given(l) && l.Kind == LoginGoogleID && !IsGoogleServiceAccount(l.Identity) {
			errs = append(errs, Invalid(f.Attribute, fmt.Sprintf("%s = %q is no service account", f.Attribute, l.Identity),
				"It is neither the address nor the id of a Google service account.",
				"Give the address, such as NAME@PROJECT.iam.gserviceaccount.com"))
		}
		if f.words != nil {
			*f.words(&rest) = nil
		} else {
			*f.text(&rest) = ""
		}
	}
	if rest.Identity+rest.Audience+rest.Tenant+rest.File+rest.Variable+rest.Profile != "" || len(rest.Command) > 0 {
		errs = append(errs, Invalid("auth_type", fmt.Sprintf("The login %q has settings of another kind", string(l.Kind)),
			fmt.Sprintf("It takes %s.", attributesOf(fields)), "Leave the others out"))
	}
	return errors.Join(errs...)
}

func attributesOf(fields []LoginField) string {
	if len(fields) == 0 {
		return "no further attribute"
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Attribute
	}
	return strings.Join(names, " and ")
}

// CheckLogin refuses a definition whose login cannot work as written, or that has another
// credential beside it. The errors are joined, one for each attribute.
func (s AuthorizationSpec) CheckLogin() error {
	if s.Login == nil {
		kind, _, _ := strings.Cut(s.ClientID, " ")
		if LoginKind(kind).SecretAttribute() == "" {
			return nil
		}
		// A secret of such a login is bound to a text that begins with the kind.
		return Invalid("client_id", fmt.Sprintf("client_id must not be the name of the login %q", kind),
			"It is the application id of a service principal.", fmt.Sprintf("Give that id; or set auth_type = %q and leave client_id out", kind))
	}
	if s.TokenEnv != "" || s.ClientID != "" {
		return Invalid("auth_type", "Two credentials for one authorization",
			fmt.Sprintf("It has a login of the kind %q, and token_env or a client with a stored secret.", string(s.Login.Kind)), "Keep one of them")
	}
	return s.Login.Check()
}
