//nolint:thelper // what is given to onEach are the bodies of tests
package lytics_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

const bulk = "/collect/bulk/"

func TestEventsTravelAsDocumented(t *testing.T) {
	t.Parallel()
	for format, c := range map[lytics.UploadFormat]struct {
		switches   lyticstest.Switches
		compressed bool
	}{
		"":                         {lyticstest.Switches{}, false},
		lytics.FormatJSONLines:     {lyticstest.Switches{}, false},
		lytics.FormatJSONLinesGzip: {lyticstest.Switches{AcceptGzip: true}, true},
		lytics.FormatJSONArrayGzip: {lyticstest.Switches{AcceptGzip: true, AcceptArrays: true, RefuseLines: true}, true},
	} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			eventsTravel(t, format, c.switches, c.compressed)
		})
	}
	_, err := lytics.Open(lytics.Config{UploadFormat: "xml"})
	refused(t, "another format", err, jobs.CodeInvalid, "platform.lytics.upload_format", "xml", "json_lines")
}

func eventsTravel(t *testing.T, format lytics.UploadFormat, switches lyticstest.Switches, compressed bool) {
	t.Helper()
	b := open(t, lyticstest.Options{AccountID: "acc/1", Switches: switches}, func(c *lytics.Config) { c.AccountID, c.UploadFormat = "acc/1", format })
	at := time.Date(2024, 5, 6, 7, 8, 9, 123456000, time.FixedZone("", 7200))
	e := jobs.Event{ID: `a"b`, Time: at, Data: []byte("{ \"n\": 12345678901234567890.10,\n \"o\": {\"x\": [1, {\"y\": [2]}]}, \"a\": [[{\"z\":\"é\\n\"}], 1.50, \"s\", null], \"e\": {} , \"l\":[]}")}
	if err := b.send("sales / eu?", []jobs.Event{e}); err != nil {
		t.Fatal(err)
	}
	want := `{"_event_id":"a\"b","_event_time":"2024-05-06T05:08:09.123456Z","n":12345678901234567890.10,"o":{"x":[1,"{\"y\": [2]}"]},"a":[["{\"z\":\"é\\n\"}"],1.50,"s",null],"e":{},"l":[]}`
	if got := b.arrived("sales / eu?"); len(got) != 1 || got[0] != want {
		t.Errorf("arrived\n%s\nwant\n%s", got, want)
	}
	sent := b.asked(http.MethodPost, bulk)
	if len(sent) != 1 || sent[0].Path != bulk+"sales%20%2F%20eu%3F" || sent[0].Query != "account_id=acc%2F1&droperrors=true&timestamp_field=_event_time" ||
		compressed != (sent[0].Bytes != sent[0].Unpacked) {
		t.Errorf("sent %+v, want compressed %t", sent, compressed)
	}
	if wrong := b.server.Wrong(); len(wrong) > 0 {
		t.Errorf("not as documented: %v", wrong)
	}
	b.wantUnsure(0)
}

func TestBatchesAreCutIntoUploads(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	var list []jobs.Event
	for i := range 2000 {
		list = append(list, jobs.Event{ID: fmt.Sprint(i), Time: day0, Data: fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 12_000))})
	}
	if err := b.send("s", list); err != nil {
		t.Fatal(err)
	}
	sent := b.asked(http.MethodPost, bulk)
	if len(sent) != 3 {
		t.Errorf("%d uploads", len(sent))
	}
	for _, r := range sent {
		if r.Unpacked > lytics.MaxUpload || r.Unpacked > 10_000_000 {
			t.Errorf("an upload of %d bytes", r.Unpacked)
		}
	}
	if got := b.ids("s"); len(got) != 2000 || got[0] != "0" || got[1999] != "1999" {
		t.Errorf("%d events arrived", len(got))
	}
}

