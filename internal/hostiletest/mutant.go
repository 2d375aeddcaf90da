package hostiletest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Recording is a valid answer of a far side. Mutate makes others from it.
type Recording struct {
	Status int
	Header map[string]string
	Body   string
	// Changes says what Mutate did to it.
	Changes []string
	// length is added to the Content-Length.
	length int
}

var repeated = regexp.MustCompile(`(x{9}|\[{9}|(?:\{"data":){3}|(?:<x>){3})[x\[\]<>{}/:"data]{50,}`)

// OK is a valid answer with a body of JSON.
func OK(body string) Recording {
	return Recording{Status: http.StatusOK, Header: map[string]string{"Content-Type": "application/json"}, Body: body}
}

func (a Recording) String() string {
	// A replaced value may be long.
	body := repeated.ReplaceAllString(a.Body, "$1...")
	return fmt.Sprintf("%s: %d %v %+d %.1500q", strings.Join(a.Changes, ", "), a.Status, a.Header, a.length, body)
}

// Text returns the body that a client receives. It is not ok if the answer has no status of
// success, or ends before its Content-Length. A client that does not inflate ignores the
// encoding.
func (a Recording) Text(inflates bool) (text string, ok bool) {
	if a.Status == http.StatusNoContent {
		return "", true
	}
	if a.Status/100 != 2 || a.length > 0 || inflates && strings.EqualFold(a.Header["Content-Encoding"], "gzip") {
		return "", false
	}
	return a.Body[:max(0, len(a.Body)+a.length)], true
}

// Missing reports whether the answer may mean that an object does not exist.
func (a Recording) Missing() bool { return a.Status == http.StatusNotFound }

// Mutate changes an answer: bytes, values, the status, the header or the length of its body.
func Mutate(r *rand.Rand, a Recording) Recording {
	a.Header = maps.Clone(a.Header)
	if a.Header == nil {
		a.Header = map[string]string{}
	}
	a.Changes = nil
	for range 1 + r.IntN(3) {
		switch r.IntN(8) {
		case 0:
			statuses := []int{200, 201, 202, 204, 206, 302, 304, 400, 401, 403, 404, 409, 412, 416, 422, 429, 500, 502, 503}
			a.Status = statuses[r.IntN(len(statuses))]
			a.Changes = append(a.Changes, "another status")
		case 1:
			a.changeHeader(r)
		case 2:
			if a.length == 0 {
				a.length = []int{-1 - r.IntN(len(a.Body)+1), 1, 1 + r.IntN(1000)}[r.IntN(3)]
				a.length = max(a.length, -len(a.Body))
			}
			a.Changes = append(a.Changes, "another Content-Length")
		case 3:
			pages := []string{"", "null", "{}", "[]", `"x"`, "1", "true", " ", "<html><body>Sign " +
				"in</body></html>", "<Error/>", "\xff\xfe", "\x1f\x8b\x08"}
			a.Body = pages[r.IntN(len(pages))]
			a.Changes = append(a.Changes, "another body")
		case 4, 5:
			a.changeBytes(r)
		default:
			a.changeValue(r)
		}
		a.length = max(a.length, -len(a.Body))
	}
	return a
}

func (a *Recording) changeHeader(r *rand.Rand) {
	names := append(slices.Sorted(maps.Keys(a.Header)), "Content-Type", "Content-Encoding", "Retry-After", "Content-Range")
	name := names[r.IntN(len(names))]
	values := []string{"", "text/html", "application/xml", "application/json", "gzip", "-1", "9999999999999999999", "x", "\xc3\x28"}
	if name == "Content-Encoding" {
		values = []string{"gzip", "deflate", "x"}
	}
	if a.Header[name] != "" && r.IntN(2) == 0 {
		delete(a.Header, name)
	} else {
		a.Header[name] = values[r.IntN(len(values))]
	}
	a.Changes = append(a.Changes, "another "+name)
}

// changeBytes flips, replaces, inserts, deletes or repeats bytes, or cuts the body.
func (a *Recording) changeBytes(r *rand.Rand) {
	b := []byte(a.Body)
	a.Changes = append(a.Changes, "other bytes")
	if len(b) == 0 {
		a.Body = string(rune(r.IntN(256)))
		return
	}
	at := r.IntN(len(b))
	span := min(1+r.IntN(32), len(b)-at)
	switch r.IntN(6) {
	case 0:
		b[at] ^= 1 << r.IntN(8)
	case 1:
		b[at] = byte(r.IntN(256))
	case 2:
		b = slices.Insert(b, at, byte(r.IntN(256)))
	case 3:
		b = slices.Delete(b, at, at+span)
	case 4:
		b = slices.Concat(b[:at+span], b[at:at+span], b[at+span:])
	default:
		b = b[:at]
	}
	a.Body = string(b)
}

// Serve dials a server that gives an answer to each request. It uses no socket, so that it
// works with testing/synctest. Each connection has one request.
func Serve(answer func(r *http.Request) Recording) Dial {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer func() { _ = theirs.Close() }()
			request, err := http.ReadRequest(bufio.NewReader(theirs))
			if err != nil {
				return
			}
			if _, err = io.Copy(io.Discard, request.Body); err != nil {
				return
			}
			_, _ = io.WriteString(theirs, answer(request).wire())
		}()
		return ours, nil
	}
}

// wire is the answer as it is sent.
func (a Recording) wire() string {
	var out strings.Builder
	_, _ = fmt.Fprintf(&out, "HTTP/1.1 %d %s\r\nConnection: close\r\n", a.Status, http.StatusText(a.Status))
	for _, name := range slices.Sorted(maps.Keys(a.Header)) {
		_, _ = fmt.Fprintf(&out, "%s: %s\r\n", name, a.Header[name])
	}
	if a.Status == http.StatusNoContent || a.Status == http.StatusNotModified {
		return out.String() + "\r\n"
	}
	_, _ = fmt.Fprintf(&out, "Content-Length: %d\r\n\r\n%s", len(a.Body)+a.length, a.Body)
	return out.String()
}
