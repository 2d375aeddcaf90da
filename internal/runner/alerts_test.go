//nolint:thelper // the functions passed to onEachDatabase are test bodies
package runner_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
)

type alert struct {
	ID, Kind, Text string
	Job            struct{ ID, Label string }
	Run            *jobs.Run
}

// receiver is a webhook that refuses the first requests, checks signatures, and
// sends the alerts to a channel.
func receiver(t *testing.T, secret string, refuse int) (address string, got chan alert) {
	t.Helper()
	got = make(chan alert, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(r.Header.Get(runner.TimestampHeader) + "."))
		mac.Write(body)
		if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); r.Header.Get(runner.SignatureHeader) != want {
			t.Errorf("signature %q, want %q", r.Header.Get(runner.SignatureHeader), want)
		}
		if refuse--; refuse >= 0 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		var a alert
		if err := json.Unmarshal(body, &a); err != nil {
			t.Error(err)
		}
		got <- a
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func TestFailureAlertIsRetriedAndDeliveredOnce(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		b.work = func(context.Context, jobs.Job, engine.Progress) error {
			return &jobs.Error{Code: jobs.CodeForbidden, Summary: "No right to read it"}
		}
		address, got := receiver(t, "s3cret", 1)
		config := runner.Config{AllowPrivateHosts: true, Alerts: runner.AlertConfig{URL: address, Secret: jobs.NewSecret("s3cret")}}
		apply := b.apply()
		auth := b.authorize(apply)
		r, _ := b.runner(config)
		b.runner(config)
		j := b.job(apply, auth.ID, "customers", startImmediately)
		run := b.onlyRun(r.API(), j.ID, jobs.StatusFailed)
		eventually(t, "a first attempt", func() bool { return b.count(`SELECT coalesce(max(attempts), 0) FROM alerts`) == 1 })
		eventually(t, "a second attempt", func() bool {
			b.sql(`UPDATE alerts SET next_at = 1 WHERE attempts = 1`)
			return len(got) > 0
		})
		a := <-got
		if a.Kind != "failure" || a.Job.ID != j.ID || a.Run == nil || a.Run.ID != run.ID || a.Text == "" {
			t.Errorf("%+v", a)
		}
		eventually(t, "the alert is marked as delivered", func() bool { return b.count(`SELECT count(*) FROM alerts WHERE done_at IS NOT NULL`) == 1 })
		if len(got) > 0 {
			t.Errorf("got a second alert: %+v", <-got)
		}
	})
}

func TestStaleJobRaisesAnAlert(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		address, got := receiver(t, "s3cret", 0)
		apply := b.apply()
		auth := b.authorize(apply)
		daily := func(s *jobs.JobSpec) { s.Schedule = &jobs.Schedule{Frequency: jobs.Daily} }
		stale, fresh := b.job(apply, auth.ID, "stale", daily), b.job(apply, auth.ID, "fresh", daily)
		b.sql(`UPDATE jobs SET updated_at = updated_at - ? WHERE id = ?`, (49 * time.Hour).Microseconds(), stale.ID)
		b.sql(`UPDATE jobs SET updated_at = updated_at - ? WHERE id = ?`, (47 * time.Hour).Microseconds(), fresh.ID)
		b.runner(runner.Config{AllowPrivateHosts: true, Alerts: runner.AlertConfig{URL: address, Secret: jobs.NewSecret("s3cret")}})
		if a := <-got; a.Kind != "stale" || a.Job.ID != stale.ID || a.Run != nil {
			t.Errorf("got %+v, want a stale alert of job %s", a, stale.ID)
		}
		if n := b.count(`SELECT count(*) FROM alerts`); n != 1 {
			t.Errorf("%d alerts", n)
		}
	})
}

