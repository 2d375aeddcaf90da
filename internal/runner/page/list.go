package page

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// pageSize is the number of jobs on one page, stripRuns the number of runs in
// the strip of a row.
const (
	pageSize  = 50
	stripRuns = 16
)

// jobRow is a job as the list and the job's page show it.
type jobRow struct {
	jobs.Job
	State          state
	Word           string
	Source, Target string
	Rhythm         string
	Took           time.Duration
	Cause          explanation
	Progress       *progress
	// Success is when the last successful run among Runs began, or when an earlier one
	// ended.
	Success *time.Time
	// Runs are the latest runs, sorted oldest first.
	Runs  []jobs.Run
	Strip strip
}

type tab struct {
	Name, State string
	Jobs        int64
	Href        string
	Current     bool
}

type column struct {
	Name, Key, Class string
	Href, Sorted     string
}

type listView struct {
	Query      string
	Sort       string
	StateParam string
	Tabs       []tab
	Columns    []column
	Rows       []jobRow
	// Known is the number of all jobs, Found the number of jobs that match the
	// search and the filter.
	Known, Found   int
	First, To      int
	Previous, Next string
	Back           string
	// Example is a configuration, for a store without jobs.
	Example string
}

// showJobs lists the jobs, most urgent first.
func (s *server) showJobs(w http.ResponseWriter, r *http.Request) {
	all, err := s.jobs.get(r.Context())
	if err != nil {
		s.fail(w, r, "jobs", err)
		return
	}
	q := r.URL.Query()
	v := listView{
		Query:      q.Get("q"),
		Sort:       q.Get("sort"),
		StateParam: q.Get("state"),
		Known:      len(all),
		Back:       r.URL.RequestURI(),
	}
	if len(all) == 0 {
		v.Example = ExampleConfig(runnerURL(r))
	}
	now := s.Now()

	words := strings.Fields(strings.ToLower(v.Query))
	var rows []jobRow
	counts := map[state]int{}
	matching := 0
	for _, e := range all {
		if slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(e.text, w) }) {
			continue
		}
		row := jobRow{Job: e.Job}
		row.State, row.Word = stateOf(&row.Job, now)
		counts[row.State]++
		matching++
		if v.StateParam == "" || v.StateParam == string(row.State) {
			rows = append(rows, row)
		}
	}
	v.Found = len(rows)
	v.arrange(rows)

	last := max((len(rows)-1)/pageSize, 0)
	page, _ := strconv.Atoi(q.Get("page"))
	page = min(max(page-1, 0), last)
	v.First, v.To = page*pageSize+1, min((page+1)*pageSize, len(rows))
	v.Rows = rows[v.First-1 : v.To]
	if page > 0 {
		v.Previous = v.href("page", strconv.Itoa(page))
	}
	if page < last {
		v.Next = v.href("page", strconv.Itoa(page+2))
	}
	if err := s.fill(r, v.Rows); err != nil {
		s.fail(w, r, "jobs", err)
		return
	}
	v.tabs(counts, matching)
	v.columns()

	f := frame{Title: "Jobs", Section: "jobs", Refresh: refresh(counts[stateRunning] > 0)}
	if n := counts[stateFailed]; n > 0 {
		f.Title, f.Mood = plural(n, "job")+" failed", "failed"
	}
	s.render(w, r, http.StatusOK, "jobs", f, v)
}

// fill reads the runs of the rows on the page.
func (s *server) fill(r *http.Request, rows []jobRow) error {
	n := s.names(r.Context())
	g, ctx := errgroup.WithContext(r.Context())
	g.SetLimit(8)
	for i := range rows {
		g.Go(func() error {
			runs, err := s.API.ListRuns(ctx, jobs.RunFilter{JobID: rows[i].ID, Limit: stripRuns})
			if err == nil {
				s.complete(&rows[i], runs, n)
			}
			return err
		})
	}
	return g.Wait()
}

