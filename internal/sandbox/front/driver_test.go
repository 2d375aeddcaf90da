package front_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/logger"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/front"
)

func TestMain(m *testing.M) {
	// The driver would log every error that the tests provoke.
	if err := logger.SetLogLevel("disabled"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

const token = "dapi-test-token"

type sandbox struct {
	t         *testing.T
	engine    *fakeEngine
	faults    *fault.Set
	http      *httptest.Server
	transport *flagsTransport
}

func start(t *testing.T, change func(*front.Options)) *sandbox {
	t.Helper()
	s := &sandbox{t: t, engine: &fakeEngine{}, faults: &fault.Set{}, transport: &flagsTransport{}}
	o := front.Options{
		Engine: s.engine, Warehouse: "w", Token: token, ForbiddenToken: "dapi-forbidden",
		Faults: s.faults, Spool: t.TempDir() + "/spool", Admin: true,
	}
	if change != nil {
		change(&o)
	}
	server, err := front.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.http = httptest.NewServer(server)
	t.Cleanup(func() {
		s.http.Close()
		if err := server.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
		if n := s.engine.open.Load(); n != 0 {
			t.Errorf("%d results were not closed", n)
		}
	})
	return s
}

// flagsTransport answers the driver's request for feature flags: the driver
// ignores the port it was given and asks port 443.
type flagsTransport struct{ http.Transport }

func (c *flagsTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "/feature-flags/") {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(`{"flags":[]}`)), Header: http.Header{}, Request: r}, nil
	}
	return c.Transport.RoundTrip(r)
}

func (s *sandbox) open(options ...dbsql.ConnOption) *sql.DB {
	s.t.Helper()
	u, err := url.Parse(s.http.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		s.t.Fatal(err)
	}
	connector, err := dbsql.NewConnector(append([]dbsql.ConnOption{
		dbsql.WithServerHostname("http://127.0.0.1"), dbsql.WithPort(port), dbsql.WithHTTPPath("/sql/1.0/warehouses/w"),
		dbsql.WithAccessToken(token), dbsql.WithTransport(s.transport), dbsql.WithRetries(2, 10*time.Millisecond, 50*time.Millisecond),
	}, options...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	s.t.Cleanup(func() {
		if err := db.Close(); err != nil {
			s.t.Logf("close the pool: %v", err)
		}
	})
	return db
}

func (s *sandbox) fault(f fault.Fault) {
	s.t.Helper()
	if _, err := s.faults.Add(f); err != nil {
		s.t.Fatal(err)
	}
}

// admin calls an admin endpoint and returns its JSON.
func (s *sandbox) admin(method, path string, body, into any) {
	s.t.Helper()
	in, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.http.URL+path, bytes.NewReader(in))
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s: %s: %s", method, path, resp.Status, out)
	}
	if into != nil {
		if err := json.Unmarshal(out, into); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, out)
		}
	}
}

func (s *sandbox) statements() []front.Statement {
	s.t.Helper()
	var out struct{ Statements []front.Statement }
	s.admin("GET", "/sandbox/statements", nil, &out)
	return out.Statements
}

// readRange reads RANGE n and checks that each row is there once and in order.
func readRange(ctx context.Context, db interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, n int) (int, error) {
	rows, err := db.QueryContext(ctx, fmt.Sprintf("RANGE %d", n))
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	count := 0
	for rows.Next() {
		var id int
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return count, err
		}
		if id != count || name != fmt.Sprintf("name %d äöü 🙂", count) {
			return count, fmt.Errorf("row %d is (%d, %q)", count, id, name)
		}
		count++
	}
	return count, rows.Err()
}

var forms = []front.Results{front.ResultsArrow, front.ResultsCloudFetch, front.ResultsColumn, front.ResultsAuto}

func TestEveryFormOfResultsDeliversAllRowsOnce(t *testing.T) {
	t.Parallel()
	for _, form := range forms {
		for _, n := range []int{0, 1, 2048, 150_001} {
			t.Run(fmt.Sprintf("%s/%d", form, n), func(t *testing.T) {
				t.Parallel()
				s := start(t, func(o *front.Options) { o.Results = form })
				db := s.open(dbsql.WithMaxRows(20_000))
				got, err := readRange(t.Context(), db, n)
				if err != nil || got != n {
					t.Fatalf("read %d of %d rows: %v", got, n, err)
				}
			})
		}
	}
}

func TestArrowBatchesOfTheDriver(t *testing.T) {
	t.Parallel()
	for _, form := range []front.Results{front.ResultsArrow, front.ResultsCloudFetch} {
		t.Run(string(form), func(t *testing.T) {
			t.Parallel()
			s := start(t, func(o *front.Options) { o.Results = form })
			s.fault(fault.Fault{Kind: fault.LinkPadding, Times: -1})
			if got := countArrow(t, s.open(dbsql.WithMaxRows(20_000)), "RANGE 250000"); got != 250_000 {
				t.Fatalf("read %d of 250000 rows", got)
			}
		})
	}
}
