package repository

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// lastMistake is the number of the last row of the table of mistakes.
const lastMistake = 15

var mistakeRow = regexp.MustCompile(`(?m)^\| (\d+) \|.*$`)

// The stand-in's README names, for each mistake that the API of Lytics invites, the
// tests that fail if the provider makes it. They exist.
func TestEveryMistakeThatLyticsInvitesNamesItsTests(t *testing.T) {
	t.Parallel()
	const document = "internal/lyticstest/README.md"
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	rows := mistakeRow.FindAllStringSubmatch(string(text), -1)
	if len(rows) != lastMistake {
		t.Errorf("%s has %d rows, want %d", document, len(rows), lastMistake)
	}
	for i, row := range rows {
		if row[1] != strconv.Itoa(i+1) {
			t.Errorf("%s: row %d has number %s", document, i+1, row[1])
		}
		tests := namedFunction.FindAllStringSubmatch(row[0], -1)
		if len(tests) == 0 {
			t.Errorf("%s: row %s names no test", document, row[1])
		}
		for _, m := range tests {
			if !strings.HasPrefix(m[1], "Test") || !strings.HasSuffix(m[2], "_test.go") {
				t.Errorf("%s: row %s names %s in %s, which is no test", document, row[1], m[1], m[2])
			}
			if !declares(t, m[2], m[1]) {
				t.Errorf("%s: row %s: %s is not declared in %s", document, row[1], m[1], m[2])
			}
		}
	}
}