// complete sets the fields of a row that follow from the job's runs, which are
// sorted newest first.
func (s *server) complete(row *jobRow, runs []jobs.Run, n names) {
	now := s.Now()
	if len(runs) > 0 {
		row.LastRun = &runs[0] // newer than the run in the list of jobs
	}
	row.State, row.Word = stateOf(&row.Job, now)
	row.Source, row.Target, row.Rhythm = source(&row.Job, n), target(&row.Job), describeSchedule(row.Schedule)
	row.Progress = s.rates.of(row.LastRun, now)
	if last := row.LastRun; last != nil {
		row.Took = runDuration(last, now)
		if last.Status == jobs.StatusFailed {
			row.Cause = explain(last.Failure)
		}
	}
	for i := range runs {
		if runs[i].Status == jobs.StatusSucceeded {
			at := when(&runs[i])
			row.Success = &at
			break
		}
	}
	if row.Success == nil {
		row.Success = row.LastSuccessAt // of a run before those
	}
	row.Runs = slices.Clone(runs)
	slices.Reverse(row.Runs)
	row.Strip = newStrip(row.Runs)
}

// arrange sorts rows by urgency or by the selected column.
func (v *listView) arrange(rows []jobRow) {
	never := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	next := func(r *jobRow) time.Time {
		if r.NextRunAt == nil {
			return never
		}
		return *r.NextRunAt
	}
	last := func(r *jobRow) (t time.Time) {
		if r.LastRun != nil {
			t = when(r.LastRun)
		}
		return t
	}
	byLabel := func(a, b *jobRow) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Label), strings.ToLower(b.Label)), cmp.Compare(a.ID, b.ID))
	}
	slices.SortStableFunc(rows, func(a, b jobRow) int {
		switch v.Sort {
		case "label":
			return byLabel(&a, &b)
		case "last":
			return cmp.Or(last(&b).Compare(last(&a)), byLabel(&a, &b))
		case "next":
			return cmp.Or(next(&a).Compare(next(&b)), byLabel(&a, &b))
		default:
			return cmp.Or(cmp.Compare(urgency[a.State], urgency[b.State]), byLabel(&a, &b))
		}
	})
}

// href returns the list's address with one parameter changed. Changing any
// parameter but "page" returns to the first page.
func (v *listView) href(key, value string) string {
	q := url.Values{}
	for k, x := range map[string]string{"q": v.Query, "sort": v.Sort, "state": v.StateParam, key: value} {
		if k == key {
			x = value
		}
		if x != "" {
			q.Set(k, x)
		}
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

func (v *listView) tabs(counts map[state]int, all int) {
	v.Tabs = []tab{{Name: "All", Jobs: int64(all)}}
	for _, t := range []struct {
		name  string
		state state
	}{{"Failed", stateFailed}, {"Late", stateLate}, {"Running", stateRunning}, {"OK", stateOK}, {"Idle", stateIdle}, {"Paused", statePaused}} {
		v.Tabs = append(v.Tabs, tab{Name: t.name, State: string(t.state), Jobs: int64(counts[t.state])})
	}
	for i := range v.Tabs {
		v.Tabs[i].Current = v.Tabs[i].State == v.StateParam
		v.Tabs[i].Href = v.href("state", v.Tabs[i].State)
	}
}

func (v *listView) columns() {
	v.Columns = []column{{Name: "State", Key: "", Class: "c-state"}, {Name: "Job", Key: "label", Class: "c-job"},
		{
			Name:  "Last run",
			Key:   "last",
			Class: "c-last",
		}, {Name: "History", Key: "-", Class: "c-history"}, {Name: "Next run", Key: "next", Class: "c-next"}}
	for i := range v.Columns {
		c := &v.Columns[i]
		if c.Key == "-" {
			continue
		}
		c.Href = v.href("sort", c.Key)
		if c.Key == v.Sort {
			c.Sorted = "ascending"
			if c.Key == "last" {
				c.Sorted = "descending"
			}
		}
	}
}
