package databricks

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v12/arrow/ipc"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// replaced replaces the first occurrence of bytes in the last answer to a method.
func replaced(t *testing.T, answers []answer, method, before, after string) []answer {
	t.Helper()
	for i := len(answers) - 1; i >= 0; i-- {
		if a := &answers[i]; strings.HasPrefix(a.method, method) && bytes.Contains(a.body, []byte(before)) {
			a.body = bytes.Replace(a.body, []byte(before), []byte(after), 1)
			return answers
		}
	}
	t.Fatalf("no answer to %s has %q", method, before)
	return nil
}

// compressedStream is a stream with a compressed buffer of 128 TiB, if one believes its
// length. Arrow v12 allocates it, which ends the process.
func compressedStream(t *testing.T) []byte {
	t.Helper()
	stream := arrowStream(t, 60, ipc.WithZstd())
	// A buffer begins with its length, which precedes the frame of zstd.
	at := bytes.Index(stream, []byte{0x28, 0xB5, 0x2F, 0xFD})
	if at < 8 {
		t.Fatal("the stream is not compressed")
	}
	binary.LittleEndian.PutUint64(stream[at-8:], 128<<40)
	return stream
}

// Checklist 73: each of these answers ended the process, or gave a wrong result.
func TestMalformedAnswersAreErrors(t *testing.T) {
	t.Parallel()
	const (
		typeEntry = "\x0f\x00\x01\x0c\x00\x00\x00\x01\x0c\x00\x01\x08\x00\x01"
		noEntry   = "\x0f\x00\x01\x0c\x00\x00\x00\x01\x0c\x00\x63\x08\x00\x01"
	)
	for name, c := range map[string]struct {
		conversation string
		change       func(t *testing.T, answers []answer) []answer
		// want are the method and the reason in the error.
		method, want string
	}{
		"a type descriptor with an unknown member": {"column", func(t *testing.T, answers []answer) []answer {
			t.Helper()
			return replaced(t, answers, "ExecuteStatement", typeEntry, noEntry)
		}, "ExecuteStatement", "column 1 of its result has no type"},
		"a type descriptor that comes later": {"polled", func(t *testing.T, answers []answer) []answer {
			t.Helper()
			return replaced(t, answers, "GetResultSetMetadata", typeEntry, noEntry)
		}, "GetResultSetMetadata", "column 1 of its result has no type"},
		"an unknown type": {"column", func(t *testing.T, answers []answer) []answer {
			t.Helper()
			return replaced(t, answers, "ExecuteStatement", typeEntry+"\x00\x00\x00", typeEntry+"\x00\x00\x7f")
		}, "ExecuteStatement", "column 1 of its result has no type"},
		"a file with a buffer of 128 TiB": {"cloudfetch-batches", func(t *testing.T, answers []answer) []answer {
			t.Helper()
			answers[len(answers)-1].body = compressedStream(t)
			return answers
		}, "CloudFetch", "it is compressed"},
		"a file with fewer rows than its link": {"cloudfetch-batches", func(t *testing.T, answers []answer) []answer {
			t.Helper()
			answers[len(answers)-1].body = arrowStream(t, 1)
			return answers
		}, "CloudFetch", "it has 1 rows, and its link declares"},
		"a batch with a wrong count": {"arrow-batches", func(t *testing.T, answers []answer) []answer {
			t.Helper()
			// rowCount is the second field of TSparkArrowBatch, an i64 at its end.
			return replaced(t, answers, "FetchResults", "\x0a\x00\x02\x00\x00\x00\x00\x00\x00\x00", "\x0a\x00\x02\x00\x00\x00\x00\x00\x00\x01")
		}, "FetchResults", "rows, and declares"},
		"a message of another method": {"arrow", func(t *testing.T, answers []answer) []answer {
			t.Helper()
			return replaced(t, answers, "FetchResults", "FetchResults", "FetchResulfs")
		}, "FetchResults", "it answers the method"},
		"a cut message": {"arrow", func(t *testing.T, answers []answer) []answer {
			t.Helper()
			last := &answers[len(answers)-2]
			last.body = last.body[:len(last.body)/2]
			return answers
		}, "FetchResults", "the message ends early"},
		"a session without an id": {"arrow", func(t *testing.T, answers []answer) []answer {
			t.Helper()
			answers[0].body = thriftReply("OpenSession", func(w *thriftWriter) { w.i32(2, 0xA508) })
			return answers
		}, "OpenSession", "its handle has an id of 0 bytes"},
		"a statement without an id": {"arrow", func(t *testing.T, answers []answer) []answer {
			t.Helper()
			answers[2].body = thriftReply("ExecuteStatement", nil)
			return answers
		}, "ExecuteStatement", "its handle has an id of 0 bytes"},
		"columns of different lengths": {"column", func(t *testing.T, answers []answer) []answer {
			t.Helper()
			answers[3].body = thriftReply("FetchResults", func(w *thriftWriter) {
				w.rows(0, func() {
					w.list(3, thriftStruct, 2, func(i int) {
						w.structure(5, func() { w.list(1, thriftI64, 2-i, func(int) { w.number(8, 1) }); w.string(2, "\x00") })
					})
				})
			})
			return answers
		}, "FetchResults", "column 2 has 1 values, and column 1 has 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &player{answers: c.change(t, recorded(t, c.conversation))}
			inBubble(t, func(ctx context.Context) {
				rows, err := replay(ctx, conversations[c.conversation], p)
				want := "The warehouse's answer to " + c.method + " is malformed"
				if !jobs.IsCode(err, jobs.CodeFailed) || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %d rows and %v, want %q, %q", rows, err, want, c.want)
				}
			})
		})
	}
}

