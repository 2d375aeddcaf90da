package bind

import (
	"slices"
	"strings"
)

// closest returns at most n of the names, ordered by their edit distance to name.
func closest(names []string, name string, n int) []string {
	type scored struct {
		name string
		d    int
	}
	all := make([]scored, len(names))
	for i, s := range names {
		last := s[strings.LastIndexByte(s[:len(s)-1], '`')+1 : len(s)-1]
		all[i] = scored{s, editDistance(strings.ToLower(last), strings.ToLower(name))}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return a.d - b.d })
	var out []string
	for _, s := range all {
		if len(out) < n && !slices.Contains(out, s.name) {
			out = append(out, s.name)
		}
	}
	return out
}

// editDistance returns the Levenshtein distance.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := previous
			if a[i] != b[j] {
				cost++
			}
			previous = row[j+1]
			row[j+1] = min(cost, row[j]+1, previous+1)
		}
	}
	return row[len(b)]
}
