package spark_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/logger"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/front"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/objectstore"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/process"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/sparkdist"
)

// shared is one Spark for all tests. Each test opens its own engine on it.
var shared struct {
	once   sync.Once
	server *process.Server
	dir    string
	err    error
}

func TestMain(m *testing.M) {
	if err := logger.SetLogLevel("disabled"); err != nil {
		panic(err)
	}
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "ending Spark:", err)
			code = 1
		}
	}
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// sparkHome is where `make spark` installed Spark. Only make test-spark and make
// spark-shell set the variable: make test needs no Java.
func sparkHome() string { return os.Getenv("LYTICS_SPARK_HOME") }

// installed skips the test if Spark is not installed. With
// LYTICS_TEST_REQUIRE_SPARK the test fails instead.
func installed(t *testing.T) {
	t.Helper()
	if os.Getenv("LYTICS_SPARK_URL") != "" {
		return
	}
	err := sparkdist.Installation{Dir: sparkHome()}.Check()
	if err == nil {
		_, err = sparkdist.JavaPath(t.Context())
	}
	switch {
	case err == nil:
	case os.Getenv("LYTICS_TEST_REQUIRE_SPARK") != "":
		t.Fatal(err)
	default:
		t.Skipf("LEFT OUT: %v", err)
	}
}

func serverURL(t *testing.T) string {
	t.Helper()
	installed(t)
	if url := os.Getenv("LYTICS_SPARK_URL"); url != "" {
		return url
	}
	shared.once.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "sandbox-spark-test"); shared.err != nil {
			return
		}
		dirHome, err := filepath.Abs(sparkHome())
		if err != nil {
			shared.err = err
			return
		}
		shared.server, shared.err = process.Serve(context.Background(), process.Options{Home: sparkdist.Installation{Dir: dirHome}, DataDir: shared.dir}, spark.StartTimeout)
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server.URL
}

// objects is an object store in memory.
type objects map[string]string

func (o objects) List(_ context.Context, bucket, prefix string, c objectstore.Credential) ([]objectstore.Object, error) {
	if bucket != "b" || c.SecretKey == "wrong" {
		return nil, errors.New("AccessDenied")
	}
	var out []objectstore.Object
	for key, text := range o {
		if strings.HasPrefix(key, prefix) {
			out = append(out, objectstore.Object{Key: key, Size: int64(len(text))})
		}
	}
	return out, nil
}

func (o objects) Open(_ context.Context, _, key string, _ objectstore.Credential) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader([]byte(o[key]))), nil
}

// fixture is an engine behind the front, with a driver connected to it.
type fixture struct {
	t       *testing.T
	engine  *spark.Engine
	objects objects
	http    *httptest.Server
}

func open(t *testing.T) *fixture {
	t.Helper()
	b := &fixture{t: t, objects: objects{}}
	engine, err := spark.Open(t.Context(), spark.Options{URL: serverURL(t), DataDir: t.TempDir(), Discard: true, Objects: b.objects})
	if err != nil {
		t.Fatal(err)
	}
	b.serve(engine)
	return b
}

func (b *fixture) serve(engine *spark.Engine) {
	b.t.Helper()
	b.engine = engine
	server, err := front.New(front.Options{Engine: engine, Warehouse: "w", Token: "t", Faults: &fault.Set{}, Spool: b.t.TempDir() + "/spool", DirectWait: 5 * time.Second})
	if err != nil {
		b.t.Fatal(err)
	}
	b.http = httptest.NewServer(server)
	b.t.Cleanup(func() {
		b.http.Close()
		if err := errors.Join(server.Close(), engine.Close()); err != nil {
			b.t.Errorf("close: %v", err)
		}
	})
}

type flagsTransport struct{ http.Transport }

func (c *flagsTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "/feature-flags/") {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(`{"flags":[]}`)), Header: http.Header{}, Request: r}, nil
	}
	return c.Transport.RoundTrip(r)
}

// connect opens one connection of the driver.
func (b *fixture) connect(options ...dbsql.ConnOption) *sql.Conn {
	b.t.Helper()
	u, err := url.Parse(b.http.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		b.t.Fatal(err)
	}
	connector, err := dbsql.NewConnector(append([]dbsql.ConnOption{
		dbsql.WithServerHostname("http://127.0.0.1"), dbsql.WithPort(port), dbsql.WithHTTPPath("/sql/1.0/warehouses/w"),
		dbsql.WithAccessToken("t"), dbsql.WithTransport(&flagsTransport{}),
	}, options...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	conn, err := db.Conn(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = errors.Join(conn.Close(), db.Close()) })
	return conn
}

// rowsOf returns the columns' names and types, and all rows as text.
func rowsOf(ctx context.Context, conn *sql.Conn, statement string, args ...any) (header string, out []string, err error) {
	rows, err := conn.QueryContext(ctx, statement, args...)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.ColumnTypes()
	if err != nil {
		return "", nil, err
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name() + " " + c.DatabaseTypeName()
	}
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			return "", nil, err
		}
		texts := make([]string, len(values))
		for i, v := range values {
			switch v := (*v.(*any)).(type) {
			case nil:
				texts[i] = "NULL"
			case time.Time:
				texts[i] = v.UTC().Format("2006-01-02 15:04:05.999999")
			default:
				texts[i] = fmt.Sprint(v)
			}
		}
		out = append(out, strings.Join(texts, "|"))
	}
	return strings.Join(names, ", "), out, rows.Err()
}

func want(t *testing.T, conn *sql.Conn, statement string, rows ...string) {
	t.Helper()
	_, got, err := rowsOf(t.Context(), conn, statement)
	if err != nil {
		t.Errorf("%s: %v", statement, err)
		return
	}
	if strings.Join(got, "\n") != strings.Join(rows, "\n") {
		t.Errorf("%s\n got %q\nwant %q", statement, got, rows)
	}
}

func wantError(t *testing.T, conn *sql.Conn, statement string, parts ...string) {
	t.Helper()
	_, got, err := rowsOf(t.Context(), conn, statement)
	if err == nil {
		t.Errorf("%s: no error, but %q", statement, got)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%s: %v\nhas no %q", statement, err, p)
		}
	}
}

func exec(t *testing.T, conn *sql.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}
