package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// checkAfter refuses an after list that names a job which does not exist, or that
// closes a circle: the jobs of a circle would wait for each other for ever.
func checkAfter(ctx context.Context, db *store.DB, id string, after []string) error {
	if len(after) == 0 {
		return nil
	}
	all, err := db.Jobs(ctx)
	if err != nil {
		return err
	}
	upstream, labels := map[string][]string{}, map[string]string{}
	for _, j := range all {
		if j.ManagedBy.IsLytics() && slices.Contains(after, j.ID) {
			return jobs.Invalid("after", fmt.Sprintf("No job can run after job %q", j.Label),
				"Lytics executes that job, and does not tell this provider when it has succeeded.", "Give this job a schedule")
		}
		upstream[j.ID], labels[j.ID] = j.After, j.Label
	}
	for _, a := range after {
		if _, ok := upstream[a]; !ok && a != id {
			return jobs.Invalid("after", fmt.Sprintf("No job %q to run after", a),
				"It is not the id of a job in this store.", "Refer to the id of a job resource: after = [lytics_databricks_table_import.customers.id]")
		}
	}
	upstream[id] = after
	if circle := findCircle(upstream, id); circle != nil {
		for i, c := range circle {
			if l := labels[c]; l != "" {
				circle[i] = fmt.Sprintf("%s (%s)", c, l)
			}
		}
		return jobs.Invalid("after", "The jobs run after one another in a circle",
			"Each of them would wait for the one before it for ever: "+strings.Join(circle, " after ")+".", "Take one of them out of after")
	}
	return nil
}

// findCircle returns a path from a job back to itself; nil where there is none.
func findCircle(upstream map[string][]string, id string) []string {
	seen := map[string]bool{}
	var walk func(at string) []string
	walk = func(at string) []string {
		for _, next := range upstream[at] {
			if next == id {
				return []string{at, id}
			}
			if seen[next] {
				continue
			}
			seen[next] = true
			if way := walk(next); way != nil {
				return append([]string{at}, way...)
			}
		}
		return nil
	}
	return walk(id)
}
