package front

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
)

// linkPath is the path under which CloudFetch files are served.
const linkPath = "/cloudfetch/"

// spoolFile is a CloudFetch file on disk.
type spoolFile struct {
	path        string
	start, rows int64
	size        int64
	// linksExpired makes every link to this file an expired one.
	linksExpired bool

	mu sync.Mutex
	// lastExpiry is the latest expiry of the links to the file. closed is set when
	// the operation makes no more links.
	lastExpiry time.Time
	closed     bool
}

type link struct {
	file    *spoolFile
	expires time.Time
	// text is the statement whose rows the file holds.
	text string
}

// linkStore holds the files of CloudFetch and the links to them. Links outlive
// the operation: clients close the operation once they have the last link, and
// download the files later.
type linkStore struct {
	dir string
	ttl time.Duration

	mu    sync.Mutex
	links map[string]link
	stop  chan struct{}
	done  chan struct{}
}

func newLinkStore(dir string, ttl time.Duration) *linkStore {
	s := &linkStore{dir: dir, ttl: ttl, links: map[string]link{}, stop: make(chan struct{}), done: make(chan struct{})}
	go s.sweep()
	return s
}

func (s *linkStore) create() (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(s.dir, rand.Text()+".arrow"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create a result file: %w", err)
	}
	return f, nil
}

// link makes a link to f at the server's address base, and returns it with its expiry.
func (s *linkStore) link(f *spoolFile, base, text string) (string, time.Time) {
	expires := time.Now().Add(s.ttl)
	if f.linksExpired {
		expires = time.Now().Add(-time.Minute)
	}
	token := rand.Text() + rand.Text()
	s.mu.Lock()
	s.links[token] = link{file: f, expires: expires, text: text}
	s.mu.Unlock()
	f.mu.Lock()
	f.lastExpiry = expires
	f.mu.Unlock()
	return base + linkPath + token, expires
}

// markClosed records that no more links to f will be made.
func (s *linkStore) markClosed(f *spoolFile) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
}

// sweep removes files whose links have all expired. It keeps the links an hour
// longer, so that they are refused as expired and not as unknown.
func (s *linkStore) sweep() {
	defer close(s.done)
	ticker := time.NewTicker(min(s.ttl, 30*time.Second))
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-ticker.C:
			s.mu.Lock()
			for token, l := range s.links {
				l.file.mu.Lock()
				gone := l.file.closed && now.After(l.file.lastExpiry.Add(time.Minute))
				l.file.mu.Unlock()
				if gone {
					_ = os.Remove(l.file.path)
				}
				if now.After(l.expires.Add(time.Hour)) {
					delete(s.links, token)
				}
			}
			s.mu.Unlock()
		}
	}
}

func (s *linkStore) close() error {
	close(s.stop)
	<-s.done
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("remove the result files: %w", err)
	}
	return nil
}

// serveLink answers a download as S3 answers a request with a presigned URL.
func (s *Server) serveLink(w http.ResponseWriter, r *http.Request) {
	s.links.mu.Lock()
	l, ok := s.links.links[r.PathValue("token")]
	s.links.mu.Unlock()
	switch {
	case !ok:
		storageError(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	case r.Header.Get("Authorization") != "":
		// A client that sends its token to the storage service leaks the token.
		storageError(
			w,
			http.StatusBadRequest,
			"InvalidArgument",
			"Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the "+
				"Authorization header should be specified",
		)
		return
	case time.Now().After(l.expires):
		storageError(w, http.StatusForbidden, "AccessDenied", "Request has expired")
		return
	}
	at, faults := fault.Call{Name: fault.CloudFetch, Text: l.text}, s.options.Faults
	if hit, ok := faults.Trigger(at, fault.Slow); ok {
		if hit.Wait(r.Context()) != nil {
			return
		}
	}
	if hit, ok := faults.Trigger(at, fault.TooManyRequests, fault.Unavailable, fault.Cut); ok {
		if hit.Kind == fault.Cut {
			s.cutDownload(w, l.file)
			return
		}
		status := http.StatusServiceUnavailable
		if hit.Kind == fault.TooManyRequests {
			status = http.StatusTooManyRequests
		}
		if hit.RetryAfter > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(hit.RetryAfter))
		}
		storageError(w, status, "SlowDown", "Please reduce your request rate.")
		return
	}
	if hit, ok := faults.Trigger(at, fault.Mutate); ok {
		body, err := os.ReadFile(l.file.path)
		if err != nil {
			storageError(w, http.StatusInternalServerError, "InternalError", err.Error())
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(hit.Mutate(body))
		return
	}
	f, err := os.Open(l.file.path)
	if err != nil {
		storageError(w, http.StatusInternalServerError, "InternalError", err.Error())
		return
	}
	defer func() { _ = f.Close() }()
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, f)
}

// cutDownload sends half of a file and closes the connection.
func (s *Server) cutDownload(w http.ResponseWriter, f *spoolFile) {
	body, err := os.ReadFile(f.path)
	if err != nil {
		storageError(w, http.StatusInternalServerError, "InternalError", err.Error())
		return
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func storageError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace
	_, _ = fmt.Fprintf(
		w,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>",
		code,
		escape(message),
	)
}

// writeFile creates one CloudFetch file, whose content write writes.
func (s *linkStore) writeFile(write func(*os.File) error) (path string, size int64, err error) {
	f, err := s.create()
	if err != nil {
		return "", 0, err
	}
	if err = write(f); err == nil {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil {
			size = info.Size()
		}
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", 0, errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), size, nil
}
