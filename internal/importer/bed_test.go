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
)

// kept is a sink that keeps events and commits in the store.
type kept struct {
	db     *store.DB
	events []jobs.Event
	// before, if set, is called before each batch.
	before func() error
}

func (k *kept) Append(ctx context.Context, _ string, events []jobs.Event, commit func(tx *store.Tx) error) (jobs.AppendResult, error) {
	if k.before != nil {
		if err := k.before(); err != nil {
			return jobs.AppendResult{}, err
		}
	}
	if err := k.db.Write(ctx, commit); err != nil {
		return jobs.AppendResult{}, err
	}
	k.events = append(k.events, events...)
	return jobs.AppendResult{Written: int64(len(events))}, nil
}

// told is progress that keeps what it was told.
type told struct{ jobs.Counts }

func (*told) Phase(string, int64)               {}
func (*told) Advance(int64)                     {}
func (p *told) Count(change func(*jobs.Counts)) { change(&p.Counts) }

// bed is a table in a sandbox, and an import of it.
type bed struct {
	t      *testing.T
	s      *sandboxtest.Sandbox
	db     *store.DB
	sink   *kept
	imp    importer.Import
	counts jobs.Counts
	schema string
}

var notPlain = regexp.MustCompile(`[^a-z0-9]+`)

// newBed makes the table t of the columns.
func newBed(t *testing.T, s *sandboxtest.Sandbox, columns string) *bed {
	t.Helper()
	db, err := store.Open(t.Context(), store.Location{Dir: t.TempDir()}, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	b := &bed{t: t, s: s, db: db, sink: &kept{db: db}, schema: notPlain.ReplaceAllString(strings.ToLower(t.Name()), "_")}
	s.Exec(t, "CREATE SCHEMA main."+b.schema, "CREATE TABLE "+b.table()+" ("+columns+")")
	b.imp = importer.Import{
		Key: "k", Sink: b.sink, Cursors: db, Fence: func(*store.Tx) error { return nil },
		Spec: jobs.TableImport{Catalog: "main", Database: b.schema, Table: "t", TimestampColumn: "ts", Stream: "s"},
		Connect: func(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
			return databricks.Open(ctx, databricks.Config{
				Host: s.Host, Port: s.Port, HTTPPath: s.HTTPPath, UserAgent: "lytics+test", QueryTimeout: queryTimeout, StartTimeout: time.Minute, CloudFetch: true,
				Token: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(s.Token), nil },
			})
		},
	}
	return b
}

func (b *bed) table() string { return "main." + b.schema + ".t" }

// exec runs statements in which %t is the table.
func (b *bed) exec(statements ...string) {
	b.t.Helper()
	for i := range statements {
		statements[i] = strings.ReplaceAll(statements[i], "%t", b.table())
	}
	b.s.Exec(b.t, statements...)
}

func (b *bed) try() error {
	i, p := b.imp, &told{}
	i.Progress = p
	err := i.Run(b.t.Context())
	b.counts = p.Counts
	return err
}

// run imports, and gives the new events' data.
func (b *bed) run() []string {
	b.t.Helper()
	before := len(b.sink.events)
	if err := b.try(); err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, e := range b.sink.events[before:] {
		out = append(out, string(e.Data))
	}
	return out
}

// want runs the import and compares the new events' ids, in order.
func (b *bed) want(ids ...int64) {
	b.t.Helper()
	var got []int64
	for _, data := range b.run() {
		got = append(got, gjson.Get(data, "id").Int())
	}
	if !slices.Equal(got, ids) {
		b.t.Fatalf("events %v, want %v", got, ids)
	}
}

// wantOnce checks that there are n events, none of them twice.
func (b *bed) wantOnce(n int) {
	b.t.Helper()
	ids, rows := map[string]bool{}, map[int64]bool{}
	for _, e := range b.sink.events {
		ids[e.ID] = true
		rows[gjson.GetBytes(e.Data, "id").Int()] = true
	}
	if len(b.sink.events) != n || len(ids) != n || len(rows) != n {
		b.t.Fatalf("%d events of %d ids and %d rows, want %d", len(b.sink.events), len(ids), len(rows), n)
	}
}

// queries are the statements that read rows, and those that only count.
func (b *bed) queries() (data, other []sandboxtest.Statement) {
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

// newBedOf imports the same table into a store of its own.
func newBedOf(b *bed) *bed {
	b.t.Helper()
	db, err := store.Open(b.t.Context(), store.Location{Dir: b.t.TempDir()}, true)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = db.Close() })
	other := *b
	other.db, other.sink = db, &kept{db: db}
	other.imp.Sink, other.imp.Cursors = other.sink, db
	return &other
}
