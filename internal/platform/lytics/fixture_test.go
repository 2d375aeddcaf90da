package lytics_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// canary is the token; it must be in no error.
const canary = "canary-5f1d7e-token"

// fixture is a platform, the stand-in that it talks to, and a store.
type fixture struct {
	*lytics.Platform
	t      *testing.T
	server *lyticstest.Server
	db     *store.DB
	clock  *lytics.FakeClock

	mu     sync.Mutex
	unsure int64
}

func start(t *testing.T, o lyticstest.Options) *lyticstest.Server {
	t.Helper()
	o.Token = canary
	s, err := lyticstest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the stand-in: %v", err)
		}
	})
	return s
}

func open(t *testing.T, o lyticstest.Options, change ...func(*lytics.Config)) *fixture {
	t.Helper()
	return openAt(t, store.Location{Dir: t.TempDir()}, o, change...)
}

// onEach tries something with a store in each database.
func onEach(t *testing.T, f func(t *testing.T, b *fixture)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, open(t, lyticstest.Options{}))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, openAt(t, store.Location{DatabaseURL: jobs.NewSecret(storetest.URL(t))}, lyticstest.Options{}))
	})
}

func openAt(t *testing.T, at store.Location, o lyticstest.Options, change ...func(*lytics.Config)) *fixture {
	t.Helper()
	db, err := storetest.Open(context.Background(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	b := &fixture{t: t, server: start(t, o), db: db}
	b.reopen(change...)
	return b
}

// reopen opens the platform as another process would.
func (b *fixture) reopen(change ...func(*lytics.Config)) {
	b.t.Helper()
	c := lytics.Config{Token: fixed(canary), APIURL: b.server.APIURL, BulkURL: b.server.BulkURL, DB: b.db, UserAgent: "test"}
	for _, f := range change {
		f(&c)
	}
	p, err := lytics.Open(c)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = p.Close() })
	b.Platform, b.clock = p, lytics.UseFakeClock(p)
}

func fixed(token string) func(context.Context) (jobs.Secret, error) {
	return func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(token), nil }
}

// send appends events and adds up how many are possibly duplicated.
func (b *fixture) send(stream string, events []jobs.Event) error {
	return b.sendUnder(b.t.Context(), stream, events)
}

func (b *fixture) sendUnder(ctx context.Context, stream string, events []jobs.Event) error {
	result, err := b.Append(ctx, stream, events, nil)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unsure += result.PossiblyDuplicated
	return err
}

func (b *fixture) wantUnsure(want int64) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unsure != want {
		b.t.Errorf("%d events are possibly duplicated, want %d", b.unsure, want)
	}
}

// append appends events and returns those that were rejected.
func (b *fixture) append(stream string, list []jobs.Event) (rejected []jobs.RejectedEvent) {
	b.t.Helper()
	result, err := b.Append(context.Background(), stream, list, func(_ *store.Tx, r []jobs.RejectedEvent) error {
		rejected = r
		return nil
	})
	n := jobs.RejectedRows(rejected)
	if want := (jobs.AppendResult{Written: int64(len(list)) - n, Rejected: n, PossiblyDuplicated: result.PossiblyDuplicated}); err != nil || result != want {
		b.t.Errorf("append: got %+v, %v, want %+v", result, err, want)
	}
	return rejected
}

// arrived gives the events of a stream as they were sent.
func (b *fixture) arrived(stream string) []string {
	b.t.Helper()
	list, err := b.server.Events(context.Background(), stream)
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

// ids gives the ids of the events of a stream.
func (b *fixture) ids(stream string) []string {
	var list []string
	for _, e := range b.arrived(stream) {
		_, rest, _ := strings.Cut(e, `"_event_id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		list = append(list, id)
	}
	return list
}

func (b *fixture) wantIDs(stream string, want ...string) {
	b.t.Helper()
	if got := b.ids(stream); !slices.Equal(got, want) {
		b.t.Errorf("stream %s has %v, want %v", stream, got, want)
	}
}

var day0 = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// events makes events e0, e1, ... of profiles of their own.
func events(from, n int) (list []jobs.Event) {
	for i := from; i < from+n; i++ {
		list = append(list, jobs.Event{ID: fmt.Sprintf("e%d", i), Time: day0.Add(time.Duration(i) * time.Second), Data: fmt.Appendf(nil, `{"id":"u%04d","n":1}`, i)})
	}
	return list
}

// profiles makes n profiles of an audience "all".
func (b *fixture) profiles(n int) {
	b.t.Helper()
	for _, f := range []jobs.Field{{ID: "id", Type: "string", IsIdentifier: true}, {ID: "n", Type: "int", MergeOperation: "sum"}} {
		b.must(b.CreateField(b.t.Context(), f))
		b.must(b.CreateMapping(b.t.Context(), jobs.Mapping{Stream: "s", Field: f.ID, Expression: f.ID}))
	}
	b.must(b.CreateAudience(b.t.Context(), jobs.Audience{Name: "All", Filter: "*"}))
	if err := b.send("s", events(0, n)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *fixture) must(_ any, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// scanned reads an audience.
func (b *fixture) scanned(fields ...string) (list []string, err error) {
	_, rows, err := b.Scan(b.t.Context(), "all", fields)
	if err != nil {
		return nil, err
	}
	for row, err := range rows {
		if err != nil {
			return list, err
		}
		var cells []string
		for _, v := range row {
			cells = append(cells, v.Text)
		}
		list = append(list, strings.Join(cells, "|"))
	}
	slices.Sort(list)
	return list, nil
}

// refused checks an error, and that it tells no secret.
// checklist 43
func refused(t *testing.T, what string, err error, code jobs.Code, attribute string, says ...string) {
	t.Helper()
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || e.Code != code || e.Attribute != attribute || e.Next == "" {
		t.Errorf("%s: %#v: %v; want %s of %q with a next step", what, e, err, code, attribute)
		return
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%s: %v does not say %q", what, err, s)
		}
	}
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err)} {
		if strings.Contains(text, canary) {
			t.Errorf("%s tells the token: %s", what, text)
		}
	}
}

// asked lists the requests of a path.
func (b *fixture) asked(method, path string) (list []lyticstest.Request) {
	for _, r := range b.server.Requests() {
		if (method == "" || r.Method == method) && strings.HasPrefix(r.Path, path) {
			list = append(list, r)
		}
	}
	return list
}

// transport is a client's other end.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// through makes a platform whose requests go to f, all but the one for the
// account.
func through(f func(*http.Request) (*http.Response, error)) func(*lytics.Config) {
	return func(c *lytics.Config) {
		c.HTTP = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/v2/account" {
				body := readCloser(`{"status":200,"data":[{"id":"4f7b525bdba058fc096757a64f7b525b","aid":1,"parentaid":1}]}`)
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, Request: r}, nil
			}
			return f(r)
		})}
	}
}
