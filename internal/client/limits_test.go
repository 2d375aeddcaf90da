package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// runnerCalls read answers of each form: an object, a list, and streams.
var runnerCalls = map[string]func(ctx context.Context, c *client.Client) error{
	"job":  func(ctx context.Context, c *client.Client) error { _, err := c.Job(ctx, "job_1"); return err },
	"jobs": func(ctx context.Context, c *client.Client) error { _, err := c.Jobs(ctx); return err },
	"events": func(ctx context.Context, c *client.Client) error {
		for _, err := range c.EventLines(ctx, "s") {
			if err != nil {
				return err
			}
		}
		return nil
	},
	"profiles": func(ctx context.Context, c *client.Client) error { _, _, err := c.Scan(ctx, "all", nil); return err },
}

// versioned makes an answer one of a runner of this version.
func versioned(answer http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(protocol.VersionHeader, "1")
		answer.ServeHTTP(w, r)
	})
}

// checklist 74: whatever answers at the runner's address, each call ends with an error that
// says what to do, and in little memory.
func TestHostileAnswersOfARunner(t *testing.T) {
	t.Parallel()
	hostiletest.InProcess(t, func(t *testing.T) {
		t.Helper()
		client.HurryRetries()
		for name, call := range runnerCalls {
			begin := map[string]string{"job": `{"log":[`, "jobs": "[", "events": `{"data":[`, "profiles": `{"values":[`}[name]
			for _, answer := range append(hostiletest.Answers(begin, "{},"), hostiletest.Finite(begin, "{},", "1]}", 490_000)) {
				server := httptest.NewServer(versioned(answer))
				c, err := client.New(client.Config{URL: server.URL, Token: jobs.NewSecret(token), Release: "1.2.3"})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				err = call(ctx, c)
				cancel()
				server.CloseClientConnections()
				server.Close()
				e, ok := errors.AsType[*jobs.Error](err)
				if !ok || e.Code == jobs.CodeNotFound || e.Next == "" || e.Summary == "" || len(err.Error()) > 2000 {
					t.Errorf("%s, %s: got %.2000v", name, answer.Name, err)
				}
			}
		}
	})
}

// checklist 74: the error names the limit.
func TestALargeAnswerOfARunnerIsExplained(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(" ", 1<<20)
	c, _ := at(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(protocol.VersionHeader, "1")
		for range 40 {
			if _, err := io.WriteString(w, long); err != nil {
				return
			}
		}
	})
	for name, says := range map[string]string{"jobs": "is larger than 32 MiB", "events": "a line of more than 32 MiB"} {
		err := runnerCalls[name](t.Context(), c)
		if !jobs.IsCode(err, jobs.CodeFailed) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want one that says %q", name, err, says)
		}
	}
}
