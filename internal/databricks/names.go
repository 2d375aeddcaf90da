package databricks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// notFoundError is the error for an object in a definition that the warehouse does not
// list.
func notFoundError(attribute, kind, name, where string, existing []string) *jobs.Error {
	summary := fmt.Sprintf("The %s %q was not found", kind, name)
	if where != "" {
		summary += " in " + where
	}
	return jobs.Invalid(attribute, summary, "It does not exist, or the token's user may not see it.", suggestion(kind+"s", name, existing))
}

// suggestion lists the most similar names, or the existing names if none is similar.
func suggestion(kind, name string, existing []string) string {
	if len(existing) == 0 {
		return "There are no " + kind + " that the token's user may see. Check the permissions."
	}
	const most = 10
	if near := nearest(name, existing, 5); len(near) > 0 {
		return fmt.Sprintf("Did you mean %s?", quoteList(near, " or "))
	}
	some := slices.Sorted(slices.Values(existing))
	if len(some) > most {
		return fmt.Sprintf("There are %d %s, among them %s.", len(some), kind, quoteList(some[:most], ", "))
	}
	return fmt.Sprintf("The %s are %s.", kind, quoteList(some, ", "))
}

func quoteList(names []string, separator string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(quoted, separator)
}

// nearest returns up to n similar names, the most similar first. A name is similar if its
// edit distance is at most a third of the length, if it contains the name, or if the name
// contains it.
func nearest(name string, names []string, n int) []string {
	type candidate struct {
		name     string
		distance int
	}
	wanted := strings.ToLower(name)
	var near []candidate
	for _, other := range names {
		lower := strings.ToLower(other)
		d := editDistance(wanted, lower)
		contained := len(wanted) > 2 && strings.Contains(lower, wanted) || len(lower) > 2 && strings.Contains(wanted, lower)
		if d <= max(1, len(wanted)/3) || contained {
			near = append(near, candidate{other, d})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.name, b.name)
	})
	var out []string
	for _, c := range near[:min(n, len(near))] {
		out = append(out, c.name)
	}
	return out
}

// editDistance is the Levenshtein distance of two texts.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}
