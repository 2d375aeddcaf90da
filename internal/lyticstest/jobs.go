package lyticstest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

var (
	jobKeys = []string{
		"name", "config", "description", "auth_ids", "quiet_time_of_day", "quiet_timezone", "quiet_period", "drop_events_during_quiet_window",
		"expires_at", "monitoring", "workflow", "tag", "hidden", "verbose_logging", "meta",
	}
	importKeys = []string{
		"catalog", "database", "source", "timestamp_field", "record_timestamp", "since_date", "stream", "continuous_update", "run_frequency",
		"day_of_week", "time_of_day", "timezone", "query_timeout", "batch_size", "row_limit",
	}
	exportKeys = []string{
		"catalog", "database", "segment_id", "fields", "continuous_update", "run_frequency", "day_of_week", "time_of_day", "timezone",
	}
)

// jobType is what the config of a job of a type takes.
type jobType struct{ keys, required []string }

var jobTypes = map[string]jobType{
	"databricks-import": {importKeys, []string{"database", "source"}},
	"databricks-export": {exportKeys, []string{"database", "segment_id"}},
}

// Creations of jobs that an account may make within an hour.
const creationsPerHour = 10

// sinceLayout is the form that the description of since_date asks for, in UTC.
const sinceLayout = "2006-01-02 15:04:05"

// job is a stored job.
type job struct {
	typ        string
	attributes object
	created    time.Time
	started    bool
	log        []any
}

// serveJobs answers /v2/job. There is no DELETE: kill is a soft delete.
func (s *Server) serveJobs(r *request, path []string) reply {
	if len(path) == 0 && r.Method == http.MethodGet {
		return s.listJobs(r)
	}
	if len(path) == 1 && r.Method == http.MethodPost {
		return s.createJob(r, path[0])
	}
	if matches(path, "logs") && r.Method == http.MethodGet {
		return s.accountLog(r)
	}
	if len(path) == 0 || len(path) > 2 {
		return s.unrouted(r)
	}
	if _, typed := jobTypes[path[0]]; typed && len(path) == 2 {
		j, ok := s.jobs[path[1]]
		switch {
		case !ok || j.typ != path[0]:
			return s.jobNotFound(r)
		case r.Method == http.MethodGet:
			return s.showJob(r, j)
		case r.Method == http.MethodPut:
			return s.changeJob(r, path[0], j)
		}
		return s.unrouted(r)
	}
	j, ok := s.jobs[path[0]]
	switch {
	case !ok:
		return s.jobNotFound(r)
	case len(path) == 1 && r.Method == http.MethodGet:
		return s.showJob(r, j)
	case len(path) == 2 && path[1] == "logs" && r.Method == http.MethodGet:
		return s.jobLog(r, j)
	case len(path) == 2 && r.Method == http.MethodPost:
		return s.steerJob(r, j, path[1])
	}
	return s.unrouted(r)
}

func (s *Server) jobNotFound(r *request) reply {
	return s.refuse(r, http.StatusNotFound, "JOB-NOTFOUND-004", "job not found")
}

// showJob answers one job. A job that is pausing is paused the next time.
func (s *Server) showJob(r *request, j *job) reply {
	if err := r.expects("", "show_state"); err != nil {
		return s.reject(r, "%v", err)
	}
	shown := maps.Clone(j.attributes)
	if shown["status"] == "pausing" {
		j.attributes["status"] = "paused"
	}
	return s.success(r, http.StatusOK, shown)
}

// listJobs leaves out completed, hidden and deleted jobs unless they are asked
// for.
func (s *Server) listJobs(r *request) reply {
	err := r.expects("", "workflow", "auth_ids", "show_completed", "show_deleted", "show_hidden", "show_all", "show_state")
	if err != nil {
		return s.reject(r, "%v", err)
	}
	all := r.query.Get("show_all") == "true"
	list := []any{}
	for _, id := range slices.Sorted(maps.Keys(s.jobs)) {
		j := s.jobs[id]
		completed, deleted := j.attributes.text("status") == "completed", j.attributes.boolean("deleted")
		if w := r.query.Get("workflow"); w != "" && w != j.attributes.text("workflow") {
			continue
		}
		shown := all || (!completed || r.query.Get("show_completed") == "true") &&
			(!deleted || r.query.Get("show_deleted") == "true" && r.query.Get("show_completed") == "true") &&
			(!j.attributes.boolean("hidden") || r.query.Get("show_hidden") == "true")
		if shown {
			list = append(list, j.attributes)
		}
	}
	return s.success(r, http.StatusOK, list)
}

// decodeJob reads a whole job and checks its config against its type.
func (s *Server) decodeJob(r *request, typ string) (object, reply, bool) {
	if err := r.expects("application/json", "run_job"); err != nil {
		return nil, s.reject(r, "%v", err), false
	}
	o, err := r.object(jobKeys...)
	if err != nil {
		return nil, s.reject(r, "%v", err), false
	}
	config, ok := o["config"].(map[string]any)
	if o.text("name") == "" || !ok {
		return nil, s.refuse(r, http.StatusBadRequest, "JOB-BADREQ-002", "name and config are required"), false
	}
	for k := range config {
		if !slices.Contains(jobTypes[typ].keys, k) {
			return nil, s.reject(r, "config key %q is not documented", k), false
		}
	}
	for _, k := range jobTypes[typ].required {
		if config[k] == nil || config[k] == "" {
			return nil, s.refuse(r, http.StatusBadRequest, "JOB-BADREQ-002", "config key "+k+" is required"), false
		}
	}
	frequency, _ := config["run_frequency"].(string)
	if typ == "databricks-export" && frequency != "" && !slices.Contains([]string{"daily", "weekly", "monthly"}, frequency) {
		return nil, s.refuse(r, http.StatusBadRequest, "JOB-BADREQ-002", "run_frequency is daily, weekly or monthly"), false
	}
	if err := s.checkJob(o, object(config)); err != nil {
		return nil, s.refuse(r, http.StatusBadRequest, "JOB-BADREQ-002", err.Error()), false
	}
	return o, reply{}, true
}

