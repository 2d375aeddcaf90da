package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Variables are patterns of environment variables: a name, or the beginning of names
// with "*" at its end.
type Variables []string

// DefaultTokenEnv is what token_env may name on a runner whose configuration says
// nothing.
var DefaultTokenEnv = Variables{databricksPrefix + "*"}

// databricksPrefix begins the names that are reserved for tokens of warehouses.
const databricksPrefix = "LYTICS_DATABRICKS_"

// Contain reports whether a pattern matches the name.
func (v Variables) Contain(name string) bool {
	return slices.ContainsFunc(v, func(pattern string) bool {
		prefix, ok := strings.CutSuffix(pattern, "*")
		return pattern == name || ok && strings.HasPrefix(name, prefix)
	})
}

var variablePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*\*?$|^\*$`)

func (v Variables) check(attribute string) (errs []error) {
	for _, pattern := range v {
		if !variablePattern.MatchString(pattern) {
			errs = append(errs, jobs.Invalid(attribute, "A setting names no environment variable", fmt.Sprintf("%s has %q.", attribute, pattern),
				"Give the name of a variable, or the beginning of names with * at its end, such as "+DefaultTokenEnv[0]))
		}
	}
	return errs
}

// credentialPrefixes begin the names of variables that this product, or a library that
// it configures, reads: its own, those of AWS, and those of OpenTelemetry, whose headers
// have tokens.
var credentialPrefixes = []string{"LYTICS_", "AWS_", "OTEL_"}

// credentialNames are such variables without a common beginning: those of PostgreSQL,
// and of proxies, whose URLs have passwords.
var credentialNames = []string{
	"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGSSLMODE", "PGSSLCERT", "PGSSLKEY",
	"PGSSLPASSWORD", "PGSSLROOTCERT", "PGSSLSNI", "PGOPTIONS", "PGAPPNAME", "PGCONNECT_TIMEOUT", "PGTARGETSESSIONATTRS", "PGTZ",
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
}

// IsOwnVariable reports whether the configuration of this product reads the variable.
// Such a variable is never the token of a warehouse, whatever a list says. Upper and
// lower case are the same, as on Windows and in the names of proxies.
func IsOwnVariable(name string) bool {
	name = strings.ToUpper(name)
	if strings.HasPrefix(name, databricksPrefix) {
		return false
	}
	return slices.Contains(credentialNames, name) ||
		slices.ContainsFunc(credentialPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}
