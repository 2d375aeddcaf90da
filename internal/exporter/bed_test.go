package exporter_test

import (
	"context"
	"fmt"
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

// people is an audience: fields and rows, or how to make them.
type people struct {
	fields []jobs.Field
	rows   [][]jobs.Value
	// each makes the rows instead.
	each iter.Seq2[[]jobs.Value, error]
}

func (p people) Scan(context.Context, string, []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error) {
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

// progress keeps what a run tells.
type progress struct {
	mu     sync.Mutex
	phases []string
	done   int64
	counts jobs.Counts
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

// bed is a database of the test's own at a sandbox, and a bucket's prefix.
type bed struct {
	t        testing.TB
	sandbox  *sandboxtest.Sandbox
	database string
	staging  exporter.Staging
	progress *progress
}

type area struct{ *staging.S3 }

func (a area) Create(ctx context.Context, key string) (exporter.Object, error) {
	return a.S3.Create(ctx, key)
}

func newBed(tb testing.TB, s *sandboxtest.Sandbox) *bed {
	tb.Helper()
	b := &bed{t: tb, sandbox: s, database: strings.ToLower(store.NewID("x"))}
	s.Exec(tb, "CREATE SCHEMA main."+b.database)
	b.staging = area{b.open(staging.S3Config{})}
	return b
}

// open opens the sandbox's bucket under a prefix of the test's own.
func (b *bed) open(cfg staging.S3Config) *staging.S3 {
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

func (b *bed) workspace() databricks.Config {
	return databricks.Config{
		Host: b.sandbox.Host, Port: b.sandbox.Port, HTTPPath: b.sandbox.HTTPPath, AllowPrivateHosts: true,
		Token: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(b.sandbox.Token), nil },
	}
}

func (b *bed) connect(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
	cfg := b.workspace()
	cfg.QueryTimeout = queryTimeout
	return databricks.Open(ctx, cfg)
}

// export is a run of the audience into the table people.
func (b *bed) export(p people, change ...func(*exporter.Export)) *exporter.Export {
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

func (b *bed) run(p people, change ...func(*exporter.Export)) {
	b.t.Helper()
	if err := b.export(p, change...).Run(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	b.wantNothingLeft()
}

// wantNothingLeft asserts that neither objects nor tables of runs are there.
func (b *bed) wantNothingLeft() {
	b.t.Helper()
	objects, err := b.staging.List(b.t.Context(), "exports")
	if err != nil || len(objects) != 0 {
		b.t.Errorf("left in staging: %v, %v", objects, err)
	}
	for _, r := range b.query("SHOW TABLES IN main." + b.database) {
		if strings.Contains(strings.Join(r, " "), "lytics_load_") {
			b.t.Errorf("a table was left: %v", r)
		}
	}
}

func (b *bed) table() string { return "main." + b.database + ".people" }

func (b *bed) query(statement string) [][]string {
	b.t.Helper()
	return b.sandbox.Query(b.t, statement)
}

// types are the target's columns.
func (b *bed) types() string {
	b.t.Helper()
	var out []string
	for _, r := range b.query(fmt.Sprintf("SELECT column_name, full_data_type FROM main.information_schema.columns WHERE table_schema = '%s' AND table_name = 'people' ORDER BY ordinal_position", b.database)) {
		out = append(out, r[0]+" "+strings.ToUpper(r[1]))
	}
	return strings.Join(out, ", ")
}

func spec(f func(*jobs.AudienceExport)) func(*exporter.Export) {
	return func(e *exporter.Export) { f(&e.Spec) }
}
