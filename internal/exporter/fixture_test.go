package exporter_test

import (
	"context"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// fakeAudience is an audience with these fields and rows.
type fakeAudience struct {
	fields []jobs.Field
	rows   [][]jobs.Value
	// each, if set, generates the rows instead.
	each iter.Seq2[[]jobs.Value, error]
}

func (p fakeAudience) Scan(context.Context, string, []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error) {
	if p.each != nil {
		return p.fields, p.each, nil
	}
	return p.fields, func(yield func([]jobs.Value, error) bool) {
		for _, row := range p.rows {
			if !yield(row, nil) {
				return
			}
		}
	}, nil
}

func fields(pairs ...string) []jobs.Field {
	out := make([]jobs.Field, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, jobs.Field{ID: pairs[i], Type: pairs[i+1]})
	}
	return out
}

func row(cells ...string) []jobs.Value {
	out := make([]jobs.Value, len(cells))
	for i, c := range cells {
		out[i] = jobs.Value{Text: c, Null: c == null}
		if out[i].Null {
			out[i].Text = ""
		}
	}
	return out
}

// null stands for NULL in row.
const null = "\x00NULL"

// progress keeps the phases and counts of a run.
type progress struct {
	mu     sync.Mutex
	phases []string
	done   int64
	counts jobs.Counts
	// warnings are the lines that Warn got.
	warnings []string
}

func (p *progress) Warn(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.warnings = append(p.warnings, message)
}

func (p *progress) Phase(name string, _ int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phases, p.done = append(p.phases, name), 0
}

func (p *progress) Advance(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
}

func (p *progress) Count(f func(*jobs.Counts)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.counts)
}

// fixture is a database of one test in a sandbox, and a prefix in its bucket.
type fixture struct {
	t        testing.TB
	sandbox  *sandboxtest.Sandbox
	database string
	staging  exporter.Staging
	progress *progress
}

type s3Staging struct{ *staging.S3 }

func (a s3Staging) Create(ctx context.Context, key string) (exporter.Object, error) {
	return a.S3.Create(ctx, key)
}

func newFixture(tb testing.TB, s *sandboxtest.Sandbox) *fixture {
	tb.Helper()
	b := &fixture{t: tb, sandbox: s, database: strings.ToLower(store.NewID("x"))}
	s.Exec(tb, "CREATE SCHEMA main."+b.database)
	b.staging = s3Staging{b.open(staging.S3Config{})}
	return b
}

// open opens the sandbox's bucket, with the test's prefix.
func (b *fixture) open(cfg staging.S3Config) *staging.S3 {
	b.t.Helper()
	s := b.sandbox
	cfg.Bucket, cfg.Region, cfg.Endpoint, cfg.UsePathStyle = s.S3Bucket, s.S3Region, s.S3Endpoint, true
	cfg.Prefix = b.database
	if cfg.AccessKeyID == "" {
		cfg.AccessKeyID, cfg.SecretAccessKey = s.S3AccessKey, jobs.NewSecret(s.S3SecretKey)
	}
	area, err := staging.Open(b.t.Context(), cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	return area
}

func (b *fixture) workspace() databricks.Config {
	return databricks.Config{
		Host: b.sandbox.Host, Port: b.sandbox.Port, HTTPPath: b.sandbox.HTTPPath, AllowPrivateHosts: true,
		Token: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(b.sandbox.Token), nil },
	}
}

func (b *fixture) connect(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
	cfg := b.workspace()
	cfg.QueryTimeout = queryTimeout
	return databricks.Open(ctx, cfg)
}

// export returns a run that exports the audience into the table people.
func (b *fixture) export(p fakeAudience, change ...func(*exporter.Export)) *exporter.Export {
	b.progress = &progress{}
	e := &exporter.Export{
		JobID: "jb_test", RunID: store.NewID("rn"),
		Spec:    jobs.AudienceExport{AudienceID: "everyone", Catalog: "main", Database: b.database, TableName: "people"},
		Connect: b.connect, Audiences: p, Staging: b.staging, Progress: b.progress,
		Fence: func(context.Context) error { return nil },
	}
	for _, c := range change {
		c(e)
	}
	return e
}

// run exports the audience, and checks that nothing else is left.
func (b *fixture) run(p fakeAudience, change ...func(*exporter.Export)) {
	b.t.Helper()
	if err := b.export(p, change...).Run(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	b.wantNoLeftovers()
}

// wantNoLeftovers checks that there are no staged files and no load tables.
func (b *fixture) wantNoLeftovers() {
	b.t.Helper()
	objects, err := b.staging.List(b.t.Context(), "exports")
	if err != nil || len(objects) != 0 {
		b.t.Errorf("got the staged files %v, %v, want none", objects, err)
	}
	for _, r := range b.query("SHOW TABLES IN main." + b.database) {
		if strings.Contains(strings.Join(r, " "), "lytics_load_") {
			b.t.Errorf("got the load table %v, want none", r)
		}
	}
}

func (b *fixture) table() string { return "main." + b.database + ".people" }

func (b *fixture) query(statement string) [][]string {
	b.t.Helper()
	return b.sandbox.Query(b.t, statement)
}

// columnTypes returns the target's columns with their types.
func (b *fixture) columnTypes() string {
	b.t.Helper()
	var out []string
	for _, r := range b.query("SELECT column_name, full_data_type FROM main.information_schema.columns WHERE table_schema = '" +
		b.database + "' AND table_name = 'people' ORDER BY ordinal_position") {
		out = append(out, r[0]+" "+strings.ToUpper(r[1]))
	}
	return strings.Join(out, ", ")
}

func spec(f func(*jobs.AudienceExport)) func(*exporter.Export) {
	return func(e *exporter.Export) { f(&e.Spec) }
}