// echoed answers a request to a method with the sequence number of the request, which the
// driver compares.
func echoed(t *testing.T, request *http.Request, method string, body []byte) *http.Response {
	t.Helper()
	sent, err := io.ReadAll(request.Body)
	if err != nil {
		t.Fatal(err)
	}
	at := 8 + len(method)
	copy(body[at:at+4], sent[at:at+4])
	return response(request, http.StatusOK, body)
}

// answering is a player with other answers to some methods; nil means the recorded answer.
type answering struct {
	*player
	answer func(method string, request *http.Request) (*http.Response, error)
}

func (a answering) RoundTrip(request *http.Request) (*http.Response, error) {
	method, again, err := methodOf(request)
	if err != nil {
		return nil, err
	}
	if response, err := a.answer(method, again); response != nil || err != nil {
		return response, err
	}
	return a.player.RoundTrip(again)
}

// Checklist 74: pages that bring no row are bounded.
func TestPagesWithoutRowsEnd(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]int64{"empty": 0, "before the next row": -1, "far ahead": 1 << 40} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pages := 0
			base := answering{&player{answers: recorded(t, "column")}, func(method string, request *http.Request) (*http.Response, error) {
				if method != "FetchResults" {
					return nil, nil
				}
				pages++
				return echoed(t, request, method, thriftReply(method, func(w *thriftWriter) {
					w.boolean(2, true)
					w.rows(max(start, 0)*int64(pages), func() {
						n := 1
						if start == 0 {
							n = 0
						}
						w.list(3, thriftStruct, 12, func(int) {
							w.structure(5, func() { w.list(1, thriftI64, n, func(int) { w.number(8, 1) }); w.string(2, "\x00") })
						})
					})
				})), nil
			}}
			inBubble(t, func(ctx context.Context) {
				_, err := replay(ctx, conversations["column"], base)
				if !jobs.IsCode(err, jobs.CodeFailed) || !strings.Contains(err.Error(), "in succession") || pages > 2*maxIdlePages {
					t.Errorf("got %v after %d pages", err, pages)
				}
			})
		})
	}
}
