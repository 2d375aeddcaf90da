package runner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
)

// recipe returns the settings of alerts in the guide's configuration file for a service.
func recipe(t *testing.T, service string) config.Alerts {
	t.Helper()
	guide, err := os.ReadFile(filepath.Join("..", "..", "templates", "guides", "running-jobs.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(# runner.yml, for " + service + "\n.*?)```").FindSubmatch(guide)
	if block == nil {
		t.Fatalf("the guide has no recipe for %s", service)
	}
	file := filepath.Join(t.TempDir(), "runner.yml")
	if err := os.WriteFile(file, block[1], 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Read(file)
	if err == nil {
		c, err = c.Complete(func(string) (string, bool) { return "", false })
	}
	if err != nil {
		t.Fatal(err)
	}
	// Another user could read the secret in it.
	if err := os.Chmod(file, 0o604); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Read(file); !jobs.IsCode(err, jobs.CodeInvalid) {
		t.Errorf("a file with the secret of %s that all users can read gave %v", service, err)
	}
	return c.Alerts
}

// service is a stand-in for the API of a service: it refuses what is not in the form that
// the service documents, and hands on the rest.
func service[T any](t *testing.T, check func(T) string, answer string, status int) (address string, got chan T) {
	t.Helper()
	got = make(chan T, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var v T
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		wrong := ""
		if err := d.Decode(&v); err != nil {
			wrong = err.Error()
		} else {
			wrong = check(v)
		}
		if wrong != "" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("the service refuses this: %s: %s", wrong, body)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
		got <- v
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

// failedRun makes a run that fails, with characters that services give a meaning, on a
// runner with a receiver of alerts.
func failedRun(t *testing.T, c runner.AlertConfig) (jobs.Job, jobs.Run) {
	t.Helper()
	b := newFixture(t)
	b.work = func(context.Context, jobs.Job, engine.Progress) error {
		return &jobs.Error{Code: jobs.CodeForbidden, Summary: "No right to read <main> & co", Next: "Grant it" + strings.Repeat("!", 5000)}
	}
	apply := b.apply()
	auth := b.authorize(apply)
	r, _ := b.runner(runner.Config{AllowPrivateHosts: true, Alerts: c})
	j := b.job(apply, auth.ID, "orders", startImmediately)
	return j, b.onlyRun(r.API(), j.ID, jobs.StatusFailed)
}

type slackText struct {
	Text string `json:"text"`
}

func TestTheRecipeForSlackDeliversAlerts(t *testing.T) {
	t.Parallel()
	address, got := service(t, func(m slackText) string {
		if m.Text == "" || len([]rune(m.Text)) > 4000 {
			return "invalid_payload"
		}
		return ""
	}, "ok", http.StatusOK)
	c := runner.AlertsOf(recipe(t, "Slack"))
	if !strings.HasPrefix(c.URL, "https://hooks.slack.com/services/") {
		t.Errorf("the recipe sends to %s", c.URL)
	}
	c.URL = address
	j, run := failedRun(t, c)
	want := ":red_circle: Run " + run.ID + " of job orders (" + j.ID + ") failed: No right to read &lt;main&gt; &amp; co"
	if m := <-got; !strings.HasPrefix(m.Text, want) || !strings.HasSuffix(m.Text, "!…") {
		t.Errorf("the channel shows %q, want it to begin with %q", m.Text, want)
	}
}

// pagerDutyEvent has the fields of the Events API v2.
type pagerDutyEvent struct {
	RoutingKey  string `json:"routing_key"`
	EventAction string `json:"event_action"`
	DedupKey    string `json:"dedup_key"`
	Client      string `json:"client"`
	Payload     struct {
		Summary       string         `json:"summary"`
		Source        string         `json:"source"`
		Severity      string         `json:"severity"`
		Timestamp     time.Time      `json:"timestamp"`
		Component     string         `json:"component"`
		Group         string         `json:"group"`
		Class         string         `json:"class"`
		CustomDetails map[string]any `json:"custom_details"`
	} `json:"payload"`
}

func TestTheRecipeForPagerDutyDeliversAlerts(t *testing.T) {
	t.Parallel()
	severity := regexp.MustCompile("^(critical|error|warning|info)$")
	address, got := service(t, func(e pagerDutyEvent) string {
		p := e.Payload
		switch {
		case len(e.RoutingKey) != 32, e.EventAction != "trigger", e.DedupKey == "", len(e.DedupKey) > 255:
			return "invalid event"
		case p.Summary == "", len([]rune(p.Summary)) > 1024, p.Source == "", !severity.MatchString(p.Severity), p.Timestamp.IsZero():
			return "invalid payload"
		}
		return ""
	}, `{"status": "success", "message": "Event processed", "dedup_key": "x"}`, http.StatusAccepted)
	c := runner.AlertsOf(recipe(t, "PagerDuty"))
	if c.URL != "" {
		t.Errorf("the recipe sends to %s, and not to %s", c.URL, runner.PagerDutyURL)
	}
	c.URL = address
	j, run := failedRun(t, c)
	e := <-got
	if want := "Run " + run.ID + " of job orders (" + j.ID + ") failed: No right to read <main> & co"; !strings.HasPrefix(e.Payload.Summary, want) {
		t.Errorf("the incident's title is %q, want it to begin with %q", e.Payload.Summary, want)
	}
	sent, _ := e.Payload.CustomDetails["run"].(map[string]any)
	type incident struct{ Key, Severity, Component, Group, Class, Run string }
	want := incident{"0123456789abcdef0123456789abcdef", "error", "orders", "table_import", "failure", run.ID}
	runID, _ := sent["id"].(string)
	if diff := cmp.Diff(want, incident{e.RoutingKey, e.Payload.Severity, e.Payload.Component, e.Payload.Group, e.Payload.Class, runID}); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if !strings.HasSuffix(e.DedupKey, "/"+j.ID) {
		t.Errorf("the incident's key is %s, which does not have the job %s", e.DedupKey, j.ID)
	}
}

func TestAFormatOfAlertsNeedsItsSettings(t *testing.T) {
	t.Parallel()
	for attribute, c := range map[string]runner.AlertConfig{
		"alerts.routing_key": {Format: runner.AlertPagerDuty},
		"alerts.url":         {Format: runner.AlertSlack},
		"alerts.secret":      {Format: runner.AlertJSON, URL: "https://alerts.example.com/x"},
	} {
		_, err := runner.New(engine.New(engine.Options{}), runner.Config{Alerts: c})
		if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Attribute != attribute {
			t.Errorf("%+v gave %v, want an error of %s", c, err, attribute)
		}
	}
}
