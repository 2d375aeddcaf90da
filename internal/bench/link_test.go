package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Two connections share the rate of the link, and a request waits for its round trip. Only
// lower bounds are checked: a busy machine makes everything slower.
func TestConnectionsShareTheLink(t *testing.T) {
	t.Parallel()
	const size = 2_000_000
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/large" {
			_, _ = io.Copy(w, io.LimitReader(zeros{}, size))
		}
	}))
	defer server.Close()
	l := newLink()
	defer l.close()
	e, err := l.before("server", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) (n int64, err error) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+e.Address+path, nil)
		if err != nil {
			return 0, err
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Do(request)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, response.Body.Close()) }()
		return io.Copy(io.Discard, response.Body)
	}

	begun := time.Now()
	if _, err := get("/"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < linkRoundTrip {
		t.Errorf("got an answer after %s, want at least the round trip of %s", took, linkRoundTrip)
	}
	e.down.take()
	begun = time.Now()
	done := make(chan error, 2)
	for range cap(done) {
		go func() { _, err := get("/large"); done <- err }()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if took, least := time.Since(begun), 2*size*time.Second/linkRate+linkRoundTrip; took < least {
		t.Errorf("got two answers of %d bytes in %s, want at least the %s that the link needs", size, took, least)
	}
	if n, _ := e.down.take(); n < 2*size {
		t.Errorf("got %d bytes on the link, want at least %d", n, 2*size)
	}
}
