package page

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// A snapshot is used for a second, or for ten times the time that it took to
// read, so that open pages use at most a tenth of the store's time.
const (
	snapshotAge    = time.Second
	snapshotMaxAge = 15 * time.Second
)

// snapshot caches the list of all jobs for the open pages.
type snapshot struct {
	load func(context.Context) ([]jobs.Job, error)
	now  func() time.Time

	mu   sync.Mutex
	list []entry // immutable, because readers keep references to it
	at   time.Time
	took time.Duration
}

// entry is a job and the text that a search matches.
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

// get returns all jobs, from the cache if it is recent enough.
func (s *snapshot) get(ctx context.Context) ([]entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	begun := s.now()
	if s.list != nil && begun.Sub(s.at) < min(max(snapshotAge, 10*s.took), snapshotMaxAge) {
		return s.list, nil
	}
	// Other requests wait for this reading, so it must not end when its page is
	// closed.
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

// put updates one job in the cache.
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
