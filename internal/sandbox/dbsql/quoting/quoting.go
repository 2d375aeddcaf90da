// Package quoting quotes names and strings for Databricks SQL.
//
// It serves both engines.
package quoting

import "strings"

// Name quotes a name of one or more parts: `main`.`sales`.`t`. Databricks' error
// messages show names in this form too.
func Name(parts ...string) string {
	quoted := make([]string, len(parts))
	for i, p := range parts {
		quoted[i] = "`" + strings.ReplaceAll(p, "`", "``") + "`"
	}
	return strings.Join(quoted, ".")
}

var textEscapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

// Text returns a string literal.
func Text(s string) string { return "'" + textEscapes.Replace(s) + "'" }
