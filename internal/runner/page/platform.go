package page

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// How many events, profiles and changes the pages of a stream, an audience and an
// authorization show.
const (
	shownEvents  = 50
	shownSample  = 10
	shownChanges = 20
)

// AuthorizationPath returns the path of an authorization's page, relative to the runner's
// URL.
func AuthorizationPath(id string) string { return "/authorizations/" + escape(id) }

// StreamPath returns the path of a stream's page, relative to the runner's URL.
func StreamPath(name string) string { return "/streams/" + escape(name) }

// AudiencePath returns the path of an audience's page, relative to the runner's URL.
func AudiencePath(idOrSlug string) string { return "/audiences/" + escape(idOrSlug) }

// jobsOf are links to the jobs that of selects.
func jobsOf(list []entry, of func(*jobs.Job) bool) (out []link) {
	for i := range list {
		if j := &list[i].Job; of(j) {
			name := j.Label
			if name == "" {
				name = j.ID
			}
			out = append(out, link{name, JobPath(j.ID)})
		}
	}
	return out
}

type authorizationView struct {
	jobs.Authorization
	Name    string
	Login   string
	Jobs    []link
	Changes []jobs.AuditEntry
}

func (s *server) showAuthorization(w http.ResponseWriter, r *http.Request) {
	ctx, id := r.Context(), r.PathValue("id")
	all, err := s.jobs.get(ctx)
	if err != nil {
		s.fail(w, r, "jobs", err)
		return
	}
	list, err := s.API.ListAuthorizations(ctx)
	if err != nil {
		s.fail(w, r, "jobs", err)
		return
	}
	i := slices.IndexFunc(list, func(a jobs.Authorization) bool { return a.ID == id })
	if i < 0 {
		s.fail(w, r, "jobs", &jobs.Error{Code: jobs.CodeNotFound, Summary: "There is no authorization " + id,
			Detail: "It was destroyed, or the address is wrong.", Next: "Go to the list of jobs"})
		return
	}
	v := authorizationView{Authorization: list[i], Name: list[i].Label, Login: loginOf(&list[i])}
	if v.Name == "" {
		v.Name = id
	}
	v.Jobs = jobsOf(all, func(j *jobs.Job) bool { return j.AuthorizationID == id })
	changes, err := s.API.AuditLog(ctx, jobs.AuditFilter{Object: id, Limit: shownChanges})
	if err != nil {
		s.fail(w, r, "jobs", err)
		return
	}
	v.Changes = changes.Entries
	s.render(w, r, http.StatusOK, "authorization", frame{Title: v.Name, Section: "jobs", Refresh: refreshIdle}, v)
}

// loginOf describes how an authorization logs in, without any secret.
func loginOf(a *jobs.Authorization) string {
	switch {
	case a.Login != nil:
		return string(a.Login.Kind)
	case a.ClientID != "":
		return "OAuth, service principal " + a.ClientID
	case a.TokenEnv != "":
		return "access token of the variable " + a.TokenEnv
	case a.ManagedBy.IsLytics():
		return "kept by Lytics"
	default:
		return "access token, kept in the store"
	}
}

type eventView struct {
	ID   string
	Time time.Time
	Data string
}

func eventViews(events []jobs.Event) (out []eventView) {
	for _, e := range events {
		out = append(out, eventView{e.ID, e.Time, string(e.Data)})
	}
	return out
}

type streamView struct {
	Name     string
	Info     *jobs.StreamInfo
	Jobs     []link
	Mappings []jobs.Mapping
	Events   []eventView
	// Hidden says why there are no events to show.
	Hidden string
}

