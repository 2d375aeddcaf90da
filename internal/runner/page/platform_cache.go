package page

import (
	"context"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// platformAge is how long the streams and the mappings are kept: those of a Lytics account
// are read over the network, and an open page is fetched again every second while a job
// runs. platformWait bounds the reading, because the other pages wait for it.
const (
	platformAge  = 10 * time.Second
	platformWait = 30 * time.Second
)

// platformLists are the streams and the mappings of the platform. Readers share them, so
// that nobody changes them.
type platformLists struct {
	streams     []jobs.StreamInfo
	mappings    []jobs.Mapping
	streamsErr  error
	mappingsErr error
}

// platform reads the streams and the mappings, from the cache if they are recent. A
// failure is kept for as long, so that a platform that does not answer is not asked by
// every page.
func (s *server) platform(ctx context.Context) platformLists {
	return s.lists.get(ctx, s.Now, platformAge, platformWait, func(ctx context.Context) (l platformLists) {
		l.streams, l.streamsErr = s.API.Streams(ctx)
		l.mappings, l.mappingsErr = s.API.Mappings(ctx)
		return l
	})
}
