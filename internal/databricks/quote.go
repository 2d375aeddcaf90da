package databricks

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Quote writes an identifier in back-quotes. An empty identifier, and one with a
// NUL, is an error.
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

// QuoteTable writes a table's three-level name. Its error names the attribute
// (catalog, database or table) at fault.
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

// Literal writes a string literal, for the places where SQL takes no parameter:
// options, properties, URLs and credentials.
func Literal(text string) string {
	return "'" + literalEscapes.Replace(text) + "'"
}

// likePattern turns a pattern of SHOW ... LIKE ("*" any characters, "|"
// alternatives, case ignored) into a function that matches names.
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

// credentialLiteral finds the values of credentials in a statement's text.
// A literal that was cut off by a message's length limit ends with the text.
var credentialLiteral = regexp.MustCompile(
	`(?is)(\b(?:AWS_ACCESS_KEY|AWS_SECRET_KEY|AWS_SESSION_TOKEN|AZURE_SAS_TOKEN|fs\.s3a\.[a-z.]+|password|token)\b['"]?\s*=\s*)` +
		`(?:'(?:[^'\\]|\\.|'')*(?:'|\\?$)|"(?:[^"\\]|\\.|"")*(?:"|\\?$))`)

// Redact takes the values of credentials out of a statement, or of a message
// that repeats one.
func Redact(text string) string {
	return credentialLiteral.ReplaceAllString(text, "${1}'[redacted]'")
}

// redactSecrets takes the given secrets out of a text, and then does as Redact. A
// secret may be a clause of SQL: each of its string literals is a secret then.
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

// shortestSecret is the length from which a literal of a secret clause is taken
// out: shorter ones are in many words of a message.
const shortestSecret = 6
