// Package hostiletest has the answers of a broken or hostile HTTP server, and measures what
// they cost the process that reads them.
package hostiletest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Answer is one kind of answer. As a handler it gives it to every request.
type Answer struct {
	Name string
	http.Handler
}

// Answers returns one of each kind. begin is the text of an answer of the API up to the
// first entry of its list, such as `{"tables":[`, and entry an entry with its separator,
// such as `{},`.
func Answers(begin, entry string) []Answer {
	entries := strings.Repeat(entry, 64<<10/len(entry))
	zipped := compressed(strings.Repeat(entries, 64))
	return []Answer{
		{"endless text", endless("", strings.Repeat("x", 64<<10), "")},
		{"endless string", endless(`{"data":"`, strings.Repeat("x", 64<<10), "")},
		{"endless entries", endless(begin, entries, "")},
		{"endless nesting", endless("", strings.Repeat("[", 64<<10), "")},
		{"endless nesting of XML", endless("", strings.Repeat("<a>", 20<<10), "")},
		{"inflated entries", endless(compressed(begin), zipped, "gzip")},
		{"inflated zeros", endless("", compressed(strings.Repeat("\x00", 4<<20)), "gzip")},
		{"empty gzip members", endless("", strings.Repeat(compressed(""), 2000), "gzip")},
		{"a length of 1 GiB", raw("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n{", "")},
		{"a length of 1 MiB", raw("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n{", "")},
		{"endless header", raw("HTTP/1.1 200 OK\r\n", strings.Repeat("X-Endless: xxxxxxxxxxxxxxxx\r\n", 1000))},
		{"endless informational answers", raw("", strings.Repeat("HTTP/1.1 103 Early Hints\r\nX-Hint: xxxx\r\n\r\n", 1000))},
	}
}

// Finite returns an answer that ends, with a number of entries.
func Finite(begin, entry, end string, entries int) Answer {
	return Answer{"many entries", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, begin)
		for range entries {
			_, _ = io.WriteString(w, entry)
		}
		_, _ = io.WriteString(w, end)
	})}
}

func compressed(text string) string {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return out.String()
}

func endless(begin, again, encoding string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if encoding != "" {
			w.Header().Set("Content-Encoding", encoding)
		}
		for _, err := io.WriteString(w, begin); err == nil; {
			_, err = io.WriteString(w, again)
		}
	})
}

// raw writes to the connection. Without a text that is repeated, it closes it then.
func raw(begin, again string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		for _, err = io.WriteString(conn, begin); err == nil && again != ""; {
			_, err = io.WriteString(conn, again)
		}
	})
}

// Dial is the function of a transport that connects.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// Drip dials a server that answers each request with a head, and then with a byte a second
// without end. It uses no socket, so that it works with testing/synctest.
func Drip(body byte) Dial { return DripWith("Content-Type: application/json", body) }

// DripWith is Drip with a line in the head.
func DripWith(header string, body byte) Dial {
	return drip("HTTP/1.1 200 OK\r\n"+header+"\r\n\r\n", body)
}

// DripHeader dials a server that sends a byte of its header a second.
func DripHeader() Dial {
	return drip("HTTP/1.1 200 OK\r\nX-Endless: ", 'x')
}

func drip(begin string, again byte) Dial {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer func() { _ = theirs.Close() }()
			reader := bufio.NewReader(theirs)
			request, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			if _, err = io.Copy(io.Discard, request.Body); err != nil {
				return
			}
			closed := make(chan struct{})
			go func() {
				defer close(closed)
				_, _ = reader.Peek(1)
			}()
			_, err = io.WriteString(theirs, begin)
			for err == nil {
				select {
				case <-closed:
					return
				case <-time.After(time.Second):
					_, err = theirs.Write([]byte{again})
				}
			}
		}()
		return ours, nil
	}
}