// checklist 66: what Lytics is known to reject is not sent, and the other events of
// its batch are.
func TestEventsThatLyticsWouldRejectAreNotSent(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	fits := jobs.Event{ID: "fits", Time: day0, Data: fmt.Appendf(nil, `{"t":"%s"}`, strings.Repeat("x", 16<<10-len(`{"_event_id":"fits","_event_time":"2024-01-01T00:00:00.000000Z","t":""}`)))}
	if err := b.send("s", []jobs.Event{fits}); err != nil {
		t.Errorf("an event of 16 KB: %v", err)
	}
	want := []string{"fits"}
	for name, c := range map[string]struct {
		data string
		at   time.Time
		says string
	}{
		"too large":        {fmt.Sprintf(`{"t":"%s"}`, strings.Repeat("x", 16<<10)), day0, "16384"},
		"stringified over": {`{"a":[` + strings.TrimSuffix(strings.Repeat(`{"q":"\"\""},`, 1000), ",") + `]}`, day0, "16384"},
		"year":             {`{}`, time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), "four digits"},
	} {
		bad := jobs.Event{ID: "bad " + name, Time: c.at, Data: []byte(c.data)}
		rejected := b.append("s", slices.Concat(events(0, 2), []jobs.Event{bad}, events(2, 1)))
		want = append(want, "e0", "e1", "e2")
		if len(rejected) != 1 || rejected[0].ID != bad.ID || string(rejected[0].Data) != c.data || !strings.Contains(rejected[0].Reason, c.says) ||
			rejected[0].Bytes != int64(len(c.data)) {
			t.Errorf("%s: got the rejected events %+v", name, rejected)
		}
		// Alone, and at the beginning of a batch.
		if got := b.append("s", []jobs.Event{bad}); len(got) != 1 {
			t.Errorf("%s alone: got the rejected events %+v", name, got)
		}
		if got := b.append("s", slices.Concat([]jobs.Event{bad, bad}, events(3, 1), []jobs.Event{bad})); len(got) != 3 {
			t.Errorf("%s three times: got %d rejected events", name, len(got))
		}
		want = append(want, "e3")
	}
	b.wantIDs("s", want...)
	if wrong := b.server.Wrong(); len(wrong) > 0 {
		t.Errorf("not as documented: %v", wrong)
	}
}

func TestAColumnWithTheNameOfAnEventsKeyIsNamed(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	good := events(0, 1)[0]
	for name, c := range map[string]struct{ data, says string }{
		"our id":   {`{"_event_id":1}`, "rename the column"},
		"our time": {`{"a":1,"_event_time":null}`, "_event_time"},
	} {
		err := b.send("s", []jobs.Event{good, {ID: "the-event", Time: day0, Data: []byte(c.data)}})
		refused(t, name, err, jobs.CodeFailed, "", "the-event", c.says)
	}
	if n := len(b.asked(http.MethodPost, bulk)); n > 0 {
		t.Errorf("%d uploads were sent, want none", n)
	}
	for _, name := range []string{".", ".."} {
		refused(t, name, b.send(name, []jobs.Event{good}), jobs.CodeInvalid, "stream")
	}
}

// checklist 22
// checklist 64: what became of an upload is not known; it is sent again with the
// same ids, and counted.
func TestUnsureUploadsAreRepeatedAndCounted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault  lyticstest.Fault
		unsure int64
		twice  bool
	}{
		"503 before":      {lyticstest.Fault{Status: 503}, 3, false},
		"503 after":       {lyticstest.Fault{Status: 503, AfterEffect: true}, 3, true},
		"500 twice after": {lyticstest.Fault{Status: 500, AfterEffect: true, Times: 1}, 3, true},
		"cut before":      {lyticstest.Fault{Cut: true}, 3, false},
		"cut after":       {lyticstest.Fault{Cut: true, AfterEffect: true}, 3, true},
		"cut in midst":    {lyticstest.Fault{Cut: true, AfterEffect: true, Partly: true}, 3, true},
		"garbled":         {lyticstest.Fault{Garble: true}, 3, true},
		"proxy":           {lyticstest.Fault{Foreign: true, Status: 502}, 3, false},
		"429":             {lyticstest.Fault{Status: 429}, 0, false},
		"many":            {lyticstest.Fault{Status: 503, Times: 5}, 3, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, lyticstest.Options{})
			c.fault.Path = bulk
			b.server.Inject(c.fault)
			if err := b.send("s", events(0, 3)); err != nil {
				t.Fatal(err)
			}
			want := []string{"e0", "e1", "e2"}
			if c.twice {
				want = append(want, want...)
			}
			b.wantIDs("s", want...)
			b.wantUnsure(c.unsure)
			// Nothing is left over that the next would be blamed for.
			if err := b.send("s", events(0, 3)); err != nil {
				t.Fatal(err)
			}
			b.wantUnsure(c.unsure)
		})
	}
}

