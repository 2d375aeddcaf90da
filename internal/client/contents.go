package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// Scan implements jobs.CustomerData.
func (c *Client) Scan(ctx context.Context, idOrSlug string, fields []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error) {
	path := at("/audiences/%s/profiles", idOrSlug)
	ctx, lines, end, err := c.stream(
		ctx,
		request{method: http.MethodGet, path: path, query: url.Values{"fields": fields}, accept: protocol.NDJSON},
	)
	if err != nil {
		return nil, nil, err
	}
	var head protocol.Row
	if err := lines.decode(&head); err != nil {
		end()
		return nil, nil, c.cutOff(ctx, err)
	}
	if head.End != nil || head.Values != nil {
		end()
		return nil, nil, c.malformed(errors.New("it does not begin with the fields"))
	}
	columns := make([]jobs.Field, len(head.Fields))
	for i, f := range head.Fields {
		columns[i] = jobs.Field(f)
	}
	return columns, func(yield func([]jobs.Value, error) bool) {
		defer end()
		for {
			var line protocol.Row
			if err := lines.decode(&line); err != nil {
				yield(nil, c.cutOff(ctx, err))
				return
			}
			if line.End != nil {
				if err := lines.end(ctx, line.End); err != nil {
					yield(nil, err)
				}
				return
			}
			if len(line.Values) != len(columns) || line.Fields != nil {
				yield(nil, c.malformed(fmt.Errorf("a profile has %d values for %d fields", len(line.Values), len(columns))))
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

// stream opens a streamed answer. The caller must call end. The context is cancelled with
// the cause of a limit.
func (c *Client) stream(ctx context.Context, r request) (_ context.Context, _ *lines, end func(), _ error) {
	ctx, cancel := context.WithCancelCause(ctx)
	resp, _, err := c.send(ctx, r)
	if err != nil {
		cancel(nil)
		return ctx, nil, nil, err
	}
	end = func() {
		_ = resp.Body.Close()
		cancel(nil)
	}
	if resp.StatusCode != http.StatusOK {
		end()
		return ctx, nil, nil, c.malformed(fmt.Errorf("it has status %d, and no content", resp.StatusCode))
	}
	return ctx, &lines{c: c, reader: bufio.NewReaderSize(resp.Body, answerBuffer), cancel: cancel}, end, nil
}

// cutOff is the error of a streamed answer that ended before its last line, or has a line
// that cannot be read.
func (c *Client) cutOff(ctx context.Context, err error) error {
	if bad, ok := errors.AsType[*lineError](err); ok {
		return c.malformed(bad)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errCutOff
	}
	return c.unreachable(ctx, err)
}
