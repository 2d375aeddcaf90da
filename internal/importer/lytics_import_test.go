package importer

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// ownBatch is how many rows a batch of a lyticsImport has; it has three batches.
const ownBatch = 4

// lyticsImport is an import of twelve rows into a stand-in for Lytics.
type lyticsImport struct {
	*Import
	t        *testing.T
	db       *store.DB
	server   *lyticstest.Server
	progress *countedProgress
	rows     []fakeRow
	// upload, if set, answers the upload of a batch, counted from 0; send passes it on to
	// the stand-in.
	upload func(batch int, r *http.Request, send sendUpload) (*http.Response, error)
}

type sendUpload func() (*http.Response, error)

func newLyticsImport(t *testing.T) *lyticsImport {
	t.Helper()
	server, err := lyticstest.New(lyticstest.Options{Token: "token"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	db, err := storetest.Open(t.Context(), store.Location{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	l := &lyticsImport{t: t, db: db, server: server}
	for n := range 3 * ownBatch {
		l.rows = append(l.rows, fakeRow{int64(n), n, "a"})
	}
	table := newFakeTable()
	table.now = 1000
	table.commit(func([]fakeRow) []fakeRow { return l.rows })
	platform, err := lytics.Open(lytics.Config{
		Token:  func(context.Context) (jobs.Secret, error) { return jobs.NewSecret("token"), nil },
		APIURL: server.APIURL, BulkURL: server.BulkURL, DB: db, UserAgent: "test",
		HTTP: &http.Client{Transport: roundTripper(l.roundTrip)},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = platform.Close() })
	l.Import = &Import{Key: "k", Sink: platform, Cursors: db, Quarantine: quarantineOf("k"), retryPause: time.Nanosecond,
		Fence: func(*store.Tx) error { return nil }, CommitEvery: time.Hour, // batches end when they are full
		Spec: jobs.TableImport{Catalog: "c", Database: "d", Table: "t", TimestampColumn: "ts", Stream: "s", BatchSize: ownBatch}}
	l.open = func(context.Context) (source, func() error, error) { return table, func() error { return nil }, nil }
	return l
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

var keyOfRow = regexp.MustCompile(`"key":(\d+)`)

// roundTrip sends a request; the answer of an upload is that of the test.
func (l *lyticsImport) roundTrip(r *http.Request) (*http.Response, error) {
	send := func() (*http.Response, error) { return http.DefaultTransport.RoundTrip(r) }
	if l.upload == nil || !strings.HasPrefix(r.URL.Path, "/collect/") {
		return send()
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	key, err := strconv.Atoi(string(keyOfRow.FindSubmatch(text)[1]))
	if err != nil {
		return nil, err
	}
	return l.upload(key/ownBatch, r, send)
}

// forbidden is the answer of Lytics to a token without the right.
func forbidden(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader(`{"status":403,"message":"no","errors":[{"code":"AUTH-003","message":"no"}]}`))}, nil
}

// run runs the import once and keeps its counts.
func (l *lyticsImport) run(ctx context.Context) error {
	l.progress = &countedProgress{}
	l.Progress = l.progress
	return l.Run(ctx)
}

// wantSent checks how many events the cursor is after.
func (l *lyticsImport) wantSent(want int64) {
	l.t.Helper()
	if c, err := ReadCursor(l.t.Context(), l.db, "k"); err != nil || c == nil || c.Sent != want {
		l.t.Errorf("got the cursor %+v, %v, want one after %d events", c, err, want)
	}
}

// wantArrived checks how often the rows of each batch arrived.
func (l *lyticsImport) wantArrived(want ...int) {
	l.t.Helper()
	list, err := l.server.Events(l.t.Context(), "s")
	if err != nil {
		l.t.Fatal(err)
	}
	rows, ids := map[int64]int{}, map[string]bool{}
	for _, e := range list {
		rows[gjson.Get(e, "key").Int()]++
		ids[gjson.Get(e, "_event_id").String()] = true
	}
	for n := range l.rows {
		if times := want[n/ownBatch]; rows[int64(n)] != times {
			l.t.Errorf("row %d arrived %d times, want %d", n, rows[int64(n)], times)
		}
	}
	if len(ids) != len(rows) {
		l.t.Errorf("got %d ids of events of %d rows, want one for each", len(ids), len(rows))
	}
}

// wantNext runs the import again, without faults: it sends all that is missing, and counts
// the events that may be there already.
func (l *lyticsImport) wantNext(again int64, arrived ...int) {
	l.t.Helper()
	l.upload = nil
	if err := l.run(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	if n := l.progress.PossiblyDuplicated; n != again {
		l.t.Errorf("got %d possibly duplicated events, want %d", n, again)
	}
	l.wantSent(3 * ownBatch)
	l.wantArrived(arrived...)
}
