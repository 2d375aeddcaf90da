// Package rewrite rewrites statements with three-level names for a Spark that has
// one catalog, and maps the names in Spark's texts back. It works on tokens, so
// strings and comments are unchanged.
package rewrite

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
)

// Names maps the schemas of many catalogs to the schemas of Spark's only catalog:
// main.sales becomes PREFIX__main__sales. Names are in lower case, as in Unity
// Catalog.
type Names struct {
	prefix        string
	escapedSchema *regexp.Regexp
}

// NewNames returns the mapping with a prefix of lower-case letters and digits. The
// prefix separates the schemas of sandboxes that share a server.
func NewNames(prefix string) *Names {
	return &Names{
		prefix:        prefix,
		escapedSchema: regexp.MustCompile("(/?)(?:`?spark_catalog`?\\.)?(`?)\\b(" + regexp.QuoteMeta(prefix) + "__[a-z0-9_]+)\\b`?"),
	}
}

// Schema returns the Spark schema for a schema of a catalog.
func (n *Names) Schema(catalog, schema string) string {
	return n.prefix + "__" + escape(catalog, true) + "__" + escape(schema, false)
}

// Table returns the Spark name of a table. Characters that Hive's metastore refuses
// are escaped.
func (n *Names) Table(name string) string { return escape(name, false) }

// Split returns the catalog and schema that a Spark schema stands for; ok is false
// if the Spark schema is not of this mapping.
func (n *Names) Split(name string) (catalog, schema string, ok bool) {
	rest, ok := strings.CutPrefix(strings.ToLower(name), n.prefix+"__")
	if !ok {
		return "", "", false
	}
	catalog, schema, ok = strings.Cut(rest, "__")
	return unescape(catalog), unescape(schema), ok && catalog != "" && schema != ""
}

// Original returns the user's name of a table in Spark.
func (n *Names) Original(table string) string { return unescape(table) }

// UserText replaces Spark's names in a text by the user's. Paths of tables do not
// change.
func (n *Names) UserText(text string) string {
	text = n.escapedSchema.ReplaceAllStringFunc(text, func(found string) string {
		m := n.escapedSchema.FindStringSubmatch(found)
		catalog, schema, ok := n.Split(m[3])
		switch {
		case m[1] != "" || !ok:
			return found
		case m[2] != "":
			return quoting.Name(catalog, schema)
		default:
			return catalog + "." + schema
		}
	})
	return escaped.ReplaceAllStringFunc(text, unescape)
}

// escape writes a character that is not a letter, a digit or an underscore as
// _xHHHHHH. In a catalog's name it also escapes an underscore that is the last
// character or is not followed by a letter or digit, so that the first "__" ends
// the catalog's name.
func escape(name string, catalog bool) string {
	var b strings.Builder
	name = strings.ToLower(name)
	for i, r := range name {
		rest := name[i+utf8.RuneLen(r):]
		plain := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' ||
			r == '_' && !strings.HasPrefix(rest, "x") && !(catalog && !startsWithLetterOrDigit(rest))
		if plain {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "_x%06x", r)
		}
	}
	return b.String()
}

func startsWithLetterOrDigit(s string) bool {
	return s != "" && (s[0] >= 'a' && s[0] <= 'z' || s[0] >= '0' && s[0] <= '9')
}

var escaped = regexp.MustCompile(`_x[0-9a-f]{6}`)

func unescape(name string) string {
	return escaped.ReplaceAllStringFunc(name, func(code string) string {
		r, err := strconv.ParseInt(code[2:], 16, 32)
		if err != nil || !utf8.ValidRune(rune(r)) {
			return code
		}
		return string(rune(r))
	})
}
