package jobstest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// SearchRuns answers as the engine does, in memory. A position in its list is the id of
// a run.
func (f *Fake) SearchRuns(ctx context.Context, search jobs.RunSearch) (jobs.RunPage, error) {
	return read(ctx, f, "SearchRuns", []any{search}, func(s *Store) (jobs.RunPage, error) {
		list := s.searched(search)
		page := jobs.RunPage{Total: int64(len(list))}
		limit := cmp.Or(search.Limit, defaultLimit)
		at := func(id string) int { return slices.IndexFunc(list, func(r jobs.Run) bool { return r.ID == id }) }
		from := 0
		switch {
		case search.Before != "":
			from = at(search.Before) + 1
		case search.After != "":
			from = max(at(search.After)-limit, 0)
		}
		to := min(from+limit, len(list))
		page.Runs = slices.Clone(list[from:to])
		if from > 0 && to > from {
			page.Newer = list[from].ID
		}
		if to < len(list) {
			page.Older = list[to-1].ID
		}
		return page, nil
	})
}

// searched are the runs of a search, newest first.
func (s *Store) searched(search jobs.RunSearch) (list []jobs.Run) {
	every := func(n int, found bool) bool { return n == 0 || found }
	for _, r := range slices.Backward(s.Runs) {
		text := strings.ToLower(r.Failure.Summary + " " + r.Failure.Detail)
		if every(len(search.JobIDs), slices.Contains(search.JobIDs, r.JobID)) &&
			every(len(search.Statuses), slices.Contains(search.Statuses, r.Status)) &&
			every(len(search.Reasons), slices.Contains(search.Reasons, r.Reason)) &&
			!r.CreatedAt.Before(search.From) && (search.Until.IsZero() || r.CreatedAt.Before(search.Until)) &&
			(search.Problem == "" || r.Status == jobs.StatusFailed && jobs.ProblemOf(r.Failure.Summary) == search.Problem) &&
			strings.Contains(text, strings.ToLower(search.Text)) {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b jobs.Run) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return list
}

// RunGroups answers as the engine does.
func (f *Fake) RunGroups(ctx context.Context, search jobs.RunSearch) ([]jobs.RunGroup, error) {
	return read(ctx, f, "RunGroups", []any{search}, func(s *Store) ([]jobs.RunGroup, error) {
		var groups []jobs.RunGroup
		for _, r := range s.searched(search) {
			if r.Status != jobs.StatusFailed {
				continue
			}
			problem := jobs.ProblemOf(r.Failure.Summary)
			i := slices.IndexFunc(groups, func(g jobs.RunGroup) bool { return g.Problem == problem })
			if i < 0 {
				i = len(groups)
				groups = append(groups, jobs.RunGroup{Problem: problem, Summary: r.Failure.Summary, Last: r.CreatedAt})
			}
			g := &groups[i]
			g.First = r.CreatedAt
			g.Runs++
			if g.Summary != r.Failure.Summary {
				g.Summary = problem
			}
			if !slices.Contains(g.JobIDs, r.JobID) {
				g.JobIDs = append(g.JobIDs, r.JobID)
			}
		}
		slices.SortStableFunc(groups, func(a, b jobs.RunGroup) int { return cmp.Compare(b.Runs, a.Runs) })
		return groups, nil
	})
}

// RunPhases returns the phases of Store.Phases.
func (f *Fake) RunPhases(ctx context.Context, runID string) ([]jobs.PhaseStart, error) {
	return read(ctx, f, "RunPhases", []any{runID}, func(s *Store) ([]jobs.PhaseStart, error) { return slices.Clone(s.Phases[runID]), nil })
}

// JobVersions returns the definitions of Store.Versions.
func (f *Fake) JobVersions(ctx context.Context, jobID string) ([]jobs.JobVersion, error) {
	return read(ctx, f, "JobVersions", []any{jobID}, func(s *Store) ([]jobs.JobVersion, error) { return slices.Clone(s.Versions[jobID]), nil })
}

// LatestEvents returns the newest events of a stream, the newest first.
func (f *Fake) LatestEvents(ctx context.Context, stream string, n int) ([]jobs.Event, error) {
	return read(ctx, f, "LatestEvents", []any{stream, n}, func(s *Store) ([]jobs.Event, error) {
		events, err := get(s.Events, "stream", stream)
		var list []jobs.Event
		for i := events; i > 0 && len(list) < n; i-- {
			list = append(list, jobs.Event{ID: fmt.Sprintf("event-%d", i), Time: lastEventAt, Data: fmt.Appendf(nil, `{"row":%d}`, i)})
		}
		return list, err
	})
}

// ProfileEvents returns the newest event of each stream: events have no identities here.
func (f *Fake) ProfileEvents(ctx context.Context, id jobs.Identity, of jobs.Profile, n int) (map[string][]jobs.Event, error) {
	return read(ctx, f, "ProfileEvents", []any{id, of, n}, func(s *Store) (map[string][]jobs.Event, error) {
		found := map[string][]jobs.Event{}
		for stream, events := range s.Events {
			if events > 0 {
				found[stream] = []jobs.Event{{ID: fmt.Sprintf("event-%d", events), Time: lastEventAt, Data: fmt.Appendf(nil, `{"row":%d}`, events)}}
			}
		}
		return found, nil
	})
}
