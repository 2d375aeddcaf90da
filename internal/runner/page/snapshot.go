package page

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// A snapshot is used for a second, or for ten times as long as it took to read:
// open pages may keep a store busy a tenth of the time, not more.
const (
	snapshotAge    = time.Second
	snapshotMaxAge = 15 * time.Second
)

// snapshot is the list of all jobs that open pages share.
type snapshot struct {
	load func(context.Context) ([]jobs.Job, error)
	now  func() time.Time

	mu   sync.Mutex
	list []entry // never changed in place: readers hold it
	at   time.Time
	took time.Duration
}

// entry is a job and the text it is found by.
type entry struct {
	jobs.Job
	text string
}

func newEntry(j jobs.Job) entry {
	parts := []string{j.Label, j.ID, j.Description, string(j.Kind())}
	if i := j.Import; i != nil {
		parts = append(parts, i.Catalog+"."+i.Database+"."+i.Table, i.Stream)
	}
	if e := j.Export; e != nil {
		parts = append(parts, e.AudienceID, e.Catalog+"."+e.Database+"."+e.TableName)
	}
	return entry{j, strings.ToLower(strings.Join(parts, "\n"))}
}

// get gives all jobs, as they were not long ago.
func (s *snapshot) get(ctx context.Context) ([]entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	begun := s.now()
	if s.list != nil && begun.Sub(s.at) < min(max(snapshotAge, 10*s.took), snapshotMaxAge) {
		return s.list, nil
	}
	// Others wait for this one: it must not end because its page was closed.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	all, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]entry, len(all))
	for i, j := range all {
		list[i] = newEntry(j)
	}
	s.list, s.at, s.took = list, s.now(), s.now().Sub(begun)
	return list, nil
}

// put shows a job as it is now, without reading all others again.
func (s *snapshot) put(j jobs.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.list, func(e entry) bool { return e.ID == j.ID })
	if i < 0 {
		s.at = time.Time{}
		return
	}
	s.list = slices.Clone(s.list)
	s.list[i] = newEntry(j)
}

// label gives the label of a job, or its id where it is not known.
func label(list []entry, id string) string {
	if i := slices.IndexFunc(list, func(e entry) bool { return e.ID == id }); i >= 0 && list[i].Label != "" {
		return list[i].Label
	}
	return id
}
