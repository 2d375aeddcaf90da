package lyticstest

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// addLog adds an entry to a job's log.
func (s *Server) addLog(j *job, level, message string) {
	j.log = append(j.log, object{
		"job_id": j.attributes["id"], "message": message, "level": level, "timestamp": s.timestamp(), "code": "", "context": object{},
	})
}

// jobLog answers a job's log, newest entry first.
func (s *Server) jobLog(r *request, j *job) reply {
	if err := r.expects("", "include_errors"); err != nil {
		return s.reject(r, "%v", err)
	}
	newest := slices.Clone(j.log)
	slices.Reverse(newest)
	return s.success(r, http.StatusOK, append([]any{}, newest...))
}

// accountLog answers the log of all jobs that are not killed.
func (s *Server) accountLog(r *request) reply {
	if err := r.expects("", "include_errors"); err != nil {
		return s.reject(r, "%v", err)
	}
	all := []any{}
	for _, id := range slices.Sorted(maps.Keys(s.jobs)) {
		if j := s.jobs[id]; !j.attributes.boolean("deleted") {
			all = append(all, j.log...)
		}
	}
	return s.success(r, http.StatusOK, all)
}

// FinishRun ends the run of a job with a status, as Lytics does by itself. A job
// that sleeps wakes at the given time.
func (s *Server) FinishRun(id, status string, wake time.Time) {
	s.account.Lock()
	defer s.account.Unlock()
	j := s.jobs[id]
	j.attributes["status"] = status
	delete(j.attributes, "sleep_until")
	if !wake.IsZero() {
		j.attributes["sleep_until"] = wake.UTC().Format(time.RFC3339)
	}
	s.addLog(j, "info", "the work ended as "+status)
}

// AddJobLog adds an entry to a job's log, as its work does.
func (s *Server) AddJobLog(id, level, message string) {
	s.account.Lock()
	defer s.account.Unlock()
	s.addLog(s.jobs[id], level, message)
}

// Jobs gives the attributes of all jobs by their ids, deleted ones included.
func (s *Server) Jobs() map[string]map[string]any {
	s.account.Lock()
	defer s.account.Unlock()
	all := map[string]map[string]any{}
	for id, j := range s.jobs {
		all[id] = maps.Clone(j.attributes)
	}
	return all
}

// AuthConfigs gives the config of each authorization by its id. No answer of the
// API has it.
func (s *Server) AuthConfigs() map[string]map[string]any {
	s.account.Lock()
	defer s.account.Unlock()
	all := map[string]map[string]any{}
	for id, a := range s.auths {
		all[id] = maps.Clone(a.config)
	}
	return all
}

// ChangeJob changes a job as somebody with access to the account does.
func (s *Server) ChangeJob(id string, change func(attributes, config map[string]any)) {
	s.account.Lock()
	defer s.account.Unlock()
	j := s.jobs[id]
	config, _ := j.attributes["config"].(map[string]any)
	config = maps.Clone(config)
	change(j.attributes, config)
	j.attributes["config"] = config
}
