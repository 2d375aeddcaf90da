package databricks

import (
	"fmt"
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
