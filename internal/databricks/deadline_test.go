package databricks

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// after gives the recorded answers to a method after a time, or no answer if the request is
// cancelled before. The first skip answers come at once.
func after(t *testing.T, conversation, method string, skip int, wait time.Duration) answering {
	t.Helper()
	seen := 0
	return answering{&player{answers: recorded(t, conversation)}, func(m string, request *http.Request) (*http.Response, error) {
		if m != method {
			return nil, nil
		}
		if seen++; seen <= skip {
			return nil, nil
		}
		select {
		case <-time.After(wait):
			return nil, nil
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
	}}
}

// running is a warehouse whose statements do not end.
func running(t *testing.T) answering {
	t.Helper()
	seen := 0
	return answering{&player{answers: recorded(t, "polled")}, func(method string, request *http.Request) (*http.Response, error) {
		if method != "GetOperationStatus" {
			return nil, nil
		}
		if seen++; seen == 1 {
			return nil, nil
		}
		return echoed(t, request, method, thriftReply(method, func(w *thriftWriter) { w.i32(2, 1) })), nil
	}}
}

// Checklist 81: a statement that is answered after its timeout fails, and fetching its result
// has no such limit. The query timeout of replay is one minute.
func TestStatementsHaveADeadline(t *testing.T) {
	t.Parallel()
	// The first statement of a conversation is that of Open, which StartTimeout limits.
	for name, c := range map[string]struct {
		base answering
		ends bool
	}{
		"an answer in time":            {after(t, "arrow", "ExecuteStatement", 1, 50*time.Second), false},
		"an answer after 200 s":        {after(t, "arrow", "ExecuteStatement", 1, 200*time.Second), true},
		"no answer":                    {after(t, "arrow", "ExecuteStatement", 1, 24*time.Hour), true},
		"a statement without end":      {running(t), true},
		"pages that take a minute":     {after(t, "arrow", "FetchResults", 0, time.Minute), false},
		"a description after a minute": {after(t, "polled", "GetResultSetMetadata", 1, 20*time.Second), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(ctx context.Context) {
				begun := time.Now()
				rows, err := replay(ctx, conversations["arrow"], c.base)
				took := time.Since(begun)
				switch e, ok := errors.AsType[*jobs.Error](err); {
				case !c.ends && (err != nil || rows != 40):
					t.Errorf("got %d rows and %v after %s", rows, err, took)
				case c.ends && (!ok || e.Code != jobs.CodeTimeout || e.Attribute != "query_timeout_minutes" || took > 2*time.Minute):
					t.Errorf("got %d rows and %v after %s, want the query timeout", rows, err, took)
				}
			})
		})
	}
}

// Checklist 81: a statement that is not idempotent may have taken effect at its deadline.
func TestADeadlineLeavesTheOutcomeOpen(t *testing.T) {
	t.Parallel()
	execute := func(ctx context.Context, w *Warehouse, statement string) (int64, error) {
		return 0, w.Exec(WithStatementTimeout(ctx, 10*time.Second), statement)
	}
	base := after(t, "arrow", "ExecuteStatement", 1, 24*time.Hour)
	inBubble(t, func(ctx context.Context) {
		begun := time.Now()
		_, err := replay(ctx, conversation{statement: "INSERT", read: execute}, base)
		if took := time.Since(begun); !jobs.IsCode(err, jobs.CodeTimeout) || !IsOutcomeUnknown(err) || took > time.Minute {
			t.Errorf("got %v after %s, want an open outcome within the statement's own timeout", err, took)
		}
	})
}

// A statement whose status cannot be read was accepted, and may have taken effect.
func TestAStatusThatCannotBeReadLeavesTheOutcomeOpen(t *testing.T) {
	t.Parallel()
	execute := func(ctx context.Context, w *Warehouse, statement string) (int64, error) {
		return 0, w.Exec(ctx, statement)
	}
	for name, fail := range map[string]func(request *http.Request) (*http.Response, error){
		"unreachable": func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		},
		"lost": func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		"unavailable": func(r *http.Request) (*http.Response, error) {
			return response(r, http.StatusServiceUnavailable, nil), nil
		},
		"forbidden": func(r *http.Request) (*http.Response, error) { return response(r, http.StatusForbidden, nil), nil },
		"a page": func(r *http.Request) (*http.Response, error) {
			return response(r, http.StatusOK, []byte("<html>")), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := 0
			base := answering{&player{answers: recorded(t, "polled")}, func(method string, request *http.Request) (*http.Response, error) {
				if method != "GetOperationStatus" {
					return nil, nil
				}
				if seen++; seen == 1 { // that of Open
					return nil, nil
				}
				return fail(request)
			}}
			inBubble(t, func(ctx context.Context) {
				_, err := replay(ctx, conversation{statement: "INSERT", read: execute}, base)
				if _, ok := errors.AsType[*jobs.Error](err); !ok || !IsOutcomeUnknown(err) {
					t.Errorf("got %v, want an open outcome", err)
				}
			})
		})
	}
}

// refusing answers a method once with a status, and with a header Retry-After.
func refusing(t *testing.T, method string, skip, status int, retryAfter string) answering {
	t.Helper()
	seen := 0
	return answering{&player{answers: recorded(t, "arrow")}, func(m string, request *http.Request) (*http.Response, error) {
		if m != method {
			return nil, nil
		}
		if seen++; seen != skip+1 {
			return nil, nil
		}
		return &http.Response{StatusCode: status, Request: request, Header: http.Header{"Retry-After": {retryAfter}}, Body: http.NoBody}, nil
	}}
}

// Checklist 81: the time in which a starting warehouse does not accept the statement is not
// part of its timeout, which is 1 s here, and 30 s more on this side. The status is 503,
// because after 429 all connections of the process to that host pause, those of other tests
// too.
func TestTheDeadlineLeavesOutTheTimeOfAStartingWarehouse(t *testing.T) {
	t.Parallel()
	base := refusing(t, "ExecuteStatement", 1, http.StatusServiceUnavailable, "50")
	inBubble(t, func(ctx context.Context) {
		if rows, err := replay(WithStatementTimeout(ctx, time.Second), conversations["arrow"], base); rows != 40 || err != nil {
			t.Errorf("got %d rows and %v, want 40 rows", rows, err)
		}
	})
}

// Checklist 81: a warehouse that never answers ends the check of a connection, which is
// Open, at its deadline on this side: a minute here.
func TestOpeningASessionHasADeadline(t *testing.T) {
	t.Parallel()
	for name, method := range map[string]string{"no session": "OpenSession", "no answer to the first statement": "ExecuteStatement"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := after(t, "arrow", method, 0, 24*time.Hour)
			inBubble(t, func(ctx context.Context) {
				begun := time.Now()
				_, err := replay(ctx, conversations["arrow"], base)
				e, ok := errors.AsType[*jobs.Error](err)
				if took := time.Since(begun); !ok || e.Next == "" || e.Code != jobs.CodeUnreachable && e.Code != jobs.CodeTimeout || took > 2*time.Minute {
					t.Errorf("got %v after %s, want an error after a minute", err, took)
				}
			})
		})
	}
}
