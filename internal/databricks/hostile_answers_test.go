package databricks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// elsewhere is a player whose requests of a method go to another server.
type elsewhere struct {
	*player
	method string
	server *url.URL
	base   *http.Transport
}

func (e elsewhere) CloseIdleConnections() { e.base.CloseIdleConnections() }

func (e elsewhere) RoundTrip(request *http.Request) (*http.Response, error) {
	method, again, err := methodOf(request)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(method, e.method) {
		return e.player.RoundTrip(again)
	}
	again = again.Clone(again.Context())
	again.URL.Scheme, again.URL.Host, again.Host = e.server.Scheme, e.server.Host, ""
	return e.base.RoundTrip(again)
}

// hostileMethods are the methods whose answers are hostile, and a conversation that has them.
var hostileMethods = map[string]string{
	"OpenSession": "arrow", "ExecuteStatement": "arrow", "FetchResults": "arrow", downloading: "cloudfetch",
}

// hasNextStep checks the error of a hostile answer.
func hasNextStep(err error) bool {
	e, ok := errors.AsType[*jobs.Error](err)
	return ok && e.Code != jobs.CodeNotFound && e.Next != "" && e.Summary != "" && len(err.Error()) <= 2000
}

// checklist 74: whatever a warehouse answers, each statement ends with an error that says
// what to do, and in little memory. A result without end takes no more memory than a page.
func TestHostileAnswersOfAWarehouse(t *testing.T) {
	t.Parallel()
	hostiletest.InProcess(t, func(t *testing.T) {
		t.Helper()
		pauses.First = time.Millisecond // in this process only
		// A list that declares 2^31-1 columns, and columns without a value.
		w := &thriftWriter{}
		w.header(messageReply, "FetchResults")
		w.field(thriftStruct, 0)
		w.status()
		w.field(thriftStruct, 3)
		w.i64(1, 0)
		w.list(2, thriftStruct, 0, nil)
		w.field(thriftList, 3)
		w.WriteByte(thriftStruct)
		w.number(4, 1<<31-1)
		for method, name := range hostileMethods {
			for _, answer := range hostiletest.Answers(w.String(), "\x00") {
				if method != "FetchResults" && method != downloading && answer.Name != "inflated zeros" {
					continue // one path reads the answers to all methods
				}
				server := httptest.NewServer(answer)
				at, err := url.Parse(server.URL)
				if err != nil {
					t.Fatal(err)
				}
				base := elsewhere{&player{answers: recorded(t, name)}, method, at, egress.NewTransport(egress.Options{Rules: egress.Configured})}
				_, err = replayWithin(t.Context(), 5*time.Second, conversations[name], base)
				server.CloseClientConnections()
				server.Close()
				if !hasNextStep(err) {
					t.Errorf("%s, %s: got %.2000v", method, answer.Name, err)
				}
			}
		}
		for name, c := range largeResults {
			pages := 0
			base := answering{player: &player{answers: recorded(t, c.conversation)}}
			base.answer = func(method string, request *http.Request) (*http.Response, error) {
				if method != c.method {
					return nil, nil
				}
				if pages++; pages <= c.skip {
					return nil, nil
				}
				return echoed(t, request, method, c.answer(pages-c.skip-1, base.told())), nil
			}
			read := countRows
			if c.conversation == "column-batches" {
				read = readAtLeast(c.rows)
			}
			rows, err := replayWithin(t.Context(), 5*time.Second, conversation{statement: importRows, read: read}, base)
			if c.rows > 0 && (err != nil || rows < c.rows) || c.rows == 0 && !hasNextStep(err) {
				t.Errorf("%s: got %d rows and %.2000v after %d answers", name, rows, err, pages)
			}
		}
	})
}

// readAtLeast reads a result until it has a number of rows; 0 means to its end.
func readAtLeast(enough int64) func(ctx context.Context, w *Warehouse, statement string) (int64, error) {
	return func(ctx context.Context, w *Warehouse, statement string) (n int64, err error) {
		for b, err := range w.Batches(ctx, statement) {
			if err != nil {
				return n, err
			}
			if n += int64(b.Len()); enough > 0 && n >= enough {
				return n, nil
			}
		}
		return n, nil
	}
}

