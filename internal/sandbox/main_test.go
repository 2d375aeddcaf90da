package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/logger"
)

func TestMain(m *testing.M) {
	// The driver would log every error that the tests provoke.
	if err := logger.SetLogLevel("disabled"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// serve runs the sandbox with these arguments until the test ends.
func serve(t *testing.T, args ...string) connection {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready.json")
	ctx, cancel := context.WithCancel(context.Background())
	var output bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, append([]string{"-ready-file", ready}, args...), os.Stdin, &output, io.Discard)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the sandbox ended with %v", err)
		}
		if _, err := os.Stat(ready); !os.IsNotExist(err) {
			t.Errorf("the ready file is still there: %v", err)
		}
	})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the sandbox ended before it was ready: %v", err)
		case <-tick.C:
		}
		text, err := os.ReadFile(ready)
		if err != nil {
			continue
		}
		var c connection
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
}

// flags answers the driver's request for feature flags: the driver ignores the
// port it was given and asks port 443.
type flags struct{ http.RoundTripper }

func (f flags) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "/feature-flags/") {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(`{"flags":[]}`)), Header: http.Header{}, Request: r}, nil
	}
	return f.RoundTripper.RoundTrip(r)
}

func open(t *testing.T, c connection) *sql.DB {
	t.Helper()
	transport := &http.Transport{}
	if c.CAFile != "" {
		authority, err := os.ReadFile(c.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(authority)
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	connector, err := dbsql.NewConnector(
		dbsql.WithServerHostname(c.Host), dbsql.WithPort(c.Port), dbsql.WithHTTPPath(c.HTTPPath),
		dbsql.WithAccessToken(c.Token), dbsql.WithTransport(flags{transport}),
	)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestSeededTablesOverTheDriver(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"http": nil, "https": {"-tls"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, append(args, "-seed", "-seed-rows", "1000")...)
			if want := name + "://127.0.0.1"; c.Host != want || c.Port == 0 {
				t.Errorf("host %s, port %d", c.Host, c.Port)
			}
			var n int
			if err := open(t, c).QueryRowContext(t.Context(), "SELECT count(*) FROM main.sales.customers").Scan(&n); err != nil || n != 1000 {
				t.Fatalf("%d rows, %v", n, err)
			}
		})
	}
}

func TestLoadedFiles(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(file, []byte("id,name\n1,Ada\n2,\"Bo, b\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := serve(t, "-load", "main.own.people="+file)
	var name string
	if err := open(t, c).QueryRowContext(t.Context(), "SELECT name FROM main.own.people WHERE id = 2").Scan(&name); err != nil || name != "Bo, b" {
		t.Fatalf("%q, %v", name, err)
	}
}

func TestDataIsKeptInTheDataDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	t.Run("first", func(t *testing.T) { //nolint:paralleltest // the second one comes after it
		db := open(t, serve(t, "-data", dir))
		for _, statement := range []string{"CREATE TABLE main.default.kept (id BIGINT)", "INSERT INTO main.default.kept VALUES (7)"} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	})
	t.Run("second", func(t *testing.T) { //nolint:paralleltest // it comes after the first one
		var id int
		if err := open(t, serve(t, "-data", dir)).QueryRowContext(t.Context(), "SELECT id FROM main.default.kept").Scan(&id); err != nil || id != 7 {
			t.Fatalf("%d, %v", id, err)
		}
	})
}

func TestWrongFlagsAreRefused(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-listen 0.0.0.0:80":              "not a loopback address",
		"-s3-listen [::]:80":              "not a loopback address",
		"-listen example.com:1":           "not a loopback address",
		"-listen nonsense":                "not an address",
		"-listen 127.0.0.1:0 -port 0":     "the same address",
		"-engine sqlite":                  "choose duckdb or spark",
		"-spark-url http://x":             "need -engine spark",
		"-seed-rows 5":                    "-seed",
		"-seed -seed-rows 0":              "at least 1",
		"-ca-file x":                      "-tls",
		"-results csv":                    "choose auto",
		"-load a.b=c":                     "catalog.schema.table=FILE",
		"-fault kind=nonsense":            "does not exist",
		"-link-ttl 0s":                    "must be positive",
		"serve":                           "unexpected argument",
		"-load main.a.b=/does/not/exist":  "/does/not/exist",
		"-ready-file /does/not/exist/x":   "ready file",
		"-ca-file /does/not/exist/x -tls": "certificate authority",
	} {
		err := run(t.Context(), strings.Fields(args), os.Stdin, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}

func TestSandboxEndsWithItsParent(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close() }()
	ready := filepath.Join(t.TempDir(), "ready.json")
	ended := make(chan error, 1)
	go func() {
		ended <- run(context.Background(), []string{"-exit-with-parent", "-ready-file", ready}, read, io.Discard, io.Discard)
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for up := false; !up; {
		select {
		case err := <-ended:
			t.Fatalf("it ended while its parent was there: %v", err)
		case <-tick.C:
		}
		_, err := os.Stat(ready)
		up = err == nil
	}
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestDirectoryOfAKilledSandboxIsRemoved(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	killed := exec.Command(os.Args[0], "-test.run=^$")
	if err := killed.Run(); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(tmp, fmt.Sprintf("lytics-sandbox-%d-1", killed.Process.Pid))
	alive := filepath.Join(tmp, fmt.Sprintf("lytics-sandbox-%d-1", os.Getppid()))
	for _, dir := range []string{stale, alive} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("run", func(t *testing.T) {
		if c := serve(t); !strings.HasPrefix(c.Data, tmp) {
			t.Errorf("data in %s", c.Data)
		}
	})
	left, err := os.ReadDir(tmp)
	if err != nil || len(left) != 1 || left[0].Name() != filepath.Base(alive) {
		t.Errorf("left: %v, %v", left, err)
	}
}

// The volumes of the sandbox are listed by Unity Catalog's REST API.
func TestVolumesInTheRESTCatalog(t *testing.T) {
	t.Parallel()
	c := serve(t, "-volume", "main.default.staging", "-volume", "main.default.Other")
	get := func(path string) (int, map[string]any) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.URL+"/api/2.1/unity-catalog/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+c.Token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		var body map[string]any
		if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, body
	}
	status, body := get("volumes?catalog_name=main&schema_name=default")
	if found, _ := body["volumes"].([]any); status != http.StatusOK || len(found) != 2 {
		t.Errorf("%d, %v", status, body)
	}
	if status, body = get("volumes/main.default.other"); status != http.StatusOK || body["volume_type"] != "MANAGED" || body["name"] != "other" {
		t.Errorf("%d, %v", status, body)
	}
	if status, body = get("volumes?catalog_name=hive_metastore&schema_name=default"); status != http.StatusNotFound {
		t.Errorf("%d, %v", status, body)
	}
	for path, code := range map[string]string{
		"volumes/main.default.nope":                  "VOLUME_DOES_NOT_EXIST",
		"volumes?catalog_name=main&schema_name=nope": "SCHEMA_DOES_NOT_EXIST",
		"volumes?catalog_name=nope&schema_name=nope": "CATALOG_DOES_NOT_EXIST",
		"volumes?catalog_name=main":                  "INVALID_PARAMETER_VALUE",
	} {
		if _, body := get(path); body["error_code"] != code {
			t.Errorf("%s: %v, want %s", path, body, code)
		}
	}
}
