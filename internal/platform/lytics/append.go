package lytics

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/tidwall/gjson"
	"go.opentelemetry.io/otel/attribute"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/tracing"
)

// collectPath is the beginning of the paths that take events.
const collectPath = "/collect/"

// uploadTimeout bounds one attempt of an upload.
const uploadTimeout = 3 * time.Minute

// Append sends events to a stream. Once Lytics has answered for all of them, it
// runs commit in a transaction of the store, with the events that Lytics rejected
// or that were not sent because Lytics would reject them; commit may be nil.
// Lytics creates a stream that does not exist. Without events, only commit runs.
// When Append fails, some of the events may be in the stream; when the caller
// appends them again, they are sent again and count as possibly duplicated.
func (p *Platform) Append(
	ctx context.Context,
	stream string,
	events []jobs.Event,
	commit func(tx *store.Tx, rejected []jobs.RejectedEvent) error,
) (jobs.AppendResult, error) {
	return p.Sender(stream)(ctx, events)(commit)
}

// isDotSegment reports whether a name is a dot segment of a path: it cannot be
// part of a URL, not even escaped.
func isDotSegment(name string) bool { return name == "." || name == ".." }

// collectCall is a request that sends events to a stream.
func (p *Platform) collectCall(stream string, body []byte) call {
	return call{
		summary: "Cannot append to stream " + stream, method: http.MethodPost, base: p.bulk,
		path: collectPath + "bulk/" + url.PathEscape(stream),
		// Without droperrors Lytics stops at the first rejected row. How many of the
		// rows before it Lytics then keeps is not documented.
		query:       url.Values{"timestamp_field": {EventTime}, "droperrors": {"true"}},
		body:        body,
		contentType: "application/json", gzipped: p.format.framing().gzip,
		repeatable: true, private: true, timeout: uploadTimeout, backOff: &p.backOff,
	}
}

// upload sends one upload of a batch, and repeats it until Lytics has answered. It
// returns the events that Lytics rejected: the others are in the stream.
func (p *Platform) upload(ctx context.Context, stream string, u upload, s *sending) (rejectedEvents []jobs.RejectedEvent, err error) {
	ctx, end := tracing.Start(ctx, "upload", attribute.String("lytics.stream", stream), attribute.Int("lytics.events", u.last-u.first))
	defer func() { end(err) }()
	c := p.collectCall(stream, u.body)
	c.patience, c.unsure = runPatience, func() { s.repeat(u) }
	s.sent(u)
	answer, err := p.do(ctx, c)
	if err != nil {
		if !isUnsure(err) {
			s.refused(u)
		}
		return nil, err
	}
	n := int64(u.last - u.first)
	taken, takenOK := count(gjson.GetBytes(answer, "data.message_count"))
	rejected, rejectedOK := count(gjson.GetBytes(answer, "data.rejected_count"))
	counted := gjson.GetBytes(answer, "data.message_count").Type != gjson.Null
	switch dry := gjson.GetBytes(answer, "data.dryrun"); {
	case !takenOK || !rejectedOK:
		return nil, c.malformed(errors.New("its counts are no numbers of events"))
	case dry.Exists() && dry.Type != gjson.Null && dry.Type != gjson.False:
		return nil, c.malformed(errors.New("it is about a dry run, which stores no events"))
	case rejected == 0 && counted && taken == n:
		return nil, nil
	// Whether message_count includes the rejected events is not documented.
	case rejected > 0 && rejected <= n && (!counted || taken == n || taken == n-rejected):
		return p.findRejected(ctx, stream, u, s, rejected), nil
	}
	return nil, &jobs.Error{
		Code: jobs.CodeFailed, Summary: fmt.Sprintf("Lytics counted %d of %d events for stream %s", taken, n, stream),
		Detail: fmt.Sprintf("it rejected %d. The events are those from %s to %s, and which of them are missing is not known",
			rejected, s.events[u.first].ID, s.events[u.last-1].ID),
		Next: "Look at the stream in Lytics; the next run sends these events again, with the same ids",
	}
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
