package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// The document is what its sources give: the kept results, the introduction, and the
// tests that name numbers of the catalogue.
func TestTheDocumentIsGenerated(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "..")
	results, err := readKept("results.json")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := torture.Tests(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(document)))
	if err != nil {
		t.Fatal(err)
	}
	if want := render(results, tests); string(got) != want {
		t.Errorf("%s is not what its sources give: run go run ./internal/torture/report in the repository's root, and commit it", document)
	}
}

// No kept result has lost or doubled rows or wrong states, and every figure is there.
func TestTheKeptResultsAreClean(t *testing.T) {
	t.Parallel()
	results, err := readKept("results.json")
	if err != nil {
		t.Fatal(err)
	}
	if bad := found(results); bad != "" {
		t.Error(bad)
	}
	have := map[string]bool{}
	for _, r := range results {
		have[r.Figure] = true
	}
	for _, f := range figures {
		if !have[f] {
			t.Errorf("no result of %q is kept", f)
		}
	}
}

// A part of a figure replaces no whole one, and a later result replaces an earlier one.
func TestMergeKeepsTheWholeFigure(t *testing.T) {
	t.Parallel()
	whole := torture.Record{Figure: "Import killed", Level: torture.Whole, Tried: 1000}
	got := merge([]torture.Record{whole, {Figure: "b", Level: torture.Sample, Tried: 1}},
		[]torture.Record{{Figure: "b", Level: torture.Sample, Tried: 2}, {Figure: "Import killed", Level: torture.Sample, Tried: 5}})
	if len(got) != 2 || got[0] != whole || got[1].Tried != 2 {
		t.Errorf("got %+v", got)
	}
}

// A result with a lost row is a failure, and its row says the number.
func TestALostRowIsAFailure(t *testing.T) {
	t.Parallel()
	r := []torture.Record{{Figure: "x", Tried: 12345, Unit: "kills", Lost: 3}}
	if !strings.Contains(found(r), "3 lost") || !strings.Contains(table(r), "| x | 12,345 kills | 3 | 0 | 0 |") {
		t.Errorf("got %q and\n%s", found(r), table(r))
	}
}
