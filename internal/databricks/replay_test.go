package databricks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// conversation is a session that was recorded with the sandbox: what it reads, and how.
type conversation struct {
	// results and wait are options of the sandbox.
	results, wait string
	statement     string
	read          func(ctx context.Context, w *Warehouse, statement string) (int64, error)
	// lz4 says that the batches were recorded compressed, as they are asked for.
	lz4 bool
}

const (
	// manyTypes has a column of each type, and NULL.
	manyTypes = "SELECT id AS n, CAST(id AS STRING) AS s, id > 5 AS b, CAST(id AS INT) AS i, CAST(id AS DOUBLE) AS d, " +
		"CAST(id AS DECIMAL(10,2)) AS m, DATE'2026-01-01' AS day, TIMESTAMP'2026-01-01 00:00:00' AS at, " +
		"CASE WHEN id % 3 = 0 THEN NULL ELSE 'x' END AS maybe, array(id, id + 1) AS list, map('k', id) AS pairs, " +
		"named_struct('a', id, 'b', 'x') AS pair FROM range(40) ORDER BY id"
	// importRows are like those of an import.
	importRows = "SELECT id AS ts, CAST(id AS STRING) AS digest, concat('{\"id\":', CAST(id AS STRING), '}') AS json FROM range(60) ORDER BY id"
)

// A committed input of the fuzz target names a conversation by its place in the order of the
// names: a new name comes last.
var conversations = map[string]conversation{
	"arrow":               {results: "arrow", wait: "5s", statement: manyTypes, read: countRows},
	"arrow-batches":       {results: "arrow", wait: "5s", statement: importRows, read: countBatches},
	"column":              {results: "column", wait: "5s", statement: manyTypes, read: countRows},
	"column-batches":      {results: "column", wait: "5s", statement: importRows, read: countBatches},
	"cloudfetch":          {results: "cloudfetch", wait: "5s", statement: manyTypes, read: countRows},
	"cloudfetch-batches":  {results: "cloudfetch", wait: "5s", statement: importRows, read: countBatches},
	"polled":              {results: "arrow", wait: "1ns", statement: manyTypes, read: countRows},
	"with-lz4":            {results: "arrow", wait: "5s", statement: importRows, read: countBatches, lz4: true},
	"with-lz4-cloudfetch": {results: "cloudfetch", wait: "5s", statement: importRows, read: countBatches, lz4: true},
}

func countRows(ctx context.Context, w *Warehouse, statement string) (n int64, err error) {
	rows, err := w.Query(ctx, statement)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

func countBatches(ctx context.Context, w *Warehouse, statement string) (n int64, err error) {
	for b, err := range w.Batches(ctx, statement) {
		if err != nil {
			return n, err
		}
		for i := range b.Columns() {
			if texts, err := b.Texts(i); err == nil {
				for j := range texts.Len() {
					_ = texts.At(j)
				}
			}
		}
		n += int64(b.Len())
	}
	return n, nil
}

// recordedPage is the size of the pages of the recorded conversations.
const recordedPage = 1500

// answer is a recorded answer to a method, or a file, whose method ends with its name.
type answer struct {
	method string
	body   []byte
}

// recorder records the answers of a warehouse.
type recorder struct {
	httpTransport
	mu      sync.Mutex
	answers []answer
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	method, request, err := methodOf(request)
	if err != nil {
		return nil, err
	}
	response, err := r.httpTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, errors.Join(err, response.Body.Close())
	}
	r.mu.Lock()
	r.answers = append(r.answers, answer{method, body})
	r.mu.Unlock()
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// methodOf returns the method of a request, or the name of the file that it fetches, and the
// request to be sent.
func methodOf(request *http.Request) (method string, again *http.Request, err error) {
	if request.Method != http.MethodPost {
		return downloading + "-" + path.Base(request.URL.Path), request, nil
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return "", nil, err
	}
	again = request.Clone(request.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return requestMethod(body), again, nil
}

const recordings = "testdata/answers"

// Set RECORD_ANSWERS to record the conversations again.
func TestRecordAnswers(t *testing.T) {
	t.Parallel()
	if os.Getenv("RECORD_ANSWERS") == "" {
		t.Skip("LEFT OUT: it records testdata/answers again, if RECORD_ANSWERS is set; TestRecordedAnswersAreRead reads them")
	}
	for name, c := range conversations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t, sandboxtest.WithArgs("-results", c.results, "-direct-wait", c.wait))
			config := Config{LoopbackHosts: true, Host: s.Host, Port: s.Port, HTTPPath: s.HTTPPath, UserAgent: "lytics+test", CloudFetch: true,
				Token: func(context.Context) (jobs.Secret, error) { return jobs.NewSecret(s.Token), nil }}
			w, err := newWarehouse(config)
			if err != nil {
				t.Fatal(err)
			}
			r := &recorder{httpTransport: w.transport.base}
			w.transport.base, w.transport.pageBytes = r, recordedPage
			if !c.lz4 {
				inflatesTooMuch.Store(w.transport.endpoint.Host, true)
			}
			if w, err = w.open(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			if n, err := c.read(t.Context(), w, c.statement); n == 0 || err != nil {
				t.Fatalf("got %d rows and %v", n, err)
			}
			folder := filepath.Join(recordings, name)
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			for i, a := range r.answers {
				if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%02d-%s", i, a.method)), a.body, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			_ = w.Close()
		})
	}
}