// A job with expected_every is late after that time without a success, with or without a
// schedule; the schedule's own period then counts no more. A paused job is not late.
func TestLateJobRaisesAnAlert(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		address, got := receiver(t, "s3cret", 0)
		apply := b.apply()
		auth := b.authorize(apply)
		every := func(d time.Duration, s *jobs.Schedule) func(*jobs.JobSpec) {
			return func(spec *jobs.JobSpec) { spec.ExpectedEverySeconds, spec.Schedule = int64(d/time.Second), s }
		}
		daily, paused := &jobs.Schedule{Frequency: jobs.Daily}, true
		made := map[string]jobs.Job{
			"never":    b.job(apply, auth.ID, "never", every(24*time.Hour, nil)),
			"once":     b.job(apply, auth.ID, "once", every(3*time.Hour, daily)),
			"fresh":    b.job(apply, auth.ID, "fresh", every(26*time.Hour, daily)),
			"patient":  b.job(apply, auth.ID, "patient", every(1000*time.Hour, daily)),
			"paused":   b.job(apply, auth.ID, "paused", every(time.Hour, &jobs.Schedule{Frequency: jobs.Daily, Paused: &paused})),
			"unwanted": b.job(apply, auth.ID, "unwanted", nil),
		}
		for _, name := range []string{"once", "fresh"} {
			run, err := apply.StartRun(t.Context(), made[name].ID, jobs.ReasonManual)
			if err != nil {
				t.Fatal(err)
			}
			if run, err = apply.WaitRun(t.Context(), run.ID, nil); err != nil || run.Status != jobs.StatusSucceeded {
				t.Fatalf("%+v, %v", run, err)
			}
		}
		b.sql(`UPDATE jobs SET created_at = created_at - ?, updated_at = updated_at - ?`, (60 * time.Hour).Microseconds(), (60 * time.Hour).Microseconds())
		b.sql(`UPDATE runs SET finished_at = finished_at - ?`, (25 * time.Hour).Microseconds())
		success, err := apply.Job(t.Context(), made["once"].ID)
		if err != nil || success.LastSuccessAt == nil {
			t.Fatalf("got the last success %v, %v; want its time", success.LastSuccessAt, err)
		}
		b.runner(runner.Config{AllowPrivateHosts: true, Alerts: runner.AlertConfig{URL: address, Secret: jobs.NewSecret("s3cret")}})
		texts := map[string]string{}
		for range 2 {
			a := <-got
			if a.Kind != "stale" || a.Run != nil {
				t.Errorf("got %+v, want an alert of the kind stale without a run", a)
			}
			texts[a.Job.Label] = a.Text
		}
		want := map[string]string{
			"never": fmt.Sprintf("Job never (%s) is late: a run is expected to succeed every 24h (expected_every), and it never succeeded since it "+
				"was created at %s.", made["never"].ID, made["never"].CreatedAt.Add(-60*time.Hour).UTC().Format(time.RFC3339)),
			"once": fmt.Sprintf("Job once (%s) is late: a run is expected to succeed every 3h (expected_every), and its last success was at %s.",
				made["once"].ID, success.LastSuccessAt.UTC().Format(time.RFC3339)),
		}
		if d := cmp.Diff(want, texts); d != "" {
			t.Errorf("alerts (-want +got):\n%s", d)
		}
		if n := b.count(`SELECT count(*) FROM alerts`); n != 2 {
			t.Errorf("got %d alerts, want 2", n)
		}
	})
}

// checklist 50: alerts are not sent to private addresses unless the
// configuration allows it.
func TestAlertsToPrivateAddressesNeedPermission(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		url, secret string
		private     bool
		attribute   string
	}{
		{"http://alerts.example.com/x", "s", false, "alerts.url"},
		{"ftp://alerts.example.com/x", "s", true, "alerts.url"},
		{"https:///x", "s", false, "alerts.url"},
		{"https://alerts.example.com/x", "", false, "alerts.secret"},
	} {
		_, err := runner.New(engine.New(engine.Options{}), runner.Config{AllowPrivateHosts: c.private, Alerts: runner.AlertConfig{URL: c.url, Secret: jobs.NewSecret(c.secret)}})
		e, ok := errors.AsType[*jobs.Error](err)
		if !ok || e.Attribute != c.attribute {
			t.Errorf("%+v: %v", c, err)
		}
	}
	b := newFixture(t)
	b.work = func(context.Context, jobs.Job, engine.Progress) error {
		return &jobs.Error{Code: jobs.CodeFailed, Summary: "x"}
	}
	private := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a private address was contacted") }))
	t.Cleanup(private.Close)
	apply := b.apply()
	auth := b.authorize(apply)
	b.runner(runner.Config{Alerts: runner.AlertConfig{URL: private.URL, Secret: jobs.NewSecret("s")}})
	b.job(apply, auth.ID, "customers", startImmediately)
	eventually(t, "a refused attempt", func() bool {
		return b.count(`SELECT coalesce(max(attempts), 0) FROM alerts WHERE next_at > created_at`) >= 1
	})
}
