package databricks

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Quote returns an identifier in back-quotes. It refuses an empty identifier and one that
// contains NUL.
func Quote(identifier string) (string, error) {
	return quoteAs("", identifier)
}

func quoteAs(attribute, identifier string) (string, error) {
	if identifier == "" {
		return "", jobs.Invalid(attribute, "An identifier is empty",
			"Names of catalogs, databases, tables and columns have at least one character.", "Give the name.")
	}
	if strings.ContainsRune(identifier, 0) {
		return "", jobs.Invalid(attribute, fmt.Sprintf("The identifier %q holds a NUL character", identifier),
			"No name in Databricks can hold one.", "Correct the name.")
	}
	return "`" + strings.ReplaceAll(identifier, "`", "``") + "`", nil
}

// QuoteTable returns a table's quoted three-level name. Its error has the attribute of the
// wrong part: catalog, database or table.
func QuoteTable(t jobs.TableName) (string, error) {
	database, err := quoteDatabase(t.Catalog, t.Database)
	if err != nil {
		return "", err
	}
	table, err := quoteAs("table", t.Table)
	return database + "." + table, err
}

func quoteDatabase(catalog, database string) (string, error) {
	first, err := quoteAs("catalog", catalog)
	if err != nil {
		return "", err
	}
	second, err := quoteAs("database", database)
	return first + "." + second, err
}

var literalEscapes = strings.NewReplacer(
	`\`, `\\`, `'`, `\'`, "\x00", `\u0000`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// Literal returns a string literal, for the parts of SQL that do not accept a parameter:
// options, properties, URLs and credentials.
func Literal(text string) string {
	return "'" + literalEscapes.Replace(text) + "'"
}

// likePattern converts a pattern of SHOW ... LIKE to a function that matches names. "*"
// matches any characters, "|" separates alternatives, and case is ignored.
func likePattern(pattern string) (match func(name string) bool) {
	if strings.TrimSpace(pattern) == "" {
		return func(string) bool { return true }
	}
	alternatives := strings.Split(pattern, "|")
	for i, a := range alternatives {
		alternatives[i] = strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(a)), `\*`, ".*")
	}
	return regexp.MustCompile("(?is)^(?:" + strings.Join(alternatives, "|") + ")$").MatchString
}

// credentialLiteral matches the values of credentials in a statement's text. A literal may
// end with the text, because messages have a length limit.
var credentialLiteral = regexp.MustCompile(
	`(?is)(\b(?:AWS_ACCESS_KEY|AWS_SECRET_KEY|AWS_SESSION_TOKEN|AZURE_SAS_TOKEN|fs\.s3a\.[a-z.]+|password|token)\b['"]?\s*=\s*)` +
		`(?:'(?:[^'\\]|\\.|'')*(?:'|\\?$)|"(?:[^"\\]|\\.|"")*(?:"|\\?$))`)

// Redact removes the values of credentials from a statement, or from a message that
// contains one.
func Redact(text string) string {
	return credentialLiteral.ReplaceAllString(text, "${1}'[redacted]'")
}

// redactSecrets removes the given secrets from a text, and then applies Redact. A secret
// may be an SQL clause; each string literal in it is a secret then.
func redactSecrets(text string, secrets []jobs.Secret) string {
	var forms []string
	for _, s := range secrets {
		for i, part := range strings.Split(s.Reveal(), "'") {
			if i%2 == 1 && len(part) >= shortestSecret {
				forms = append(forms, part)
			}
		}
		forms = append(forms, s.Reveal(), literalEscapes.Replace(s.Reveal()))
	}
	return Redact(jobs.Redact(text, forms...))
}

// shortestSecret is the minimum length of a literal of a secret clause that is removed.
// Shorter literals occur in many words of a message.
const shortestSecret = 6