// recorded returns the answers of a conversation.
func recorded(tb testing.TB, name string) (answers []answer) {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(recordings, name, "*"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no recorded answers of %s: %v", name, err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		_, method, _ := strings.Cut(filepath.Base(file), "-")
		answers = append(answers, answer{method, body})
	}
	return answers
}

// player is a warehouse that gives recorded answers: to each request the first one to its
// method that it has not given yet.
type player struct {
	mu      sync.Mutex
	answers []answer
	// given are the answers that were given.
	given []answer
}

func (p *player) CloseIdleConnections() {}

func (p *player) RoundTrip(request *http.Request) (*http.Response, error) {
	method, request, err := methodOf(request)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, a := range p.answers {
		if a.method == method {
			p.answers = append(p.answers[:i:i], p.answers[i+1:]...)
			p.given = append(p.given, a)
			return response(request, http.StatusOK, a.body), nil
		}
	}
	if isCleanup(method) {
		return response(request, http.StatusOK, emptyAnswer(method)), nil
	}
	return response(request, http.StatusBadRequest, []byte("there is no answer to "+method)), nil
}

func response(request *http.Request, status int, body []byte) *http.Response {
	return &http.Response{StatusCode: status, Status: http.StatusText(status), ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: request}
}

// told is the number of rows that the pages of the last statement told, with each row once.
func (p *player) told() (n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.given {
		if a.method == "ExecuteStatement" {
			n = 0
		}
		if r, err := parseReply(a.method, a.body); err == nil && r.page != nil {
			n = max(n, r.page.start+r.page.rows)
		}
	}
	return n
}

// replay reads a conversation whose answers come from a player.
func replay(ctx context.Context, c conversation, base httpTransport) (rows int64, err error) {
	return replayWithin(ctx, time.Minute, c, base)
}

// replayWithin is replay with a time to start the warehouse.
func replayWithin(ctx context.Context, start time.Duration, c conversation, base httpTransport) (rows int64, err error) {
	config := Config{LoopbackHosts: true, Host: "http://127.0.0.1", Port: 1, HTTPPath: "/sql/1.0/warehouses/x", UserAgent: "lytics+test", CloudFetch: true,
		Token:        func(context.Context) (jobs.Secret, error) { return jobs.NewSecret("canary"), nil },
		StartTimeout: start, QueryTimeout: time.Minute}
	w, err := newWarehouseVia(config, func(*http.Request) (*url.URL, error) { return nil, nil })
	if err != nil {
		return 0, err
	}
	w.transport.base, w.transport.pageBytes = base, recordedPage
	if w, err = w.open(ctx, config); err != nil {
		return 0, err
	}
	defer func() { _ = w.Close() }()
	return c.read(ctx, w, c.statement)
}
