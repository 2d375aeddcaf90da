package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	// lastNumber is the last number of the failure catalogue.
	lastNumber = 84
	// lastCovered is the number up to which every failure must have a test.
	lastCovered = 68
)

// coveredLater are the numbers after lastCovered that have a test.
var coveredLater = []int{76, 77, 82}

var named = regexp.MustCompile(`(?i)\bchecklist((?:[ ,]+\d+)+)`)

// Every failure of the catalogue up to lastCovered, and those of coveredLater, have
// a test that names them.
func TestEveryNumberOfTheChecklistHasATest(t *testing.T) {
	t.Parallel()
	found := map[int]bool{}
	err := filepath.WalkDir("internal", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			for _, digits := range strings.FieldsFunc(m[1], func(r rune) bool { return r < '0' || r > '9' }) {
				n, err := strconv.Atoi(digits)
				if err != nil || n < 1 || n > lastNumber {
					t.Errorf("%s names number %s, want one from 1 to %d", path, digits, lastNumber)
				}
				found[n] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= lastNumber; n++ {
		if covered := n <= lastCovered || slices.Contains(coveredLater, n); covered && !found[n] {
			t.Errorf("no test names number %d of the failure catalogue", n)
		}
	}
}
