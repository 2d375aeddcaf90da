package page

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// runsPage is the number of runs on one page, and mostChoices how many labels the
// filter's field for a job offers.
const (
	runsPage    = 50
	mostChoices = 500
)

// runTab selects runs by their state.
type runTab struct {
	name, key string
	statuses  []jobs.Status
}

var runTabs = []runTab{
	{"All", "", nil},
	{"Failed", "failed", []jobs.Status{jobs.StatusFailed}},
	{"Active", "active", []jobs.Status{jobs.StatusRunning, jobs.StatusWaiting, jobs.StatusQueued}},
	{"Succeeded", "succeeded", []jobs.Status{jobs.StatusSucceeded}},
	{"Cancelled", "cancelled", []jobs.Status{jobs.StatusCancelled}},
	{"Missed", "missed", []jobs.Status{jobs.StatusMissed}},
}

// choice is an option of a field of the filter.
type choice struct {
	Key, Name string
	Chosen    bool
}

// runFilter is the filter of the list of runs, as its address has it. Since is a key
// of periods; From and Until are days or times in UTC.
type runFilter struct {
	Status, Job, Trigger, Since, From, Until, Error, Problem string
	Before, After                                            string
}

func runFilterOf(q url.Values) runFilter {
	get := func(name string) string { return strings.TrimSpace(q.Get(name)) }
	return runFilter{
		Status: get("status"), Job: get("job"), Trigger: get("trigger"), Since: get("since"), From: get("from"), Until: get("until"),
		Error: get("error"), Problem: get("problem"), Before: get("before"), After: get("after"),
	}
}

// Path is the address of the list with one field of the filter changed. A change of
// any field but before and after returns to the first page.
func (f runFilter) Path(key, value string) string {
	fields := map[string]string{
		"status": f.Status, "job": f.Job, "trigger": f.Trigger, "since": f.Since, "from": f.From, "until": f.Until, "error": f.Error,
		"problem": f.Problem,
	}
	fields[key] = value
	if key == "status" && value != "" && value != "failed" {
		delete(fields, "problem") // only failed runs have one
	}
	q := url.Values{}
	for name, value := range fields {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return "/runs"
	}
	return "/runs?" + q.Encode()
}

// periods are the values of since.
var periods = []struct {
	key, name string
	long      time.Duration
}{{"1h", "last hour", time.Hour}, {"24h", "last 24 hours", 24 * time.Hour}, {"7d", "last 7 days", 7 * 24 * time.Hour}, {"30d", "last 30 days", 30 * 24 * time.Hour}}

var triggers = []jobs.Reason{jobs.ReasonSchedule, jobs.ReasonManual, jobs.ReasonApply, jobs.ReasonAfter}

// search is the search of the filter. found is false if the filter names a job that
// there is not.
func (f runFilter) search(all []entry, now time.Time) (s jobs.RunSearch, found bool) {
	s = jobs.RunSearch{Problem: f.Problem, Text: f.Error, Before: f.Before, After: f.After, Limit: runsPage}
	if i := slices.IndexFunc(runTabs, func(t runTab) bool { return t.key == f.Status }); i >= 0 {
		s.Statuses = runTabs[i].statuses
	}
	if slices.Contains(triggers, jobs.Reason(f.Trigger)) {
		s.Reasons = []jobs.Reason{jobs.Reason(f.Trigger)}
	}
	for _, p := range periods {
		if p.key == f.Since {
			s.From = now.Add(-p.long)
		}
	}
	if from, err := parseDay(f.From); err == nil {
		s.From = from
	}
	if until, err := parseDay(f.Until); err == nil {
		s.Until = until
		if len(f.Until) == len(time.DateOnly) {
			s.Until = until.AddDate(0, 0, 1) // the whole of the last day
		}
	}
	if f.Job == "" {
		return s, true
	}
	s.JobIDs = matchingJobs(all, f.Job)
	return s, len(s.JobIDs) > 0
}

func parseDay(text string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, text)
}

// matchingJobs are the ids of the jobs with an id or a label; if there is none, of those
// whose label has the text, and at last the text, which may be the id of a job that was
// destroyed.
func matchingJobs(all []entry, text string) (ids []string) {
	lower := strings.ToLower(text)
	for _, match := range []func(e *entry) bool{
		func(e *entry) bool { return e.ID == text },
		func(e *entry) bool { return strings.EqualFold(e.Label, text) },
		func(e *entry) bool { return strings.Contains(strings.ToLower(e.Label), lower) },
	} {
		for i := range all {
			if match(&all[i]) && len(ids) < mostChoices {
				ids = append(ids, all[i].ID)
			}
		}
		if len(ids) > 0 {
			return ids
		}
	}
	if strings.HasPrefix(text, "job_") {
		ids = []string{text}
	}
	return ids
}