// checklist 23
func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	for name, date := range map[string]bool{"seconds": false, "date": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, lyticstest.Options{Now: func() time.Time { return time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC) }})
			b.server.Inject(lyticstest.Fault{Path: bulk, Status: 429, RetryAfter: 77 * time.Second, RetryAfterDate: date})
			if err := b.send("s", events(0, 1)); err != nil {
				t.Fatal(err)
			}
			if got := b.clock.Waits(); len(got) != 1 || got[0] < 77*time.Second || got[0] > 78*time.Second {
				t.Errorf("got pauses of %v, want one of 77 to 78 seconds", got)
			}
			b.wantIDs("s", "e0")
			b.wantUnsure(0)
		})
	}
}

// checklist 26: patience ends; what is unsure by then is counted by the run that
// comes back with it.
func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	b.server.Inject(lyticstest.Fault{Path: bulk, Status: 503, AfterEffect: true, Times: -1})
	err := b.send("s", events(0, 2))
	refused(t, "for ever 503", err, jobs.CodeUnreachable, "", "503", "attempts")
	if d := b.clock.Total(); d < 5*time.Minute || d > 10*time.Minute {
		t.Errorf("waited %s", d)
	}
	b.wantUnsure(2)

	b = open(t, lyticstest.Options{})
	b.server.Inject(lyticstest.Fault{Path: bulk, Status: 429, RetryAfter: time.Hour})
	refused(t, "wait an hour", b.send("s", events(0, 2)), jobs.CodeFailed, "", "1h0m0s")
	if b.clock.Total() != 0 {
		t.Errorf("waited %v", b.clock.Waits())
	}
	b.wantUnsure(0)
}

func TestWhatNeverLeftIsNotUnsure(t *testing.T) {
	t.Parallel()
	failures := 3
	b := open(t, lyticstest.Options{}, func(c *lytics.Config) {
		dialer := &net.Dialer{}
		c.HTTP = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if failures--; failures >= 0 {
				return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
			}
			return dialer.DialContext(ctx, network, address)
		}}}
	})
	if err := b.send("s", events(0, 2)); err != nil {
		t.Fatal(err)
	}
	b.wantIDs("s", "e0", "e1")
	b.wantUnsure(0)
	if want := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second}; !slices.Equal(b.clock.Waits(), want) {
		t.Errorf("waited %v, want %v", b.clock.Waits(), want)
	}
}

// checklist 64: the process dies, or loses its lease, between Lytics's answer
// and the commit of the cursor. The next run sends the same events, perhaps in
// other batches, and counts them.
func TestEventsThatWereSentAndNotCommittedAreCounted(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
		lost := errors.New("the lease is another's now")
		_, err := b.Append(t.Context(), "s", events(0, 4), func(*store.Tx, []jobs.RejectedEvent) error { return lost })
		if !errors.Is(err, lost) {
			t.Fatalf("the refusal comes back as %v", err)
		}
		b.reopen()
		// Of another stream, and of other events of this one, nothing is known.
		for _, e := range []struct {
			stream string
			list   []jobs.Event
		}{{"other", events(0, 4)}, {"s", events(100, 2)}} {
			if err := b.send(e.stream, e.list); err != nil {
				t.Fatal(err)
			}
		}
		b.wantUnsure(0)
		if err := b.send("s", events(0, 3)); err != nil {
			t.Fatal(err)
		}
		b.wantUnsure(3)
		if err := b.send("s", events(3, 3)); err != nil {
			t.Fatal(err)
		}
		b.wantUnsure(4)
		if err := b.send("s", events(0, 6)); err != nil {
			t.Fatal(err)
		}
		b.wantUnsure(4)
	})
}

