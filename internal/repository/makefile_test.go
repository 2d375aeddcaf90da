package repository

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// selectedTests matches the -run or -skip pattern of a test command in the
	// makefile, and its package.
	selectedTests = regexp.MustCompile(`go test .*-(?:run|skip) '?([\w|]+)'? .*\./(internal/[\w/]+)`)
	testFunction  = regexp.MustCompile(`(?m)^func (Test\w+)`)
)

// go test succeeds if its pattern matches no test, so a renamed test would
// silently drop out of a make target.
func TestPatternsOfTheMakefileMatchTests(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("GNUmakefile")
	if err != nil {
		t.Fatal(err)
	}
	commands := selectedTests.FindAllStringSubmatch(string(text), -1)
	if len(commands) < 6 {
		t.Errorf("got %d commands with a pattern, want at least 6", len(commands))
	}
	for _, c := range commands {
		names := testNames(t, c[2])
		for pattern := range strings.SplitSeq(c[1], "|") {
			if !strings.Contains(names, pattern) {
				t.Errorf("%s: got no test that matches %s, want at least one", c[2], pattern)
			}
		}
	}
}

// testNames returns the names of a package's tests, one per line.
func testNames(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunction.FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
	}
	return strings.Join(names, "\n")
}