// checkJob checks the values that the description gives a form, and that the job
// refers to what is in the account.
func (s *Server) checkJob(o, config object) error {
	for k, v := range config {
		_, text := v.(string)
		_, number := v.(json.Number)
		_, truth := v.(bool)
		_, list := v.([]any)
		switch {
		case slices.Contains([]string{"query_timeout", "batch_size", "row_limit"}, k) && !number,
			k == "continuous_update" && !truth, k == "fields" && !list,
			slices.Contains([]string{"database", "source", "catalog", "run_frequency", "day_of_week", "time_of_day", "timezone"}, k) && !text:
			return fmt.Errorf("config key %s has the wrong type", k)
		}
	}
	if since := config.text("since_date"); since != "" {
		_, plain := time.Parse(sinceLayout, since)
		_, full := time.Parse(time.RFC3339, since)
		if plain != nil && full != nil {
			return fmt.Errorf("since_date %q is not a time", since)
		}
	}
	if t := config.text("time_of_day"); t != "" {
		if _, err := time.Parse("15:04", t); err != nil {
			return fmt.Errorf("time_of_day %q is not HH:MM", t)
		}
	}
	if _, err := time.LoadLocation(config.text("timezone")); err != nil {
		return fmt.Errorf("timezone %q is not known", config.text("timezone"))
	}
	if id := config.text("segment_id"); id != "" && s.segments[id] == nil {
		return fmt.Errorf("segment %q is not in this account", id)
	}
	auths, _ := o["auth_ids"].([]any)
	for _, id := range auths {
		if text, _ := id.(string); s.auths[text] == nil {
			return fmt.Errorf("authorization %q is not in this account", id)
		}
	}
	return nil
}

// createJob creates a job, and starts it unless run_job=false.
func (s *Server) createJob(r *request, typ string) reply {
	if _, ok := jobTypes[typ]; !ok {
		return s.unrouted(r)
	}
	o, refused, ok := s.decodeJob(r, typ)
	if !ok {
		return refused
	}
	now, recent := s.options.Now(), 0
	for _, j := range s.jobs {
		if now.Sub(j.created) < time.Hour {
			recent++
		}
	}
	if recent >= creationsPerHour {
		return s.refuse(r, http.StatusTooManyRequests, "JOB-BADREQ-002", "too many integrations created in the last hour")
	}
	j := &job{typ: typ, attributes: object{}, created: now}
	j.attributes["id"], j.attributes["workflow"], j.attributes["created"] = s.newID(), s.slug(typ), s.timestamp()
	j.attributes["deleted"], j.attributes["status"] = false, "initializing"
	s.fillJob(j, o)
	if r.query.Get("run_job") != "false" {
		s.startJob(j)
	}
	s.jobs[j.attributes.text("id")] = j
	return s.success(r, http.StatusCreated, j.attributes)
}

// changeJob replaces a job: attributes that are left out are reset, and a config
// replaces the old one whole.
func (s *Server) changeJob(r *request, typ string, j *job) reply {
	if j.attributes.boolean("deleted") {
		return s.jobNotFound(r)
	}
	o, refused, ok := s.decodeJob(r, typ)
	if !ok {
		return refused
	}
	s.fillJob(j, o)
	if s.options.RestartOnChange {
		s.startJob(j)
	}
	return s.success(r, http.StatusOK, j.attributes)
}

// slug is the form in which a type is stored. Paths have hyphens; the examples of
// answers have underscores.
func (s *Server) slug(typ string) string {
	if s.options.UnderscoreSlugs {
		return strings.ReplaceAll(typ, "-", "_")
	}
	return typ
}

func (s *Server) fillJob(j *job, o object) {
	for _, k := range jobKeys {
		switch _, sent := o[k]; {
		case sent:
			j.attributes[k] = o[k]
		case k != "monitoring" && k != "workflow":
			delete(j.attributes, k)
		}
	}
	j.attributes["updated"] = s.timestamp()
}

func (s *Server) startJob(j *job) {
	j.started = true
	j.attributes["status"] = "running"
	delete(j.attributes, "sleep_until")
	s.addLog(j, "info", "the work started")
}

// steerJob answers pause, resume, bounce and kill.
func (s *Server) steerJob(r *request, j *job, action string) reply {
	if j.attributes.boolean("deleted") {
		return s.jobNotFound(r)
	}
	if err := r.expects(""); err != nil {
		return s.reject(r, "%v", err)
	}
	switch action {
	case "pause":
		was := j.attributes.text("status")
		j.attributes["status"] = "paused"
		if was == "running" {
			j.attributes["status"] = "pausing"
		}
	case "resume", "bounce":
		if !j.started && (action == "bounce") != s.options.StartByBounce {
			return s.refuse(r, http.StatusBadRequest, "JOB-BADREQ-002", "a job that never ran cannot "+action)
		}
		s.startJob(j)
	case "kill":
		j.attributes["status"], j.attributes["deleted"] = "deleted", true
	default:
		return s.unrouted(r)
	}
	return s.success(r, http.StatusOK, j.attributes)
}
