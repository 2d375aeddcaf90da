package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticsjobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// showJob gives a job as it is: of one in the account, Lytics tells definition and
// state.
func (e *Engine) showJob(ctx context.Context, db *store.DB, row store.JobRow) (store.JobRow, error) {
	if !row.ManagedBy.IsLytics() {
		return row, nil
	}
	if row.LyticsID == "" {
		row.Lytics = &jobs.LyticsState{Problem: "The apply that creates it in Lytics did not end."}
		return row, nil
	}
	_, j, err := e.accountJob(ctx, row)
	if err != nil {
		return row, err
	}
	r := lyticsjobs.References{Since: row.InLytics.Since}
	auth, err := db.Authorization(ctx, row.AuthorizationID)
	if err != nil {
		return row, err
	}
	if len(j.AuthIDs) > 0 && !slices.Contains(j.AuthIDs, auth.LyticsID) {
		row.AuthorizationID = jobs.LyticsIDPrefix + j.AuthIDs[0]
		if other, err := db.AuthorizationByLyticsID(ctx, j.AuthIDs[0]); err == nil {
			row.AuthorizationID = other.ID
		}
	}
	if row.Export != nil && row.Export.AudienceID != j.Text("segment_id") {
		audience, err := e.platform.Audience(ctx, row.Export.AudienceID)
		if err != nil && !jobs.IsCode(err, jobs.CodeNotFound) {
			return row, err
		}
		r.SegmentID = audience.ID
	}
	row.JobSpec = lyticsjobs.Show(row.JobSpec, r, j)
	setState(&row, j)
	return row, nil
}

// setState sets what Lytics tells of a job's state.
func setState(row *store.JobRow, j lytics.AccountJob) {
	row.Lytics = &jobs.LyticsState{ID: j.ID, Status: j.Status, Since: row.InLytics.Since}
	row.Paused = lyticsjobs.Paused(j.Status) || !row.InLytics.Started && row.Schedule != nil
	row.NextRunAt = j.SleepUntil
	if row.Paused {
		row.NextRunAt = nil
	}
}

// statesTimeout bounds how long a list of jobs waits for Lytics.
const statesTimeout = 10 * time.Second

// showStates sets the state of the jobs that Lytics executes, by one call for all of
// them. Without an answer the list says why the states are not known.
func (e *Engine) showStates(ctx context.Context, rows []store.JobRow) {
	if !slices.ContainsFunc(rows, func(r store.JobRow) bool { return r.LyticsID != "" }) {
		return
	}
	byID, err := e.accountStates(ctx, rows)
	for i := range rows {
		row := &rows[i]
		if row.LyticsID == "" {
			continue
		}
		row.Lytics = &jobs.LyticsState{ID: row.LyticsID, Status: "deleted"}
		if err != nil {
			row.Lytics.Status, row.Lytics.Problem = "", redact.Text(err.Error())
		}
		if j, ok := byID[row.LyticsID]; ok {
			setState(row, j)
		}
	}
}

// statesAge is how long the states of a list are used again: open pages read the list
// of jobs about once a second.
const statesAge = 10 * time.Second

// accountStates gives the jobs of the account, as they were not long ago. A job that is
// not among them is looked for anew.
func (e *Engine) accountStates(ctx context.Context, rows []store.JobRow) (map[string]lytics.AccountJob, error) {
	e.states.mu.Lock()
	defer e.states.mu.Unlock()
	missing := slices.ContainsFunc(rows, func(r store.JobRow) bool {
		_, ok := e.states.jobs[r.LyticsID]
		return r.LyticsID != "" && !ok
	})
	if !missing && time.Since(e.states.at) < statesAge {
		return e.states.jobs, nil
	}
	account, err := e.lyticsAccount()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, statesTimeout)
	defer cancel()
	list, err := account.AccountJobs(ctx)
	if err != nil {
		return nil, err
	}
	e.states.jobs, e.states.at = make(map[string]lytics.AccountJob, len(list)), time.Now()
	for _, j := range list {
		e.states.jobs[j.ID] = j
	}
	return e.states.jobs, nil
}

// accountStates are the jobs of the account as a list of jobs last read them.
type accountStates struct {
	mu   sync.Mutex
	at   time.Time
	jobs map[string]lytics.AccountJob // never changed in place
}

// forget has the next list read the states anew, because this process changed one.
func (s *accountStates) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = time.Time{}
}
