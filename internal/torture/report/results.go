package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// figures are the rows of the table, in their order. Others come after them.
var figures = []string{
	"Import killed",
	"Interleavings of ties, batches, late rows and crashes",
	"Order of events under crashes",
	"Interleavings of changes, batches and crashes, in SQL",
	"Import under faults of network and warehouse",
	"Export killed under a reader",
	"Export under faults of network, warehouse and bucket",
	"Store created and migrated on a disk that fails",
	"Disk fails at each write: EIO",
	"Disk fails at each write: EIO after the write",
	"Disk fails at each write: ENOSPC",
	"Disk fills up, page by page",
	"Platform killed at each write",
	"Runner killed, sqlite",
	"Runner killed, postgres",
	"Due occurrences claimed by runners with wrong clocks, sqlite",
	"Due occurrences claimed by runners with wrong clocks, postgres",
	"Local days of every time zone",
	"Terraform or provider killed or interrupted",
}

func place(figure string) int {
	if n := slices.Index(figures, figure); n >= 0 {
		return n
	}
	return len(figures)
}

func sorted(records []torture.Record) []torture.Record {
	out := slices.Clone(records)
	slices.SortStableFunc(out, func(a, b torture.Record) int {
		return cmp.Or(cmp.Compare(place(a.Figure), place(b.Figure)), strings.Compare(a.Figure, b.Figure))
	})
	return out
}

// merge replaces the kept results by new ones of the same figure. A part of a figure
// does not replace the whole one.
func merge(kept, records []torture.Record) []torture.Record {
	size := map[torture.Level]int{torture.Few: 0, torture.Sample: 1, torture.Whole: 2}
	byFigure := map[string]torture.Record{}
	for _, r := range slices.Concat(kept, records) {
		if old, ok := byFigure[r.Figure]; !ok || size[r.Level] >= size[old.Level] {
			byFigure[r.Figure] = r
		}
	}
	var out []torture.Record
	for _, r := range byFigure {
		out = append(out, r)
	}
	return sorted(out)
}

// found says which results have lost or doubled rows, or wrong states.
func found(records []torture.Record) string {
	var bad []string
	for _, r := range records {
		if r.Lost+r.Doubled+r.Wrong > 0 {
			bad = append(bad, fmt.Sprintf("%s: %d lost, %d doubled, %d wrong states", r.Figure, r.Lost, r.Doubled, r.Wrong))
		}
	}
	return strings.Join(bad, "\n")
}

func readLines(file string) ([]torture.Record, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var records []torture.Record
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r torture.Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		records = append(records, r)
	}
	return records, lines.Err()
}

func parseKept(text []byte) (records []torture.Record, err error) {
	err = json.Unmarshal(text, &records)
	return records, err
}

func writeKept(file string, records []torture.Record) error {
	text, err := json.MarshalIndent(records, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}
