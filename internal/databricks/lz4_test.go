package databricks_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/pierrec/lz4/v4"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// openBehind opens a session through a proxy that counts the bytes of the answers. Links to
// files lead through it too.
func openBehind(t *testing.T, s *sandboxtest.Sandbox) (w *databricks.Warehouse, received *atomic.Int64) {
	t.Helper()
	received = new(atomic.Int64)
	proxy := httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", s.Port)})
		r.Out.Host = r.In.Host
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxy.ServeHTTP(counted{w, received}, r)
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	config := configOf(s)
	config.CloudFetch = true
	if config.Port, err = strconv.Atoi(address.Port()); err != nil {
		t.Fatal(err)
	}
	if w, err = databricks.Open(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w, received
}

type counted struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// The rows of an import come compressed: in pages and in files.
func TestBatchesComeCompressed(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"arrow", "cloudfetch"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			w, received := openBehind(t, sandboxtest.Start(t, sandboxtest.WithArgs("-results", form)))
			const rows = 50_000
			if n, err := readBatches(t.Context(), w, events(rows)); n != rows || err != nil {
				t.Fatalf("read %d rows of %d: %v", n, rows, err)
			}
			if got, plain := received.Load(), int64(rows*350); got > plain/4 {
				t.Errorf("got %d bytes over the wire for rows of %d, want at most a quarter", got, plain)
			}
		})
	}
}

// A warehouse may count the size of a page after compression. The rows of a page that
// inflates beyond the limit are read by the next statement, without compression.
func TestAPageThatInflatesTooMuchIsAskedForUncompressed(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"arrow", "cloudfetch"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			w, _ := openBehind(t, sandboxtest.Start(t, sandboxtest.WithArgs("-results", form)))
			w.LimitInflated(100_000)
			const rows = 20_000
			if _, err := readBatches(t.Context(), w, events(rows)); !jobs.IsCode(err, jobs.CodeUnreachable) {
				t.Errorf("got %v, want the error with which an import goes on in a new session", err)
			}
			if n, err := readBatches(t.Context(), w, events(rows)); n != rows || err != nil {
				t.Errorf("after it, read %d rows of %d: %v", n, rows, err)
			}
		})
	}
}

// The limit is that of a page, whatever number of batches it has.
func TestTheBatchesOfAPageInflateWithinOneLimit(t *testing.T) {
	t.Parallel()
	frame := compressed(t, make([]byte, 1000))
	if err := databricks.InflatePage(3000, frame, frame, frame); err != nil {
		t.Errorf("three batches of 1,000 bytes within 3,000: got %v", err)
	}
	if err := databricks.InflatePage(2999, frame, frame, frame); err == nil {
		t.Error("three batches of 1,000 bytes beyond 2,999: got no error")
	}
}

func compressed(t *testing.T, content []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := lz4.NewWriter(&packed)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// A frame that was cut or changed is an error, or what it was.
func TestWrongFramesAreRefused(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("a row of some length "), 400)
	frame, limit := compressed(t, content), int64(len(content))
	if got, err := databricks.Inflate(frame, limit); err != nil || !bytes.Equal(got, content) {
		t.Fatalf("got %d bytes and %v, want the content", len(got), err)
	}
	if _, err := databricks.Inflate(frame, limit-1); err == nil {
		t.Error("got no error beyond the limit")
	}
	for cut := 1; cut < len(frame); cut++ { // nothing at all has no rows, which are counted
		if got, err := databricks.Inflate(frame[:cut], limit); err == nil {
			t.Errorf("cut after %d bytes of %d: got %d bytes and no error", cut, len(frame), len(got))
		}
	}
	for at := range frame {
		changed := bytes.Clone(frame)
		for bit := range 8 {
			changed[at] = frame[at] ^ 1<<bit
			if got, err := databricks.Inflate(changed, limit); err == nil && !bytes.Equal(got, content) {
				t.Errorf("bit %d of byte %d changed: got other content and no error", bit, at)
			}
		}
	}
}
