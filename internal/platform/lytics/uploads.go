package lytics

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
)

// maxUploads is the number of uploads of a batch that are on their way at once: while
// Lytics works on some of them, the others use the link. The transport keeps as many
// idle connections to a host.
const maxUploads = 4

// uploadAll sends the uploads of a batch, and returns the events that Lytics rejected.
// The first error cancels the other uploads.
//
// The merge operations of Lytics go by the time of an event, so uploads may arrive in
// any order. For events of one time nothing is documented; they arrive in the order of
// the batch, as they are in one upload, or in uploads that follow each other.
//
// All uploads are encoded before the first is sent, so more of them at once take no more
// memory; the body of an upload is released when it is answered.
func (p *Platform) uploadAll(ctx context.Context, stream string, uploads []upload, s *sending) ([]jobs.RejectedEvent, error) {
	found := make([][]jobs.RejectedEvent, len(uploads))
	answered := make([]chan struct{}, len(uploads))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxUploads)
	for i, u := range uploads {
		uploads[i].body = nil // only u has it
		answered[i] = make(chan struct{})
		send := func() (err error) {
			if u.follows {
				select {
				case <-answered[i-1]:
				case <-ctx.Done():
					return p.storeError(ctx, "Cannot append to stream "+stream, ctx.Err())
				}
			}
			if found[i], err = p.upload(ctx, stream, u, s); err == nil {
				close(answered[i])
			}
			return err
		}
		g.Go(func() error { return panics.Catch(send) })
	}
	err := g.Wait()
	var rejected []jobs.RejectedEvent
	for _, more := range found {
		rejected = append(rejected, more...)
	}
	return rejected, err
}
