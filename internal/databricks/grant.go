package databricks

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// denied matches the missing privilege and its object in the two wordings of Unity
// Catalog: "User does not have SELECT on Table 'main.sales.orders'." and "... does not have
// the USE SCHEMA privilege on schema main.sales".
var denied = regexp.MustCompile(
	"(?i)does not have (?:the )?(?:privilege |permission )?`?([A-Z][A-Z _]+?)`?(?: privilege| permission)? on (?:the )?" +
		"(metastore|catalog|schema|database|table|view|volume|function|external location|storage credential|service credential|any file) " +
		"?['\"`]?([^'\"]*?)['\"`]?(?:[.;,]?\\s|[.;,]?$)",
)

// NamesPrivilege reports whether an error of a missing permission names the privilege. One
// that does not may come from the API alone, such as of a token that is limited to SQL.
func NamesPrivilege(err error) bool {
	e, ok := errors.AsType[*jobs.Error](err)
	return ok && e.Code == jobs.CodeForbidden && denied.MatchString(e.Detail)
}

// grantFor returns the GRANT statement for the privilege that an error names.
func grantFor(message string) string {
	const generic = "Grant it to the user or service principal that the authorization belongs to; " +
		"the guide \"Permissions\" of this provider lists what each statement needs."
	m := denied.FindStringSubmatch(message)
	if m == nil {
		return generic
	}
	privilege, kind, name := strings.ToUpper(m[1]), strings.ToUpper(m[2]), strings.TrimSuffix(m[3], ".")
	switch kind {
	case "DATABASE":
		kind = "SCHEMA"
	case "VIEW":
		kind = "TABLE" // GRANT treats views as tables
	}
	if kind == "METASTORE" || kind == "ANY FILE" {
		return fmt.Sprintf("Have an administrator run: GRANT %s ON %s TO `the user or service principal`;", privilege, kind)
	}
	parts := strings.Split(strings.ReplaceAll(name, "`", ""), ".")
	for i, part := range parts {
		quoted, err := Quote(part)
		if err != nil {
			return generic
		}
		parts[i] = quoted
	}
	return fmt.Sprintf("Have the owner of it run: GRANT %s ON %s %s TO `the user or service principal`;",
		privilege, kind, strings.Join(parts, "."))
}
