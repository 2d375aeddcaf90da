package jobs_test

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// checklist 52: a condition cannot extend past the parentheses that surround
// it, nor by literals that are read in another way than they look.
func TestCheckPredicate(t *testing.T) {
	t.Parallel()
	for text, valid := range map[string]bool{
		"country = 'DE'":                     true,
		"note LIKE '%--%' AND (a OR b)":      true,
		"`a;b` = \"x)\" AND c = 'it\\'s ('":  true,
		"a = 'it''s'":                        true,
		"a - -1 > 0":                         true,
		"`a\\` = 1":                          true,
		"":                                   false,
		"  ":                                 false,
		"true) OR (true":                     false,
		"(true":                              false,
		"a = 'x":                             false,
		"a = `x":                             false,
		"true; DROP TABLE t":                 false,
		"true -- and more":                   false,
		"true /* and more":                   false,
		"a = 'x\\' OR true":                  false,
		"a\x00":                              false,
		"a = r'\\d+\\' AND b = R\"\\\"":      true,
		"a = r'\\') OR (true OR b = '":       false,
		"a = r'\\') OR (true OR ''='":        false,
		"a = r'x\\'":                         true,
		"a = r'x":                            false,
		"a = 'x\\')":                         false,
		"a OR'x\\') OR b' = c":               true,
		"ar'\\') OR ' = b":                   true,
		"1e-5r'\\') OR (true OR ' = b":       false,
		"ér'\\') OR (true OR ' = b":          false,
		"x://y-r'\\') OR (true OR ' = b":     false,
		"a = DATE'2026-01-01' AND b = X'1F'": true,
		"`größe` > 1 AND größe < 3":          true,
		"a = $$'$$) OR (true OR b = '":       false,
		"a = '${b}'":                         false,
		"a = '$1' AND b RLIKE '^x$'":         true,
		"a = \"'\" AND b = '\"'":             true,
		"a = 'x' /* /* */ ') OR (true */":    false,
		"a = 'x\xc3' OR true":                false,
	} {
		if err := jobs.CheckPredicate(text); (err == nil) != valid {
			t.Errorf("%q: got error %v, want valid %t", text, err, valid)
		}
	}
}
