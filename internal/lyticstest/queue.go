package lyticstest

import (
	"context"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// queued is an accepted upload that is neither counted nor in profiles yet.
type queued struct {
	stream string
	events []jobs.Event
	// looks is the number of requests for the stream that it still waits for.
	looks int
}

// look counts a request for a stream, and processes the uploads that waited for it.
func (s *Server) look(ctx context.Context, stream string) error {
	for _, q := range s.queue {
		if q.stream == stream {
			q.looks--
		}
	}
	return s.unqueue(ctx)
}

// unqueue processes the uploads that need not wait any longer.
func (s *Server) unqueue(ctx context.Context) error {
	for _, q := range s.queue {
		if q.looks > 0 {
			continue
		}
		if _, err := s.users.Append(ctx, q.stream, q.events, nil); err != nil {
			return err
		}
		s.stale = true
	}
	s.queue = slices.DeleteFunc(s.queue, func(q *queued) bool { return q.looks <= 0 })
	return nil
}