func (s *server) showStream(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	v := streamView{Name: r.PathValue("name")}
	all, err := s.jobs.get(ctx)
	if err != nil {
		s.fail(w, r, "flow", err)
		return
	}
	v.Jobs = jobsOf(all, func(j *jobs.Job) bool { return j.Import != nil && j.Import.Stream == v.Name })
	lists := s.platform(ctx)
	if err := cmp.Or(lists.streamsErr, lists.mappingsErr); err != nil {
		s.fail(w, r, "flow", err)
		return
	}
	if i := slices.IndexFunc(lists.streams, func(i jobs.StreamInfo) bool { return i.Name == v.Name }); i >= 0 {
		v.Info = &lists.streams[i]
	}
	for _, m := range lists.mappings {
		if m.Stream == v.Name {
			v.Mappings = append(v.Mappings, m)
		}
	}
	if v.Info == nil && len(v.Jobs)+len(v.Mappings) == 0 {
		s.fail(w, r, "flow", &jobs.Error{Code: jobs.CodeNotFound, Summary: "There is no stream " + v.Name,
			Detail: "No job imports into it, and it has no events.", Next: "Go to the flow, which has all streams"})
		return
	}
	events, err := s.API.LatestEvents(ctx, v.Name, shownEvents)
	switch {
	case jobs.IsCode(err, jobs.CodeNotFound):
		v.Hidden = "The stream has no events yet."
	case err != nil:
		v.Hidden = jobs.FailureOf(err).Summary + ". " + jobs.FailureOf(err).Detail
	}
	v.Events = eventViews(events)
	s.render(w, r, http.StatusOK, "stream", frame{Title: "Stream " + v.Name, Section: "flow", Refresh: refreshIdle}, v)
}

type audienceView struct {
	jobs.Audience
	Size    int64
	SizeNow bool
	Jobs    []link
	// Sizes is the plot of the rows that each run of the first export wrote; nil
	// without a run.
	Sizes   *history
	Exports int
	Columns []string
	Sample  [][]jobs.Value
	Hidden  string
}

func (s *server) showAudience(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	all, err := s.jobs.get(ctx)
	if err != nil {
		s.fail(w, r, "flow", err)
		return
	}
	list, err := s.API.Audiences(ctx)
	if err != nil {
		s.fail(w, r, "flow", err)
		return
	}
	id := r.PathValue("id")
	i := slices.IndexFunc(list, func(a jobs.Audience) bool { return a.ID == id || a.Slug == id })
	if i < 0 {
		s.fail(w, r, "flow", &jobs.Error{Code: jobs.CodeNotFound, Summary: "There is no audience " + id,
			Detail: "It was destroyed, or the address is wrong.", Next: "Go to the flow, which has the audiences that are exported"})
		return
	}
	v := audienceView{Audience: list[i]}
	if v.Name == "" {
		v.Name = v.Slug
	}
	exports := func(j *jobs.Job) bool {
		return j.Export != nil && (j.Export.AudienceID == v.ID || j.Export.AudienceID == v.Slug)
	}
	v.Jobs = jobsOf(all, exports)
	if i := slices.IndexFunc(all, func(e entry) bool { return exports(&e.Job) }); i >= 0 {
		runs, err := s.API.ListRuns(ctx, jobs.RunFilter{JobID: all[i].ID, Statuses: []jobs.Status{jobs.StatusSucceeded}, Limit: chartRuns})
		if err != nil {
			s.fail(w, r, "flow", err)
			return
		}
		slices.Reverse(runs)
		if v.Sizes = newHistory(runs, s.Now()); v.Sizes != nil {
			v.Sizes.Rows.Name = "Profiles"
		}
	}
	if v.Size, err = s.API.AudienceSize(ctx, v.ID); err == nil {
		v.SizeNow = true
	}
	if err := s.sample(r, &v); err != nil {
		v.Hidden = jobs.FailureOf(err).String()
	}
	s.render(w, r, http.StatusOK, "audience", frame{Title: v.Name, Section: "flow"}, v)
}

// sample reads the first profiles of an audience.
func (s *server) sample(r *http.Request, v *audienceView) error {
	fields, rows, err := s.API.Scan(r.Context(), v.ID, nil)
	if err != nil {
		return err
	}
	for _, f := range fields {
		v.Columns = append(v.Columns, f.ID)
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		v.Sample = append(v.Sample, slices.Clone(row))
		if len(v.Sample) == shownSample {
			break
		}
	}
	return nil
}

type profileValue struct{ Field, Text string }

type profileEvents struct {
	Stream, Href string
	Events       []eventView
}

type profileView struct {
	Identifiers  []choice
	Value        string
	Asked, Found bool
	Values       []profileValue
	Streams      []profileEvents
	Problem      explanation
	Hidden       string
}

