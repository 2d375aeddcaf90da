package lytics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// maxUploads is the number of uploads of a sender that are on their way at once: while
// Lytics works on some of them, the others use the link. The transport keeps as many
// idle connections to a host.
const maxUploads = 4

// sender sends batches of events to a stream, one after the other.
//
// The merge operations of Lytics go by the time of an event, so uploads may arrive in
// any order. For events of one time nothing is documented; they arrive in the order in
// which they were sent, as they are in one upload, or in uploads that follow each other,
// also across batches.
type sender struct {
	p      *Platform
	stream string
	// places are taken by the uploads that are on their way, of all batches.
	places chan struct{}
	// lastTime is the time of the last event that was sent, and lastEnd receives how its
	// upload ended. Only begin uses them.
	lastTime time.Time
	lastEnd  <-chan error
	// lastSend is the id of the record of the batch before, which may be on its way. Only
	// begin uses it.
	lastSend string
	// failed is set when a batch has failed: the cursor does not pass it, so no batch
	// after it is begun.
	failed atomic.Bool
}

// batch is the events of one call of a sender.
type batch struct {
	*sender
	// events is their number, and refused are those that are not sent.
	events  int64
	refused []jobs.RejectedEvent
	// err is why nothing was sent.
	err error
	// sending and uploads are nil if there is nothing to send. found are the events that
	// Lytics rejected, by upload.
	sending *sending
	uploads *errgroup.Group
	found   [][]jobs.RejectedEvent
}

// FinishBatch ends the sending of a batch: it waits for the answers, and is to the batch what
// Append is. commit may be nil.
type FinishBatch = func(commit func(tx *store.Tx, rejected []jobs.RejectedEvent) error) (jobs.AppendResult, error)

// Sender returns a function that begins to send a batch of events to a stream, and returns
// when the last upload of the batch has begun. So the uploads of a batch can be on their
// way while those of the batch before are answered, or its commit is made.
//
// The batches are begun one after the other, and finished in the same order, each once. When
// ctx has ended, finish commits nothing, and tells what is known of the events. After a
// batch has failed, the sender begins no other.
func (p *Platform) Sender(stream string) func(ctx context.Context, events []jobs.Event) (finish FinishBatch) {
	s := &sender{p: p, stream: stream, places: make(chan struct{}, maxUploads)}
	return func(ctx context.Context, events []jobs.Event) FinishBatch {
		b := &batch{sender: s, events: int64(len(events))}
		if b.err = b.begin(ctx, events); b.err != nil {
			s.failed.Store(true)
		}
		return func(commit func(*store.Tx, []jobs.RejectedEvent) error) (jobs.AppendResult, error) {
			result, err := b.finish(ctx, commit)
			if err != nil {
				s.failed.Store(true)
			}
			return result, err
		}
	}
}

// summary is that of the errors of a sender.
func (s *sender) summary() string { return "Cannot append to stream " + s.stream }

// begin encodes the events, records that they are sent, and begins their uploads.
func (b *batch) begin(ctx context.Context, events []jobs.Event) error {
	if err := platform.ValidateStream(b.stream); err != nil {
		return err
	}
	if isDotSegment(b.stream) {
		return jobs.Invalid("stream", fmt.Sprintf("%q cannot be the name of a stream in Lytics", b.stream),
			"the name is a segment of the URL path, where it would mean another directory", "Choose another name")
	}
	if b.failed.Load() {
		return &jobs.Error{
			Code: jobs.CodeCancelled, Summary: b.summary(), Detail: "the events before these could not be appended",
			Next: "Run it again; it goes on where it was",
		}
	}
	packed, err := pack(b.stream, events, b.p.format)
	if err != nil {
		return err
	}
	b.refused = packed.refused
	if err := ctx.Err(); err != nil || len(packed.events) == 0 {
		return b.p.storeError(ctx, b.summary(), err)
	}
	if err := b.p.beginAwaiting(ctx, b.stream); err != nil {
		return b.p.storeError(ctx, b.summary(), err)
	}
	if b.sending, err = b.p.beginSending(ctx, b.stream, b.lastSend, packed.events); err != nil {
		return b.p.storeError(ctx, b.summary(), err)
	}
	b.lastSend = b.sending.id
	b.beginUploads(ctx, packed.uploads)
	return nil
}

// beginUploads begins the uploads of a batch, each when it has a place. The first error
// cancels the other uploads of the batch.
//
// All uploads of a batch are encoded before the first is sent, so more of them at once take
// no more memory; the body of an upload is released when it is answered.
func (b *batch) beginUploads(ctx context.Context, uploads []upload) {
	b.uploads, ctx = errgroup.WithContext(ctx)
	b.found = make([][]jobs.RejectedEvent, len(uploads))
	for i, u := range uploads {
		uploads[i].body = nil // only u has it
		select {
		case b.places <- struct{}{}:
		case <-ctx.Done():
			b.uploads.Go(func() error { return b.p.storeError(ctx, b.summary(), ctx.Err()) })
			return
		}
		// Events of one time follow each other.
		var before <-chan error
		if b.lastEnd != nil && b.sending.events[u.first].Time.Equal(b.lastTime) {
			before = b.lastEnd
		}
		end := make(chan error, 1)
		b.lastTime, b.lastEnd = b.sending.events[u.last-1].Time, end
		b.uploads.Go(func() error {
			err := panics.Catch(func() (err error) {
				b.found[i], err = b.uploadAfter(ctx, before, u)
				return err
			})
			if err != nil {
				b.failed.Store(true)
			}
			<-b.places
			end <- err
			return err
		})
	}
}

// uploadAfter sends an upload when the one before it, if it has to wait for one, was
// accepted.
func (b *batch) uploadAfter(ctx context.Context, before <-chan error, u upload) ([]jobs.RejectedEvent, error) {
	if before != nil {
		select {
		case err := <-before:
			if err != nil {
				return nil, err
			}
		case <-ctx.Done():
			return nil, b.p.storeError(ctx, b.summary(), ctx.Err())
		}
	}
	return b.p.upload(ctx, b.stream, u, b.sending)
}

// finish waits for the answers, and then runs commit.
func (b *batch) finish(ctx context.Context, commit func(*store.Tx, []jobs.RejectedEvent) error) (jobs.AppendResult, error) {
	if b.err != nil {
		return jobs.AppendResult{}, b.err
	}
	if commit == nil {
		commit = func(*store.Tx, []jobs.RejectedEvent) error { return nil }
	}
	if b.sending == nil {
		err := b.p.db.Write(ctx, func(tx *store.Tx) error { return commit(tx, b.refused) })
		return jobs.AppendResult{Rejected: int64(len(b.refused))}, b.p.storeError(ctx, b.summary(), err)
	}
	err := b.uploads.Wait()
	rejected := slices.Concat(append([][]jobs.RejectedEvent{b.refused}, b.found...)...)
	result := &b.sending.result
	result.Rejected = jobs.RejectedRows(rejected)
	if err != nil {
		return *result, errors.Join(err, b.sending.abandon(ctx))
	}
	accepted := b.events - result.Rejected
	err = b.sending.finish(ctx, func(tx *store.Tx) error {
		if err := await(ctx, tx, b.stream, accepted); err != nil {
			return err
		}
		return commit(tx, rejected)
	})
	if err != nil {
		return *result, b.p.storeError(ctx, b.summary(), err)
	}
	result.Written = accepted
	return *result, nil
}
