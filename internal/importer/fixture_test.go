package importer_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// storeSink keeps events in memory and commits cursors to the store.
type storeSink struct {
	db     *store.DB
	events []jobs.Event
	// before, if set, is called before each batch. Its error fails the batch.
	before func() error
}

func (k *storeSink) Append(ctx context.Context, _ string, events []jobs.Event, commit func(*store.Tx, []jobs.RejectedEvent) error) (jobs.AppendResult, error) {
	if k.before != nil {
		if err := k.before(); err != nil {
			return jobs.AppendResult{}, err
		}
	}
	if err := k.db.Write(ctx, func(tx *store.Tx) error { return commit(tx, nil) }); err != nil {
		return jobs.AppendResult{}, err
	}
	k.events = append(k.events, events...)
	return jobs.AppendResult{Written: int64(len(events))}, nil
}

// countedProgress keeps the counts and the names of the phases.
type countedProgress struct {
	jobs.Counts
	phases []string
}

func (p *countedProgress) Phase(name string, _ int64)      { p.phases = append(p.phases, name) }
func (*countedProgress) Advance(int64)                     {}
func (p *countedProgress) Count(change func(*jobs.Counts)) { change(&p.Counts) }

// fixture is a table in a sandbox and an import of it.
type fixture struct {
	t      *testing.T
	s      *sandboxtest.Sandbox
	db     *store.DB
	sink   *storeSink
	imp    importer.Import
	counts jobs.Counts
	phases []string
	schema string
}

var notAlphanumeric = regexp.MustCompile(`[^a-z0-9]+`)

// newFixture creates the table t with these columns.
func newFixture(t *testing.T, s *sandboxtest.Sandbox, columns string) *fixture {
	t.Helper()
	db, err := storetest.Open(t.Context(), store.Location{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	b := &fixture{t: t, s: s, db: db, sink: &storeSink{db: db}, schema: notAlphanumeric.ReplaceAllString(strings.ToLower(t.Name()), "_")}
	s.Exec(t, "CREATE SCHEMA main."+b.schema, "CREATE TABLE "+b.table()+" ("+columns+")")
	b.imp = importer.Import{
		Key: "k", Sink: b.sink, Cursors: db, Fence: func(*store.Tx) error { return nil },
		Spec: jobs.TableImport{Catalog: "main", Database: b.schema, Table: "t", TimestampColumn: "ts", Stream: "s"},
		Connect: func(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
			return databricks.Open(ctx, databricks.Config{
				Host: s.Host, Port: s.Port, HTTPPath: s.HTTPPath, UserAgent: "lytics+test", LoopbackHosts: true,
				QueryTimeout: queryTimeout, StartTimeout: time.Minute, CloudFetch: true,
				Token: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(s.Token), nil },
			})
		},
	}
	return b
}

func (b *fixture) table() string { return "main." + b.schema + ".t" }

// exec executes statements, in which %t stands for the table.
func (b *fixture) exec(statements ...string) {
	b.t.Helper()
	for i := range statements {
		statements[i] = strings.ReplaceAll(statements[i], "%t", b.table())
	}
	b.s.Exec(b.t, statements...)
}

// runOnce runs the import and keeps its counts.
func (b *fixture) runOnce() error {
	i, p := b.imp, &countedProgress{}
	i.Progress = p
	err := i.Run(b.t.Context())
	b.counts, b.phases = p.Counts, p.phases
	return err
}

// run runs the import and returns the data of the new events.
func (b *fixture) run() []string {
	b.t.Helper()
	before := len(b.sink.events)
	if err := b.runOnce(); err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, e := range b.sink.events[before:] {
		out = append(out, string(e.Data))
	}
	return out
}

// wantEvents runs the import and compares the row ids of the new events, in order.
func (b *fixture) wantEvents(ids ...int64) {
	b.t.Helper()
	var got []int64
	for _, data := range b.run() {
		got = append(got, gjson.Get(data, "id").Int())
	}
	if !slices.Equal(got, ids) {
		b.t.Fatalf("got events of the rows %v, want %v", got, ids)
	}
}

// wantEachRowOnce checks that there are n events, of n rows and with n ids.
func (b *fixture) wantEachRowOnce(n int) {
	b.t.Helper()
	ids, rows := map[string]bool{}, map[int64]bool{}
	for _, e := range b.sink.events {
		ids[e.ID] = true
		rows[gjson.GetBytes(e.Data, "id").Int()] = true
	}
	if len(b.sink.events) != n || len(ids) != n || len(rows) != n {
		b.t.Fatalf("got %d events with %d ids, of %d rows, want %d of each", len(b.sink.events), len(ids), len(rows), n)
	}
}

// wantWatermark checks the watermark of the cursor.
func (b *fixture) wantWatermark(want time.Time) {
	b.t.Helper()
	c, err := importer.ReadCursor(b.t.Context(), b.db, "k")
	if err != nil {
		b.t.Fatal(err)
	}
	if c == nil || c.Watermark == nil || *c.Watermark != want.UnixMicro() {
		b.t.Fatalf("got the cursor %+v, want one with the watermark %s", c, want)
	}
}

// queries returns the statements that read rows, and those that only count.
func (b *fixture) queries() (data, other []sandboxtest.Statement) {
	b.t.Helper()
	for _, s := range b.s.Statements(b.t) {
		switch {
		case !strings.Contains(s.Text, b.schema) || s.Operation != "EXECUTE_STATEMENT":
		case strings.Contains(s.Text, "lytics_row"):
			data = append(data, s)
		case strings.HasPrefix(s.Text, "SELECT"):
			other = append(other, s)
		}
	}
	return data, other
}

const threeColumns = "id BIGINT, name STRING, ts TIMESTAMP"

// newFixtureOf imports the same table into another store.
func newFixtureOf(b *fixture) *fixture {
	b.t.Helper()
	db, err := storetest.Open(b.t.Context(), store.Location{Dir: b.t.TempDir()})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = db.Close() })
	other := *b
	other.db, other.sink = db, &storeSink{db: db}
	other.imp.Sink, other.imp.Cursors = other.sink, db
	return &other
}