// showProfile looks up a profile by an identifier. The value is personal data, so it is
// in the body of the form, and in no address.
func (s *server) showProfile(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	fields, err := s.API.Fields(ctx)
	if err != nil {
		s.fail(w, r, "profiles", err)
		return
	}
	id := jobs.Identity{Field: r.PostFormValue("field"), Value: strings.TrimSpace(r.PostFormValue("value"))}
	v := profileView{Value: id.Value, Asked: id.Value != ""}
	for _, f := range fields {
		if f.IsIdentifier {
			v.Identifiers = append(v.Identifiers, choice{f.ID, f.ID, f.ID == id.Field})
		}
	}
	if v.Asked {
		s.lookUp(r, id, &v)
	}
	s.render(w, r, http.StatusOK, "profile", frame{Title: "Profile", Section: "profiles"}, v)
}

func (s *server) lookUp(r *http.Request, id jobs.Identity, v *profileView) {
	profile, err := s.API.Profile(r.Context(), id)
	if err != nil {
		v.Problem = explain(jobs.FailureOf(err))
		return
	}
	v.Found = true
	for field, value := range profile {
		if !value.Null {
			v.Values = append(v.Values, profileValue{field, value.Text})
		}
	}
	slices.SortFunc(v.Values, func(a, b profileValue) int { return strings.Compare(a.Field, b.Field) })
	events, err := s.API.ProfileEvents(r.Context(), id, profile, shownEvents)
	if err != nil {
		v.Hidden = jobs.FailureOf(err).Summary + ". " + jobs.FailureOf(err).Detail
		return
	}
	for stream, list := range events {
		v.Streams = append(v.Streams, profileEvents{stream, StreamPath(stream), eventViews(list)})
	}
	slices.SortFunc(v.Streams, func(a, b profileEvents) int { return strings.Compare(a.Stream, b.Stream) })
}

// change is a part of a definition that differs between two versions.
type change struct{ Name, Before, After string }

type versionView struct {
	At    time.Time
	Actor string
	// Changes are the differences to the version before; First is set for a version
	// without one.
	Changes []change
	First   bool
}

// versionViews tells what changed in each version; versions are sorted newest first.
func versionViews(versions []jobs.JobVersion) (out []versionView) {
	for i := range versions {
		v := versionView{At: versions[i].At, Actor: versions[i].Actor, First: i == len(versions)-1}
		if !v.First {
			v.Changes = compareSpecs(&versions[i+1].JobSpec, &versions[i].JobSpec)
		}
		out = append(out, v)
	}
	return out
}

func compareSpecs(before, after *jobs.JobSpec) (out []change) {
	a, b := flatten(before), flatten(after)
	var all []string
	for name := range a {
		all = append(all, name)
	}
	for name := range b {
		all = append(all, name)
	}
	slices.Sort(all)
	for _, name := range slices.Compact(all) {
		if a[name] != b[name] {
			out = append(out, change{name, a[name], b[name]})
		}
	}
	return out
}

// flatten gives the attributes of a definition by their names, as text.
func flatten(s *jobs.JobSpec) map[string]string {
	out := map[string]string{}
	text, err := json.Marshal(s)
	if err != nil {
		return out
	}
	var tree map[string]any
	if json.Unmarshal(text, &tree) != nil {
		return out
	}
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		if m, ok := v.(map[string]any); ok {
			for name, inner := range m {
				walk(strings.TrimPrefix(prefix+"."+name, "."), inner)
			}
			return
		}
		if ns, ok := v.(float64); ok && strings.HasSuffix(prefix, "_ns") {
			out[strings.TrimSuffix(prefix, "_ns")] = duration(time.Duration(ns))
			return
		}
		if text, ok := v.(string); ok {
			out[prefix] = text
			return
		}
		value, err := json.Marshal(v)
		if err == nil {
			out[prefix] = string(value)
		}
	}
	walk("", tree)
	return out
}

// statementURL is the address of a statement in the query history of a workspace.
func statementURL(a *jobs.Authorization, id string) string {
	base := a.Host
	if !strings.Contains(base, "://") {
		base = "https://" + base
	}
	if a.Port != 0 && a.Port != 443 {
		base += ":" + strconv.Itoa(a.Port)
	}
	return base + "/sql/history?" + url.Values{"queryId": {id}}.Encode()
}
