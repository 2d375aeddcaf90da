package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// conditions collects the conditions of a WHERE clause and their arguments.
type conditions struct {
	where []string
	args  []any
}

func (c *conditions) add(condition string, args ...any) {
	c.where, c.args = append(c.where, condition), append(c.args, args...)
}

// in adds a condition that a column has one of the values; without values it adds none.
func in[T ~string](c *conditions, column string, values []T) {
	if len(values) == 0 {
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = string(v)
	}
	c.add(column+` IN (?`+strings.Repeat(`, ?`, len(values)-1)+`)`, args...)
}

func (c *conditions) text() string { return strings.Join(c.where, ` AND `) }

// addStatuses adds a condition that a run has one of the states; without states it adds
// none. The conditions of failed and of active runs have the text of an index of these
// runs: a database uses such an index only for this text, and would read all runs for
// parameters.
func addStatuses(c *conditions, statuses []jobs.Status) {
	sorted := slices.Compact(slices.Sorted(slices.Values(statuses)))
	switch {
	case slices.Equal(sorted, []jobs.Status{jobs.StatusFailed}):
		c.add(`status = 'failed'`)
	case slices.Equal(sorted, []jobs.Status{jobs.StatusQueued, jobs.StatusRunning, jobs.StatusWaiting}):
		c.add(activeRun)
	default:
		in(c, `status`, sorted)
	}
}

// mostSummaries bounds the summaries that are read to find those of one problem, and
// with them the arguments of a statement.
const mostSummaries = 20_000

// searchConditions are the conditions of a search, without its page.
func (d *DB) searchConditions(ctx context.Context, s jobs.RunSearch) (*conditions, error) {
	c := &conditions{}
	c.add(`1 = 1`)
	in(c, `job_id`, s.JobIDs)
	addStatuses(c, s.Statuses)
	in(c, `reason`, s.Reasons)
	if !s.From.IsZero() {
		c.add(`created_at >= ?`, micros(s.From))
	}
	if !s.Until.IsZero() {
		c.add(`created_at < ?`, micros(s.Until))
	}
	if s.Text != "" {
		escaped := strings.NewReplacer(`!`, `!!`, `%`, `!%`, `_`, `!_`).Replace(strings.ToLower(s.Text))
		c.add(`lower(error_summary || ' ' || error_detail) LIKE ? ESCAPE '!'`, "%"+escaped+"%")
	}
	if s.Problem != "" {
		all, err := texts(d.Read().QueryContext(ctx, `SELECT DISTINCT error_summary FROM runs WHERE status = 'failed' LIMIT ?`, mostSummaries))
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(summary string) bool { return jobs.ProblemOf(summary) != s.Problem })
		if len(all) == 0 {
			all = []string{s.Problem} // no run has it
		}
		c.add(`status = 'failed'`)
		in(c, `error_summary`, all)
	}
	return c, nil
}

// runPosition is the place of a run in the lists, newest first.
func runPosition(r *jobs.Run) string { return strconv.FormatInt(micros(r.CreatedAt), 10) + "." + r.ID }

func parseRunPosition(text string) (created int64, id string, err error) {
	at, id, _ := strings.Cut(text, ".")
	if created, err = strconv.ParseInt(at, 10, 64); err != nil {
		return 0, "", jobs.Invalid("", "This is no page of the list of runs", fmt.Sprintf("%q is no position in it.", text),
			"Go to the first page of the list")
	}
	return created, id, nil
}

// SearchRuns reads a page of the runs that a search selects.
func (d *DB) SearchRuns(ctx context.Context, s jobs.RunSearch) (jobs.RunPage, error) {
	var page jobs.RunPage
	c, err := d.searchConditions(ctx, s)
	if err != nil {
		return page, d.failed("Cannot read the runs", err)
	}
	count := `SELECT count(*) FROM (SELECT 1 AS one FROM runs WHERE ` + c.text() + ` LIMIT ?) matching`
	if err := d.Read().QueryRowContext(ctx, count, append(slices.Clone(c.args), jobs.MostCounted)...).Scan(&page.Total); err != nil {
		return page, d.failed("Cannot read the runs", err)
	}
	order, newer := ` ORDER BY created_at DESC, id`, s.After != ""
	if at := cmp.Or(s.After, s.Before); at != "" {
		created, id, err := parseRunPosition(at)
		if err != nil {
			return page, err
		}
		condition := `(created_at < ? OR created_at = ? AND id > ?)`
		if newer {
			condition, order = `(created_at > ? OR created_at = ? AND id < ?)`, ` ORDER BY created_at, id DESC`
		}
		c.add(condition, created, created, id)
	}
	limit := s.Limit
	if limit <= 0 {
		limit = 100
	}
	rows, err := d.Read().QueryContext(ctx, `SELECT `+runColumns+` FROM runs WHERE `+c.text()+order+` LIMIT ?`, append(c.args, limit+1)...)
	if err != nil {
		return page, d.failed("Cannot read the runs", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		r, err := scanRun(rows.Scan)
		if err != nil {
			return page, err
		}
		page.Runs = append(page.Runs, r)
	}
	if err := rows.Err(); err != nil {
		return page, d.failed("Cannot read the runs", err)
	}
	more := len(page.Runs) > limit
	page.Runs = page.Runs[:min(len(page.Runs), limit)]
	if newer {
		slices.Reverse(page.Runs)
	}
	if n := len(page.Runs); n > 0 {
		if more && !newer || newer {
			page.Older = runPosition(&page.Runs[n-1])
		}
		if more && newer || s.Before != "" {
			page.Newer = runPosition(&page.Runs[0])
		}
	}
	return page, nil
}

// RunGroups groups the failed runs that a search selects by their problem, the largest
// group first.
func (d *DB) RunGroups(ctx context.Context, s jobs.RunSearch) ([]jobs.RunGroup, error) {
	c, err := d.searchConditions(ctx, s)
	if err != nil {
		return nil, d.failed("Cannot read the runs", err)
	}
	rows, err := d.Read().QueryContext(ctx, `SELECT error_summary, job_id, count(*), min(created_at), max(created_at) FROM runs
		WHERE `+c.text()+` AND status = 'failed' GROUP BY error_summary, job_id LIMIT ?`, append(c.args, mostSummaries)...)
	if err != nil {
		return nil, d.failed("Cannot read the runs", err)
	}
	defer func() { _ = rows.Close() }()
	groups := map[string]*jobs.RunGroup{}
	for rows.Next() {
		var summary, job string
		var n, first, last int64
		if err := rows.Scan(&summary, &job, &n, &first, &last); err != nil {
			return nil, d.failed("Cannot read the runs", err)
		}
		problem := jobs.ProblemOf(summary)
		g := groups[problem]
		if g == nil {
			g = &jobs.RunGroup{Problem: problem, Summary: summary, First: fromMicros(first), Last: fromMicros(last)}
			groups[problem] = g
		}
		if g.Summary != summary {
			g.Summary = problem
		}
		g.JobIDs = append(g.JobIDs, job)
		g.Runs += n
		g.First, g.Last = earlier(g.First, fromMicros(first)), later(g.Last, fromMicros(last))
	}
	if err := rows.Err(); err != nil {
		return nil, d.failed("Cannot read the runs", err)
	}
	out := make([]jobs.RunGroup, 0, len(groups))
	for _, g := range groups {
		slices.Sort(g.JobIDs)
		g.JobIDs = slices.Compact(g.JobIDs)
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b jobs.RunGroup) int {
		return cmp.Or(cmp.Compare(b.Runs, a.Runs), strings.Compare(a.Problem, b.Problem))
	})
	return out, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
