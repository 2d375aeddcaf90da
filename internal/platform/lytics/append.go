package lytics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// collectPath is the beginning of the paths that take events.
const collectPath = "/collect/"

// uploadTimeout bounds one attempt of an upload.
const uploadTimeout = 3 * time.Minute

// Append sends events to a stream and runs commit in a transaction of the store
// once Lytics has them all; commit may be nil. Lytics creates a stream that does
// not exist. Without events, only commit runs. When Append fails, some of the
// events may be in the stream; when the caller appends them again, they are sent
// again and count as possibly duplicated.
func (p *Platform) Append(
	ctx context.Context,
	stream string,
	events []jobs.Event,
	commit func(tx *store.Tx) error,
) (jobs.AppendResult, error) {
	var result jobs.AppendResult
	if err := platform.ValidateStream(stream); err != nil {
		return result, err
	}
	if isDotSegment(stream) {
		return result, jobs.Invalid("stream", fmt.Sprintf("%q is no name for a stream in Lytics", stream),
			"it is a part of the address of the stream, where dots alone mean another place", "Choose another name")
	}
	uploads, err := pack(stream, events, p.format)
	if err != nil {
		return result, err
	}
	summary := "Cannot append to stream " + stream
	if err := ctx.Err(); err != nil {
		return result, p.storeError(ctx, summary, err)
	}
	if len(events) == 0 {
		return result, p.storeError(ctx, summary, p.db.Write(ctx, orNoOp(commit)))
	}
	s, err := p.beginSending(ctx, stream, events)
	if err != nil {
		return result, p.storeError(ctx, summary, err)
	}
	for _, u := range uploads {
		if err := p.upload(ctx, stream, u, s); err != nil {
			return s.result, errors.Join(err, s.abandon(ctx))
		}
	}
	if err := s.finish(ctx, orNoOp(commit)); err != nil {
		return s.result, p.storeError(ctx, summary, err)
	}
	s.result.Written = int64(len(events))
	return s.result, nil
}

// isDotSegment reports whether a name is a dot segment of a path: it cannot be
// part of an address, not even escaped.
func isDotSegment(name string) bool { return name == "." || name == ".." }

func orNoOp(commit func(tx *store.Tx) error) func(tx *store.Tx) error {
	if commit == nil {
		return func(*store.Tx) error { return nil }
	}
	return commit
}

// upload sends one upload of a batch, and repeats it until Lytics has it.
func (p *Platform) upload(ctx context.Context, stream string, u upload, s *sending) error {
	c := call{
		summary: "Cannot append to stream " + stream, method: http.MethodPost, base: p.bulk,
		path: collectPath + "bulk/" + url.PathEscape(stream),
		// Without droperrors Lytics stops at the first rejected row. How many of the
		// rows before it Lytics then keeps is not documented.
		query:       url.Values{"timestamp_field": {EventTime}, "droperrors": {"true"}},
		body:        u.body,
		contentType: "application/json", gzipped: p.format.framing().gzip,
		repeatable: true, private: true, patience: runPatience, timeout: uploadTimeout,
		unsure: func() { s.repeat(u) },
	}
	s.sent(u)
	answer, err := p.do(ctx, c)
	if err != nil {
		if !isUnsure(err) {
			s.refused(u)
		}
		return err
	}
	n := int64(u.last - u.first)
	taken, rejected := gjson.GetBytes(answer, "data.message_count"), gjson.GetBytes(answer, "data.rejected_count")
	if taken.Exists() && taken.Int() == n && rejected.Int() == 0 {
		return nil
	}
	s.result.Rejected += rejected.Int()
	e := &jobs.Error{
		Code: jobs.CodeFailed, Summary: fmt.Sprintf("Lytics rejected %d of %d events for stream %s", rejected.Int(), n, stream),
		Detail: fmt.Sprintf("they are between the events %s and %s; the others are in the stream", s.events[u.first].ID, s.events[u.last-1].ID),
		Next:   "Look at the stream in Lytics, and correct the rows or leave columns out; the next run sends them all again, with the same ids",
	}
	if rejected.Int() == 0 {
		e.Summary = fmt.Sprintf("Lytics counted %d of %d events for stream %s", taken.Int(), n, stream)
		e.Detail = fmt.Sprintf(
			"they are the events from %s to %s, and which are missing is not known",
			s.events[u.first].ID,
			s.events[u.last-1].ID,
		)
	}
	return e
}

// storeError makes the error of a failure of the store. A *jobs.Error passes
// through unchanged.
func (p *Platform) storeError(ctx context.Context, summary string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*jobs.Error](err); ok && ctx.Err() == nil {
		return err
	}
	e := &jobs.Error{Code: jobs.CodeStore, Summary: summary, Detail: err.Error(), Next: "Check that the store can be written", Err: err}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Code, e.Next = jobs.CodeTimeout, "Allow more time, or run it again; it goes on where it was"
	case ctx.Err() != nil:
		e.Code, e.Next = jobs.CodeCancelled, "Run it again; it goes on where it was"
	}
	return e
}
