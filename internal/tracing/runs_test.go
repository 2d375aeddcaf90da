package tracing_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/tracing"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/worker"
)

// trace is the spans of one run.
type trace struct {
	root                       *tracepb.Span
	phases, statements, upload []*tracepb.Span
}

// attribute returns the text of an attribute of a span.
func attribute(s *tracepb.Span, key string) string {
	for _, a := range s.GetAttributes() {
		if a.GetKey() == key {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

// traceOf waits for the span of a run, and returns those of its trace.
func traceOf(t *testing.T, run jobs.Run) (out trace) {
	t.Helper()
	for out.root == nil {
		received.mu.Lock()
		for _, s := range received.spans {
			if attribute(s, "lytics.run.id") == run.ID {
				out.root = s
			}
		}
		received.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
	received.mu.Lock()
	defer received.mu.Unlock()
	if len(received.mistakes) > 0 {
		t.Fatalf("the receiver cannot read: %v", received.mistakes)
	}
	for _, s := range received.spans {
		switch {
		case string(s.GetTraceId()) != string(out.root.GetTraceId()) || s == out.root:
		case s.GetName() == "statement":
			out.statements = append(out.statements, s)
		case s.GetName() == "upload":
			out.upload = append(out.upload, s)
		default:
			out.phases = append(out.phases, s)
		}
	}
	return out
}

// below checks that spans have phases of the run as parents.
func (tr trace) below(t *testing.T, what string, spans []*tracepb.Span) {
	t.Helper()
	if len(spans) == 0 {
		t.Errorf("the trace has no %s", what)
	}
	for _, s := range spans {
		isParent := func(p *tracepb.Span) bool { return string(p.GetSpanId()) == string(s.GetParentSpanId()) }
		if !slices.ContainsFunc(tr.phases, isParent) {
			t.Errorf("the %s has the parent %s, which is no phase", what, hex.EncodeToString(s.GetParentSpanId()))
		}
	}
}

func TestRunsInWorkersAreTracedWithPhasesStatementsAndUploads(t *testing.T) {
	t.Parallel()
	sandbox := sandboxtest.Start(t)
	sandbox.Exec(t, `CREATE SCHEMA IF NOT EXISTS main.sales`, `CREATE TABLE main.sales.orders (id BIGINT, email STRING, ts TIMESTAMP)`,
		`INSERT INTO main.sales.orders VALUES (1, 'canary@example.com', TIMESTAMP '2024-01-01 00:00:00')`)
	s := settings{Dir: t.TempDir(), Endpoint: sandbox.S3Endpoint, Region: sandbox.S3Region, Bucket: sandbox.S3Bucket, Key: sandbox.S3AccessKey,
		SecretKey: sandbox.S3SecretKey}
	e := startRunner(t, s)
	token := jobs.NewSecret(sandbox.Token)
	auth, err := e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{Token: &token, AuthorizationSpec: jobs.AuthorizationSpec{
		Label: "warehouse", Host: sandbox.Host, Port: sandbox.Port, HTTPPath: sandbox.HTTPPath}})
	if err != nil {
		t.Fatal(err)
	}
	define(t, e)
	run := func(spec jobs.JobSpec) jobs.Run {
		spec.AuthorizationID, spec.QueryTimeout = auth.ID, time.Hour
		j, err := e.CreateJob(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		started, err := e.StartRun(t.Context(), j.ID, jobs.ReasonManual)
		if err != nil {
			t.Fatal(err)
		}
		ended, err := e.WaitRun(t.Context(), started.ID, nil)
		if err != nil || ended.Status != jobs.StatusSucceeded || ended.RowsWritten != 1 {
			t.Fatalf("%s: %s %s, %v", spec.Label, ended.Status, ended.Failure, err)
		}
		return ended
	}
	imported := run(jobs.JobSpec{Label: "orders", Import: &jobs.TableImport{
		Catalog: "main", Database: "sales", Table: "orders", TimestampColumn: "ts", Stream: "orders"}})
	exported := run(jobs.JobSpec{Label: "all", Export: &jobs.AudienceExport{
		AudienceID: "all", Catalog: "main", Database: "sales", TableName: "all_users"}})

	tr := traceOf(t, imported)
	if tr.root.GetName() != "run table_import" || len(tr.root.GetParentSpanId()) > 0 || attribute(tr.root, "lytics.run.status") != "succeeded" ||
		attribute(tr.root, "lytics.job.label") != "orders" {
		t.Errorf("the span of the run is %v", tr.root)
	}
	for _, p := range tr.phases {
		if string(p.GetParentSpanId()) != string(tr.root.GetSpanId()) {
			t.Errorf("the phase %s is not below the run", p.GetName())
		}
	}
	if len(tr.phases) < 3 {
		t.Errorf("only %d phases were traced", len(tr.phases))
	}
	tr.below(t, "statement", tr.statements)
	for _, id := range imported.Statements {
		if !slices.ContainsFunc(tr.statements, func(s *tracepb.Span) bool { return attribute(s, "lytics.statement.id") == id }) {
			t.Errorf("statement %s of the run is in no span", id)
		}
	}
	other := traceOf(t, exported)
	if other.root.GetName() != "run audience_export" || string(other.root.GetTraceId()) == string(tr.root.GetTraceId()) {
		t.Errorf("the span of the export is %v", other.root)
	}
	other.below(t, "statement", other.statements)
	other.below(t, "upload", other.upload)

	received.mu.Lock()
	defer received.mu.Unlock()
	if !received.services["terraform-provider-lytics"] || len(received.services) != 1 {
		t.Errorf("the services are %v", received.services)
	}
	for _, span := range received.spans {
		for _, secret := range []string{"SELECT", "FILEFORMAT", "canary@example.com", sandbox.Token, sandbox.S3SecretKey} {
			if strings.Contains(span.String(), secret) {
				t.Errorf("a span has %q: %s", secret, span)
			}
		}
	}
}

// startRunner starts a runner with worker processes, and returns another process's
// engine on its store.
func startRunner(t *testing.T, s settings) *engine.Engine {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	apply := engine.New(s.options())
	if _, err := apply.Store(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	pool := worker.NewPool(worker.Config{
		Command: worker.Command(os.Executable, workerArgument), Version: version,
		Setup: worker.Setup{Settings: text, Environment: os.Environ(), MemoryMB: 512},
	})
	o := s.options()
	o.Workers = pool
	e := engine.New(o)
	r, err := runner.New(e, runner.Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- errors.Join(r.Run(ctx), e.Close(), pool.Close()) }()
	t.Cleanup(func() {
		err := apply.Close()
		cancel()
		if err := errors.Join(err, <-done); err != nil {
			t.Error(err)
		}
	})
	for r.Ready(httptest.NewRequest(http.MethodGet, "/readyz", nil)) != nil {
		time.Sleep(10 * time.Millisecond)
	}
	return apply
}

// define makes a profile of each order.
func define(t *testing.T, e *engine.Engine) {
	t.Helper()
	_, err := e.CreateField(t.Context(), jobs.Field{ID: "email", Type: "string", IsIdentifier: true}, "")
	_, err2 := e.CreateMapping(t.Context(), jobs.Mapping{Stream: "orders", Field: "email", Expression: "email"}, "")
	_, err3 := e.CreateAudience(t.Context(), jobs.Audience{Name: "all", Slug: "all", Filter: "FILTER *"}, "")
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
}

func TestTracesAreOffWithoutOpenTelemetrysVariables(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"":                                     false,
		"OTEL_SERVICE_NAME=x":                  false,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://c": true,
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c/v1/traces":       true,
		"OTEL_TRACES_EXPORTER=otlp":                                   true,
		"OTEL_TRACES_EXPORTER=none OTEL_EXPORTER_OTLP_ENDPOINT=http:": false,
		"OTEL_TRACES_EXPORTER=console":                                false,
		"OTEL_SDK_DISABLED=true OTEL_EXPORTER_OTLP_ENDPOINT=http://c": false,
	} {
		if got := tracing.Wanted(environment(text)); got != want {
			t.Errorf("%q: got %t, want %t", text, got, want)
		}
	}
	for text, valid := range map[string]bool{
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc":                                                 true, // nothing is sent
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc OTEL_TRACES_EXPORTER=otlp":                       false,
		"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_TRACES_EXPORTER=otlp":              true,
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json OTEL_EXPORTER_OTLP_ENDPOINT=http://": false,
	} {
		if err := tracing.Check(environment(text)); (err == nil) != valid {
			t.Errorf("%q gave %v", text, err)
		}
	}
}

// environment looks up variables in a text of NAME=VALUE words.
func environment(text string) func(string) string {
	return func(name string) string {
		for word := range strings.FieldsSeq(text) {
			if n, v, _ := strings.Cut(word, "="); n == name {
				return v
			}
		}
		return ""
	}
}
