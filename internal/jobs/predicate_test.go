package jobs_test

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// checklist 52: a condition cannot extend past the parentheses that surround
// it.
func TestCheckPredicate(t *testing.T) {
	t.Parallel()
	for text, valid := range map[string]bool{
		"country = 'DE'":                    true,
		"note LIKE '%--%' AND (a OR b)":     true,
		"`a;b` = \"x)\" AND c = 'it\\'s ('": true,
		"a = 'it''s'":                       true,
		"a - -1 > 0":                        true,
		"`a\\` = 1":                         true,
		"":                                  false,
		"  ":                                false,
		"true) OR (true":                    false,
		"(true":                             false,
		"a = 'x":                            false,
		"a = `x":                            false,
		"true; DROP TABLE t":                false,
		"true -- and more":                  false,
		"true /* and more":                  false,
		"a = 'x\\' OR true":                 false,
		"a\x00":                             false,
	} {
		if err := jobs.CheckPredicate(text); (err == nil) != valid {
			t.Errorf("%q: got error %v, want valid %t", text, err, valid)
		}
	}
}
