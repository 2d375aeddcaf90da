// Package rewrite turns statements with three-level names into statements for a
// Spark that has one catalog, and Spark's texts back. It works on a statement's
// tokens: nothing inside strings and comments is touched.
package rewrite

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
)

// Names maps the schemas of many catalogs to the schemas of Spark's one:
// main.sales is PREFIX__main__sales. Names are kept in lower case, as Unity
// Catalog keeps them.
type Names struct {
	prefix string
	found  *regexp.Regexp
}

// NewNames returns the mapping under a prefix, which tells the schemas of one
// sandbox from those of another on the same server. It is made of lower-case
// letters and digits.
func NewNames(prefix string) *Names {
	return &Names{
		prefix: prefix,
		found:  regexp.MustCompile("(/?)(?:`?spark_catalog`?\\.)?(`?)\\b(" + regexp.QuoteMeta(prefix) + "__[a-z0-9_]+)\\b`?"),
	}
}

// Schema is the name in Spark of a catalog's schema.
func (n *Names) Schema(catalog, schema string) string {
	return n.prefix + "__" + escape(catalog, true) + "__" + escape(schema, false)
}

// Table is the name in Spark of a table: those that Hive's metastore refuses
// are escaped.
func (n *Names) Table(name string) string { return escape(name, false) }

// Split tells which catalog's schema a schema of Spark is; ok is false for one
// that is not of this mapping.
func (n *Names) Split(name string) (catalog, schema string, ok bool) {
	rest, ok := strings.CutPrefix(strings.ToLower(name), n.prefix+"__")
	if !ok {
		return "", "", false
	}
	catalog, schema, ok = strings.Cut(rest, "__")
	return unescape(catalog), unescape(schema), ok && catalog != "" && schema != ""
}

// Original is the name of a table of Spark as the user knows it.
func (n *Names) Original(table string) string { return unescape(table) }

// UserText gives a text of Spark the names that the user knows. The paths of
// tables stay as they are.
func (n *Names) UserText(text string) string {
	text = n.found.ReplaceAllStringFunc(text, func(found string) string {
		m := n.found.FindStringSubmatch(found)
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

// escape writes what is not a letter, a digit or an underscore as _xHHHHHH. In
// a catalog's name no two underscores meet, and none is last: so that the first
// two after it end it.
func escape(name string, catalog bool) string {
	var b strings.Builder
	name = strings.ToLower(name)
	for i, r := range name {
		rest := name[i+utf8.RuneLen(r):]
		plain := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' ||
			r == '_' && !strings.HasPrefix(rest, "x") && !(catalog && !startsPlain(rest))
		if plain {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "_x%06x", r)
		}
	}
	return b.String()
}

func startsPlain(s string) bool {
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
