package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// Events implements jobs.CustomerData.
func (c *Client) Events(ctx context.Context, stream string) iter.Seq2[jobs.Event, error] {
	return func(yield func(jobs.Event, error) bool) {
		body, err := c.stream(
			ctx,
			request{method: http.MethodGet, path: "/events", query: url.Values{"stream": {stream}}, accept: protocol.NDJSON},
		)
		if err != nil {
			yield(jobs.Event{}, err)
			return
		}
		defer func() { _ = body.Close() }()
		lines := json.NewDecoder(body)
		for {
			var line protocol.Event
			if err := lines.Decode(&line); err != nil {
				yield(jobs.Event{}, c.cutOff(ctx, err))
				return
			}
			if line.End != nil {
				if line.End.Problem != nil {
					yield(jobs.Event{}, line.End.Problem.JobsError())
				}
				return
			}
			e := jobs.Event{ID: line.ID, Data: line.Data}
			if line.Time != nil {
				e.Time = *line.Time
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Scan implements jobs.CustomerData.
func (c *Client) Scan(ctx context.Context, idOrSlug string, fields []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error) {
	path := at("/audiences/%s/profiles", idOrSlug)
	body, err := c.stream(ctx, request{method: http.MethodGet, path: path, query: url.Values{"fields": fields}, accept: protocol.NDJSON})
	if err != nil {
		return nil, nil, err
	}
	lines := json.NewDecoder(body)
	var head protocol.Row
	if err := lines.Decode(&head); err != nil {
		_ = body.Close()
		return nil, nil, c.cutOff(ctx, err)
	}
	columns := make([]jobs.Field, len(head.Fields))
	for i, f := range head.Fields {
		columns[i] = jobs.Field(f)
	}
	return columns, func(yield func([]jobs.Value, error) bool) {
		defer func() { _ = body.Close() }()
		for {
			var line protocol.Row
			if err := lines.Decode(&line); err != nil {
				yield(nil, c.cutOff(ctx, err))
				return
			}
			if line.End != nil {
				if line.End.Problem != nil {
					yield(nil, line.End.Problem.JobsError())
				}
				return
			}
			row := make([]jobs.Value, len(line.Values))
			for i, v := range line.Values {
				row[i] = protocol.ValueOf(v)
			}
			if !yield(row, nil) {
				return
			}
		}
	}, nil
}

// Profile implements jobs.CustomerData.
func (c *Client) Profile(ctx context.Context, id jobs.Identity) (jobs.Profile, error) {
	values, err := call[map[string]*string](ctx, c, request{method: http.MethodPost, path: "/profiles/find", body: id})
	if err != nil {
		return nil, err
	}
	out := jobs.Profile{}
	for name, v := range values {
		out[name] = protocol.ValueOf(v)
	}
	return out, nil
}

// Erase implements jobs.CustomerData.
func (c *Client) Erase(ctx context.Context, r jobs.ErasureRequest) (jobs.Erasure, error) {
	return call[jobs.Erasure](ctx, c, request{method: http.MethodPost, path: "/erasures", body: r})
}

// ErasureDone implements jobs.CustomerData.
func (c *Client) ErasureDone(ctx context.Context, requestID string) (bool, error) {
	s, err := call[protocol.ErasureStatus](ctx, c, request{method: http.MethodGet, path: at("/erasures/%s", requestID)})
	return s.Done, err
}

// stream opens a streamed answer.
func (c *Client) stream(ctx context.Context, r request) (io.ReadCloser, error) {
	resp, _, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// cutOff is the error of a streamed answer that ended before its last line.
func (c *Client) cutOff(ctx context.Context, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errCutOff
	}
	return c.unreachable(ctx, err)
}
