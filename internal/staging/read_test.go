package staging_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
)

func TestReadAtBehavesLikeReaderAt(t *testing.T) {
	t.Parallel()
	s := newStore(t).open(t)
	content := random(3 << 20)
	write(t, s, "run-1/a.bin", content)
	p := make([]byte, 1<<20)
	n, err := s.ReadAt(t.Context(), "run-1/a.bin", p, 1<<20)
	if n != len(p) || err != nil || !bytes.Equal(p, content[1<<20:2<<20]) {
		t.Errorf("in the middle: %d bytes, %v", n, err)
	}
	n, err = s.ReadAt(t.Context(), "run-1/a.bin", p, 3<<20-10)
	if n != 10 || !errors.Is(err, io.EOF) || !bytes.Equal(p[:n], content[3<<20-10:]) {
		t.Errorf("at the end: %d bytes, %v", n, err)
	}
	if n, err = s.ReadAt(t.Context(), "run-1/a.bin", p, 3<<20); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("beyond the end: %d bytes, %v", n, err)
	}
	if _, err = s.ReadAt(t.Context(), "run-1/b.bin", p, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing object: %v", err)
	}
	for range 2 {
		if err := s.Remove(t.Context(), "run-1/a.bin"); err != nil {
			t.Error(err)
		}
	}
	if left, err := s.List(t.Context(), "run-1"); len(left) != 0 || err != nil {
		t.Errorf("left: %v, %v", left, err)
	}
}

// After the connection breaks, the rest of the body is requested.
func TestBrokenReadIsResumed(t *testing.T) {
	t.Parallel()
	st := newStore(t)
	s := st.open(t)
	content := random(1 << 20)
	write(t, s, "run-1/a.bin", content)
	var broken atomic.Int32
	breaks := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || r.Header.Get("Range") == "" || broken.Add(1) > 1 {
			return false
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(content[:1000])
		// Without the flush no byte would arrive, and the SDK would retry.
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	st.intercept.Store(&breaks)
	p := make([]byte, len(content))
	if n, err := s.ReadAt(t.Context(), "run-1/a.bin", p, 0); n != len(p) || err != nil || !bytes.Equal(p, content) {
		t.Errorf("got %d bytes and %v, want the %d bytes of the object", n, err, len(p))
	}
	if n := broken.Load(); n != 2 {
		t.Errorf("got %d requests, want 2", n)
	}
}

// An answer without a body that names bytes of the object is an error, and not the end of
// the object: a reader would take the object for an empty one.
func TestReadOfAnAnswerWithoutABodyIsAnError(t *testing.T) {
	t.Parallel()
	st := newStore(t)
	s := st.open(t)
	write(t, s, "run-1/a.bin", random(1000))
	empty := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || r.Header.Get("Range") == "" {
			return false
		}
		w.Header().Set("Content-Range", "bytes 0-999/1000")
		w.WriteHeader(http.StatusNoContent)
		return true
	}
	st.intercept.Store(&empty)
	if text, err := s.Read(t.Context(), "run-1/a.bin"); err == nil {
		t.Errorf("got %d bytes and no error, want an error", len(text))
	}
}

// A store that ignores Range sends an object from its beginning: that is an error, and not
// the bytes that were asked for.
func TestReadOfAStoreThatIgnoresRangesIsAnError(t *testing.T) {
	t.Parallel()
	st := newStore(t)
	s := st.open(t)
	content := random(1000)
	write(t, s, "run-1/a.bin", content)
	whole := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || r.Header.Get("Range") == "" {
			return false
		}
		_, _ = w.Write(content)
		return true
	}
	st.intercept.Store(&whole)
	if n, err := s.ReadAt(t.Context(), "run-1/a.bin", make([]byte, 100), 500); err == nil {
		t.Errorf("got %d bytes and no error, want an error", n)
	}
}
