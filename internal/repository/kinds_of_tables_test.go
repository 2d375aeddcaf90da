package repository

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// testedBy matches the comment at the end of a row that names its tests.
	testedBy = regexp.MustCompile(`<!-- ((?:Test\w+ ?)+) -->`)
	// rowOfKinds matches a row of a table that is neither its head nor its line.
	rowOfKinds = regexp.MustCompile(`(?m)^\| [^|]+ \| .*$`)
)

// Each kind of table and column in the guide names the tests that show what the row says, and
// these tests exist.
func TestEachKindOfTableAndColumnNamesItsTests(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("templates/guides/kinds-of-tables.md")
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Split(testNames(t, "internal/importer")+"\n"+testNames(t, "internal/exporter"), "\n")
	rows := 0
	for _, row := range rowOfKinds.FindAllString(string(text), -1) {
		if strings.HasPrefix(row, "| table |") || strings.HasPrefix(row, "| column |") {
			continue
		}
		rows++
		m := testedBy.FindStringSubmatch(row)
		if m == nil {
			t.Errorf("got no tests in the row %.60q", row)
			continue
		}
		for name := range strings.FieldsSeq(m[1]) {
			if !slices.Contains(known, name) {
				t.Errorf("the row %.60q names %s, which is no test of the importer or the exporter", row, name)
			}
		}
	}
	if rows < 15 {
		t.Errorf("got %d rows, want at least 15", rows)
	}
}