// Of a batch of two uploads the first is in and the second is refused: only the
// first is counted when they come again.
func TestOnlyWhatWasSentIsCountedAfterAFailure(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	list := events(0, 1000)
	for i := range list {
		list[i].Data = fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 12_000))
		list[i].Time = day0 // one upload follows the other
	}
	b.server.Inject(lyticstest.Fault{Path: bulk, Status: 403, Skip: 1})
	refused(t, "refused", b.send("s", list), jobs.CodeForbidden, "platform.lytics.token")
	first := int64(len(b.ids("s")))
	if first == 0 || first == 1000 {
		t.Fatalf("the first upload has %d events", first)
	}
	b.wantUnsure(0)
	if err := b.send("s", list); err != nil {
		t.Fatal(err)
	}
	b.wantUnsure(first)
	if n := len(b.ids("s")); n != 1000+int(first) {
		t.Errorf("%d events are there", n)
	}
}

func TestACancelledSendMayHaveArrived(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	hold, held := make(chan struct{}), make(chan struct{})
	defer close(hold)
	b.server.Inject(lyticstest.Fault{Path: bulk, Hold: hold, Held: held})
	done := make(chan error)
	go func() { done <- b.sendUnder(ctx, "s", events(0, 2)) }()
	<-held
	cancel()
	refused(t, "cancelled", <-done, jobs.CodeCancelled, "")
	if err := b.send("s", events(0, 2)); err != nil {
		t.Fatal(err)
	}
	b.wantUnsure(2)
	b.wantIDs("s", "e0", "e1", "e0", "e1")
}

// An answer that counts fewer events than were sent, and rejects none, is no answer
// for all of them: the next run sends them again.
func TestEventsThatLyticsDoesNotCountFailTheAppend(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	b.server.Inject(lyticstest.Fault{Path: bulk, Lose: 1})
	refused(t, "lost", b.send("s", events(10, 5)), jobs.CodeFailed, "", "4 of 5", "e10", "e14")
	b.server.Inject(lyticstest.Fault{Path: bulk, Lose: 1, Reject: 1})
	refused(t, "lost and rejected", b.send("s", events(20, 5)), jobs.CodeFailed, "", "3 of 5", "rejected 1", "e20", "e24")
	b.wantUnsure(0)
	if err := b.send("s", slices.Concat(events(10, 5), events(20, 5))); err != nil {
		t.Fatal(err)
	}
	b.wantUnsure(10)
}

// checklist 43: neither the token nor what Lytics says of a row is in an error.
func TestErrorsOfAppendTellNothingPersonal(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{}, through(func(r *http.Request) (*http.Response, error) {
		body := `{"status":400,"message":"cannot parse ann@example.com","request_id":"req-77","errors":[{"code":"BADREQ-001","message":"ann@example.com"}]}`
		return &http.Response{StatusCode: 400, Header: http.Header{}, Body: readCloser(body), Request: r}, nil
	}))
	err := b.send("s", events(0, 1))
	refused(t, "bad request", err, jobs.CodeFailed, "", "req-77", "400")
	if strings.Contains(err.Error(), "ann@") {
		t.Errorf("the error tells a row: %v", err)
	}
}

func readCloser(text string) *body { return &body{bytes.NewReader([]byte(text))} }

type body struct{ *bytes.Reader }

func (*body) Close() error { return nil }
