package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// runnerHead begins an answer of a runner.
const runnerHead = "HTTP/1.1 200 OK\r\nLytics-Api-Version: 1\r\n"

// silent dials a runner that answers the start of a run, and begins the answer to every
// other request with a text, after which nothing follows. It uses no socket, so that it
// works with testing/synctest.
func silent(begin string) hostiletest.Dial {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer func() { _ = theirs.Close() }()
			reader := bufio.NewReader(theirs)
			request, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, request.Body); err != nil {
				return
			}
			if request.Method == http.MethodPost {
				run := `{"id":"run_1","job_id":"job_1","status":"queued"}`
				_, _ = fmt.Fprintf(theirs, "%sConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", runnerHead, len(run), run)
				return
			}
			if _, err := io.WriteString(theirs, begin); err == nil {
				_, _ = reader.Peek(1) // until the client closes the connection
			}
		}()
		return ours, nil
	}
}

// checklist 81: the wait of an apply for a run ends at its deadline, also where the runner
// accepts connections and says nothing, or nothing more; without a deadline it ends when
// the runner was silent for too long. Who started the run also learns that the runner did
// not answer its cancellation.
func TestTheWaitForASilentRunnerEnds(t *testing.T) {
	t.Parallel()
	const event = runnerHead + "Content-Type: text/event-stream\r\n\r\n" +
		"event: run\ndata: {\"id\":\"run_1\",\"job_id\":\"job_1\",\"status\":\"running\",\"phase\":\"reading\"}\n\n"
	for name, c := range map[string]struct {
		begin    string
		own      bool
		deadline time.Duration
		code     jobs.Code
		at, says string
		within   time.Duration
	}{
		"silent, with a deadline":       {"", false, time.Minute, jobs.CodeTimeout, "timeouts", "Run run_1 did not end in time", time.Minute},
		"silent with a head":            {runnerHead, false, time.Minute, jobs.CodeTimeout, "timeouts", "Run run_1 did not end in time", time.Minute},
		"silent after an event":         {event, false, 2 * time.Minute, jobs.CodeTimeout, "timeouts", "It was running (reading)", 2 * time.Minute},
		"silent, with a run of its own": {"", true, time.Minute, jobs.CodeCancelled, "", "Run run_1 could not be cancelled", 66 * time.Second},
		"silent, without a deadline":    {"", false, 0, jobs.CodeTimeout, "runner.url", "No answer from the runner", 16 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				runner, err := client.New(client.Config{URL: "http://127.0.0.1:8080", Token: jobs.NewSecret(token), Release: "1.2.3"})
				if err != nil {
					t.Fatal(err)
				}
				runner.DialBy(silent(c.begin))
				ctx := t.Context()
				if c.own {
					if _, err := runner.StartRun(ctx, "job_1", jobs.ReasonApply); err != nil {
						t.Fatal(err)
					}
				}
				if c.deadline > 0 {
					bounded, cancel := context.WithTimeout(ctx, c.deadline)
					defer cancel()
					ctx = bounded
				}
				began := time.Now()
				_, err = runner.WaitRun(ctx, "run_1", nil)
				took := time.Since(began)
				e, ok := errors.AsType[*jobs.Error](err)
				if !ok || e.Code != c.code || e.Attribute != c.at || !strings.Contains(e.Error(), c.says) || took > c.within {
					t.Errorf("got %v after %s, want %s of %q within %s that says %q", err, took, c.code, c.at, c.within, c.says)
				}
				if err := runner.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
