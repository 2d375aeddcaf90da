package databricks

import (
	"fmt"
	"regexp"
	"strings"
)

// denied matches the missing privilege and its object in the two wordings of Unity
// Catalog: "User does not have SELECT on Table 'main.sales.orders'." and "... does not have
// the USE SCHEMA privilege on schema main.sales".
var denied = regexp.MustCompile(
	"(?i)does not have (?:the )?(?:privilege |permission )?`?([A-Z][A-Z _]+?)`?(?: privilege| permission)? on (?:the )?" +
		"(metastore|catalog|schema|database|table|view|volume|function|external location|storage credential|service credential|any file) ?['\"`]?([^'\"]*?)['\"`]?(?:[.;,]?\\s|[.;,]?$)",
)

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
