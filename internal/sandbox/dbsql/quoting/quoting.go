// Package quoting writes names and strings as Databricks SQL reads them.
package quoting

import "strings"

// Name writes a name of several parts in back-quotes: `main`.`sales`.`t`.
// Databricks' error messages show names in this form too.
func Name(parts ...string) string {
	quoted := make([]string, len(parts))
	for i, p := range parts {
		quoted[i] = "`" + strings.ReplaceAll(p, "`", "``") + "`"
	}
	return strings.Join(quoted, ".")
}

var textEscapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

// Text writes a string literal.
func Text(s string) string { return "'" + textEscapes.Replace(s) + "'" }