// groupView is a group of failures with one problem.
type groupView struct {
	jobs.RunGroup
	// Href lists its runs; Names are the jobs, the first ones.
	Href  string
	Names string
}

type runsView struct {
	Filter   runFilter
	Filtered bool
	Tabs     []tab
	Jobs     []string
	Triggers []choice
	Periods  []choice
	Groups   []groupView
	// Group is the group that the filter selects, or nil.
	Group *groupView
	Runs  runTable
	Total int64
	// Most is set if there are more runs than Total counts.
	Most bool
	// Newest, Newer and Older are addresses of other pages.
	Newest, Newer, Older string
	Back                 string
}

// showRuns lists the runs that a filter selects, and groups equal failures.
func (s *server) showRuns(w http.ResponseWriter, r *http.Request) {
	all, err := s.jobs.get(r.Context())
	if err != nil {
		s.fail(w, r, "runs", err)
		return
	}
	now, f := s.Now(), runFilterOf(r.URL.Query())
	v := runsView{Filter: f, Filtered: f.Path("before", "") != "/runs", Back: r.URL.RequestURI(), Runs: runTable{Jobs: true, Pick: true}}
	v.choices(all)
	search, found := f.search(all, now)
	var page jobs.RunPage
	if found {
		if page, err = s.API.SearchRuns(r.Context(), search); err != nil {
			s.fail(w, r, "runs", err)
			return
		}
	}
	known, active := labels(all), false
	for i := range page.Runs {
		row := newRunRow(page.Runs[i], now)
		row.Label, row.JobGone = jobName(known, row.JobID)
		v.Runs.Rows = append(v.Runs.Rows, row)
		active = active || row.Status.Active()
	}
	v.Total, v.Most = page.Total, page.Total >= jobs.MostCounted
	if page.Older != "" {
		v.Older = f.Path("before", page.Older)
	}
	if page.Newer != "" {
		v.Newer, v.Newest = f.Path("after", page.Newer), f.Path("before", "")
	}
	if found && (f.Status == "failed" || f.Problem != "") {
		if err := s.group(r, &v, search, known); err != nil {
			s.fail(w, r, "runs", err)
			return
		}
	}
	s.render(w, r, http.StatusOK, "runs", frame{Title: "Runs", Section: "runs", Refresh: refresh(active)}, v)
}

// choices sets what the fields of the filter offer.
func (v *runsView) choices(all []entry) {
	for _, t := range runTabs {
		v.Tabs = append(v.Tabs, tab{Name: t.name, State: t.key, Href: v.Filter.Path("status", t.key), Current: t.key == v.Filter.Status})
	}
	for i := range all[:min(len(all), mostChoices)] {
		v.Jobs = append(v.Jobs, all[i].Label)
	}
	v.Triggers = []choice{{Key: "", Name: "anybody"}}
	for _, t := range triggers {
		v.Triggers = append(v.Triggers, choice{string(t), startedBy(t), string(t) == v.Filter.Trigger})
	}
	v.Periods = []choice{{Key: "", Name: "at any time"}}
	for _, p := range periods {
		v.Periods = append(v.Periods, choice{p.key, p.name, p.key == v.Filter.Since})
	}
}

// group reads the groups of failures.
func (s *server) group(r *http.Request, v *runsView, search jobs.RunSearch, known map[string]string) error {
	groups, err := s.API.RunGroups(r.Context(), search)
	if err != nil {
		return err
	}
	for _, g := range groups {
		view := groupView{RunGroup: g, Href: v.Filter.Path("problem", g.Problem)}
		var names []string
		for _, id := range g.JobIDs[:min(len(g.JobIDs), 3)] {
			name, _ := jobName(known, id)
			names = append(names, name)
		}
		view.Names = strings.Join(names, ", ")
		if more := len(g.JobIDs) - len(names); more > 0 {
			view.Names += " and " + plural(more, "other")
		}
		v.Groups = append(v.Groups, view)
	}
	if v.Filter.Problem != "" && len(v.Groups) == 1 {
		v.Group, v.Groups = &v.Groups[0], nil
	}
	return nil
}