// importPage is a page of a result like importRows in Thrift's columns, with further pages
// behind it. text is the value of the texts.
func importPage(start, rows int64, text string) []byte {
	return thriftReply("FetchResults", func(w *thriftWriter) {
		w.boolean(2, true)
		w.rows(start, func() {
			w.list(3, thriftStruct, 3, func(i int) {
				if i == 0 {
					w.structure(5, func() {
						w.list(1, thriftI64, int(rows), func(n int) { w.number(8, start+int64(n)) })
						w.string(2, "")
					})
					return
				}
				w.structure(7, func() {
					w.list(1, thriftString, int(rows), func(int) { w.text(text) })
					w.string(2, "")
				})
			})
		})
	})
}

// largeResults are answers that are valid, and large or without end.
var largeResults = map[string]struct {
	conversation, method string
	// skip is the number of answers to the method that come first.
	skip int
	// answer is the n-th answer; first is the row that follows the statement's own rows.
	answer func(n int, first int64) []byte
	// rows is the number of rows after which the reader stops; 0 means that the result is an
	// error.
	rows int64
}{
	"pages without end": {"column-batches", "FetchResults", 0, func(n int, first int64) []byte {
		return importPage(first+int64(n)*20_000, 20_000, "0123456789")
	}, 1_000_000},
	"as many values as fit": {"column-batches", "FetchResults", 0, func(n int, first int64) []byte {
		return importPage(first+int64(n)*2_000_000, 2_000_000, "")
	}, 4_000_000},
	"more values than fit": {"column-batches", "FetchResults", 0, func(_ int, first int64) []byte {
		return importPage(first, 3_000_000, "")
	}, 0},
	"a row fills a page": {"column-batches", "FetchResults", 0, func(n int, first int64) []byte {
		return importPage(first+int64(n), 1, strings.Repeat("x", 8<<20))
	}, 60},
	"links to no rows": {"arrow", "FetchResults", 0, func(n int, _ int64) []byte {
		return thriftReply("FetchResults", func(w *thriftWriter) {
			w.boolean(2, true)
			w.rows(0, func() {
				w.list(0x502, thriftStruct, 6000, func(i int) {
					w.string(1, fmt.Sprintf("http://127.0.0.1:1/%d/%d/%s", n, i, strings.Repeat("x", 1000)))
					for _, id := range []int64{2, 3, 4, 5} {
						w.i64(id, 0)
					}
				})
			})
		})
	}, 0},
	"20 MB of links": {"arrow", "FetchResults", 0, func(int, int64) []byte {
		return thriftReply("FetchResults", func(w *thriftWriter) {
			w.rows(0, func() {
				w.list(0x502, thriftStruct, 20_000, func(i int) {
					w.string(1, fmt.Sprintf("http://127.0.0.1:1/%d/%s", i, strings.Repeat("x", 1000)))
					for _, id := range []int64{2, 3, 4, 5} {
						w.i64(id, 0)
					}
				})
			})
		})
	}, 0},
	"10,000 columns with long comments": {"polled", "GetResultSetMetadata", 1, func(int, int64) []byte {
		return thriftReply("GetResultSetMetadata", func(w *thriftWriter) {
			w.structure(2, func() {
				w.list(1, thriftStruct, maxColumns, func(i int) {
					w.string(1, fmt.Sprintf("c%d", i))
					w.structure(2, func() {
						w.list(1, thriftStruct, 1, func(int) { w.structure(1, func() { w.i32(1, 7) }) })
					})
					w.i32(3, int64(i))
					w.string(4, strings.Repeat("x", 6000))
				})
			})
			w.i32(0x501, 1)
		})
	}, 0},
}

// checklist 74: a byte a second without end ends.
func TestDrippingAnswersOfAWarehouse(t *testing.T) {
	t.Parallel()
	at := &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}
	for method, name := range hostileMethods {
		for kind, dial := range map[string]hostiletest.Dial{"body": hostiletest.Drip(0x80), "header": hostiletest.DripHeader()} {
			t.Run(method+" "+kind, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(ctx context.Context) {
					base := elsewhere{&player{answers: recorded(t, name)}, method, at, &http.Transport{DialContext: dial}}
					began := time.Now()
					_, err := replay(ctx, conversations[name], base)
					if took := time.Since(began); !hasNextStep(err) || took > 40*time.Minute {
						t.Errorf("got %v after %s", err, took)
					}
				})
			})
		}
	}
}
