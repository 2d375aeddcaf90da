package conformance

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Platform is the interface of a customer-data platform.
type Platform interface {
	Append(
		ctx context.Context,
		stream string,
		events []jobs.Event,
		commit func(tx *store.Tx, rejected []jobs.RejectedEvent) error,
	) (jobs.AppendResult, error)
	StreamInfo(ctx context.Context, stream string) (jobs.StreamInfo, error)
	Streams(ctx context.Context) ([]jobs.StreamInfo, error)

	CreateField(ctx context.Context, f jobs.Field) (jobs.Field, error)
	PutField(ctx context.Context, f jobs.Field) (jobs.Field, error)
	Field(ctx context.Context, id string) (jobs.Field, error)
	Fields(ctx context.Context) ([]jobs.Field, error)
	DeleteField(ctx context.Context, id string) error

	CreateMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error)
	PutMapping(ctx context.Context, m jobs.Mapping) (jobs.Mapping, error)
	Mapping(ctx context.Context, id string) (jobs.Mapping, error)
	Mappings(ctx context.Context) ([]jobs.Mapping, error)
	DeleteMapping(ctx context.Context, id string) error

	CreateAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error)
	PutAudience(ctx context.Context, a jobs.Audience) (jobs.Audience, error)
	Audience(ctx context.Context, idOrSlug string) (jobs.Audience, error)
	Audiences(ctx context.Context) ([]jobs.Audience, error)
	DeleteAudience(ctx context.Context, id string) error

	Scan(ctx context.Context, audience string, fields []string) ([]jobs.Field, iter.Seq2[[]jobs.Value, error], error)
	AudienceSize(ctx context.Context, audience string) (int64, error)
	Profile(ctx context.Context, id jobs.Identity) (jobs.Profile, error)
}

// Subject is an empty platform to test, with its store.
type Subject struct {
	Platform
	// DB is the store that Append commits to.
	DB *store.DB
	// CountsBytes reports whether the platform counts the bytes of a stream.
	CountsBytes bool
	// Settle returns when the profiles include all appended events.
	Settle func(ctx context.Context) error
}

// Run runs all tests. It calls open for each test.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	for _, c := range slices.Concat(definitions, events, profiles, scans) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(&platformTest{T: t, Subject: open(t)})
		})
	}
}

// test is one test of the suite.
type test struct {
	name string
	run  func(t *platformTest)
}

// platformTest is a running test and its platform.
type platformTest struct {
	*testing.T
	Subject
}

func (t *platformTest) check(what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// refused checks the code, the attribute and a part of the text of an error, and that
// the error has a next step.
func (t *platformTest) refused(what string, err error, code jobs.Code, attribute, says string) {
	t.Helper()
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok {
		t.Errorf("%s: %v, want an error with code %s", what, err, code)
		return
	}
	if e.Code != code || e.Attribute != attribute || !strings.Contains(e.Error(), says) || e.Next == "" {
		t.Errorf("%s: %s of %q: %v; want %s of %q with %q and a next step", what, e.Code, e.Attribute, err, code, attribute, says)
	}
}

func same[T comparable](t *platformTest, what string, got T, err error, want T) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("%s: %+v, %v; want %+v", what, got, err, want)
	}
}

func (t *platformTest) field(f jobs.Field) jobs.Field {
	t.Helper()
	made, err := t.CreateField(t.Context(), f)
	t.check("field "+f.ID, err)
	return made
}

func (t *platformTest) mapping(stream, field, expression, guard string) jobs.Mapping {
	t.Helper()
	m, err := t.CreateMapping(t.Context(), jobs.Mapping{Stream: stream, Field: field, Expression: expression, GuardExpression: guard})
	t.check("mapping of "+field, err)
	return m
}

func (t *platformTest) audience(name, filter string) jobs.Audience {
	t.Helper()
	a, err := t.CreateAudience(t.Context(), jobs.Audience{Name: name, Filter: filter})
	t.check("audience "+name, err)
	return a
}

// day0 is the time of the first event of a test.
var day0 = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// secondsApart returns events e0, e1, ..., one second apart.
func secondsApart(data ...string) []jobs.Event {
	var list []jobs.Event
	for i, d := range data {
		list = append(list, jobs.Event{ID: fmt.Sprintf("e%d", i), Time: day0.Add(time.Duration(i) * time.Second), Data: []byte(d)})
	}
	return list
}

func (t *platformTest) append(stream string, list []jobs.Event) {
	t.Helper()
	got, err := t.Append(t.Context(), stream, list, nil)
	t.check("append", err)
	if want := (jobs.AppendResult{Written: int64(len(list))}); got != want {
		t.Errorf("append to %s: got %+v, want %+v", stream, got, want)
	}
}

// feed appends events, and waits for the profiles.
func (t *platformTest) feed(stream string, data ...string) {
	t.Helper()
	t.append(stream, secondsApart(data...))
	t.check("settle", t.Settle(t.Context()))
}

// rows returns the profiles of an audience as sorted lines of "a|b|NULL".
func (t *platformTest) rows(audience string, fields ...string) []string {
	t.Helper()
	_, rows, err := t.Scan(t.Context(), audience, fields)
	t.check("scan", err)
	lines := []string{}
	for row, err := range rows {
		t.check("scan", err)
		lines = append(lines, line(row))
	}
	slices.Sort(lines)
	return lines
}

func line(row []jobs.Value) string {
	cells := make([]string, len(row))
	for i, v := range row {
		cells[i] = v.Text
		if v.Null {
			cells[i] = "NULL"
		}
	}
	return strings.Join(cells, "|")
}

func (t *platformTest) wantRows(got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
