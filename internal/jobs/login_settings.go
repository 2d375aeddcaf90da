package jobs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// toldBy are the attributes that tell the login where auth_type is left out.
var toldBy = []struct {
	attribute string
	kind      LoginKind
}{
	{"profile", LoginProfile},
	{"token_file", LoginTokenFile},
	{"token_command", LoginTokenCommand},
	{"databricks_id_token_filepath", LoginFileOIDC},
	{"oidc_token_env", LoginEnvOIDC},
	{"azure_client_secret_wo", LoginAzureClientSecret},
	{"google_credentials_wo", LoginGoogleCredentials},
	{"google_service_account", LoginGoogleID},
}

// ToldLogin returns the login that a definition without auth_type tells by another
// attribute, and that attribute. given reports whether the definition has an attribute.
// Both are empty for no login.
func ToldLogin(given func(attribute string) bool) (kind LoginKind, attribute string) {
	for _, t := range toldBy {
		if given(t.attribute) {
			return t.kind, t.attribute
		}
	}
	return "", ""
}

// LoginSettings is a connection in a configuration: auth_type and the attributes of the
// logins, by their names in an authorization, and those of credentials that are no login. A
// secret is in the configuration itself, and its name has no "_wo" there.
type LoginSettings struct {
	// At is the path of the attributes in the configuration, such as "databricks".
	At string
	// Kinds are the logins to choose from.
	Kinds []LoginKind
	// AuthType is the attribute auth_type.
	AuthType string
	// Texts and Words are the attributes that are given, with their values. The value of a
	// secret is not read.
	Texts map[string]string
	Words map[string][]string
	// Others are the attributes of the credentials that are no login. WithoutLogin is what
	// an error says to do to use one: "leave X out to ...".
	Others       []string
	WithoutLogin string
}

// configured is the name of an attribute in a configuration.
func configured(attribute string) string { return strings.TrimSuffix(attribute, "_wo") }

// takes reports whether a login has an attribute.
func (k LoginKind) takes(name string) bool {
	fields, _ := k.Fields()
	return k.SecretAttribute() != "" && name == configured(k.SecretAttribute()) ||
		slices.ContainsFunc(fields, func(f LoginField) bool { return f.Attribute == name })
}

// Login returns the login that the settings choose, or nil for none. An attribute that it
// does not take is an error: without it, another credential than the one that is meant
// would be sent. The errors are joined, one for each attribute.
func (s LoginSettings) Login() (*Login, error) {
	kind, told := LoginKind(s.AuthType), "auth_type"
	if kind == "" {
		kind, told = ToldLogin(func(attribute string) bool {
			_, text := s.Texts[configured(attribute)]
			_, words := s.Words[configured(attribute)]
			return text || words
		})
		told = configured(told)
	}
	given := slices.AppendSeq(slices.Collect(maps.Keys(s.Texts)), maps.Keys(s.Words))
	slices.Sort(given)
	var errs []error
	for _, name := range given {
		at := s.At + "." + name
		switch {
		case kind == "" && slices.Contains(s.Others, name) || kind != "" && kind.takes(name):
		case kind == "":
			errs = append(errs, Invalid(at, at+" needs auth_type",
				fmt.Sprintf("It is an attribute of %s, and the connection names no login.", s.kindsWith(name)),
				fmt.Sprintf("Set %s.auth_type to the login that is meant, or leave %s out to %s.", s.At, at, s.WithoutLogin)))
		default:
			errs = append(errs, Invalid(at, at+" is not for this login",
				fmt.Sprintf("%s.%s chooses the login %q, which does not take %s.", s.At, told, string(kind), name),
				"Leave one of the two out: a connection has one login."))
		}
	}
	if kind == "" || len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	l := &Login{Kind: kind}
	fields, _ := kind.Fields()
	for _, f := range fields {
		if words := f.Words(l); words != nil {
			*words = s.Words[f.Attribute]
			continue
		}
		*f.Text(l) = s.Texts[f.Attribute]
	}
	return l, nil
}

// kindsWith names the logins that have an attribute.
func (s LoginSettings) kindsWith(attribute string) string {
	var names []string
	for _, k := range s.Kinds {
		if k.takes(attribute) {
			names = append(names, strconv.Quote(string(k)))
		}
	}
	return "the login " + strings.Join(names, " or ")
}
