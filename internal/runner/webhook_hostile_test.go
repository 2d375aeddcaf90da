package runner

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// checklist 74: whatever a receiver of alerts answers, a delivery ends, and in little memory.
// The status alone tells whether the alert was delivered.
func TestHostileAnswersOfAWebhook(t *testing.T) {
	t.Parallel()
	hostiletest.InProcess(t, func(t *testing.T) {
		t.Helper()
		// These have no status, or end before it.
		failing := []string{"endless header", "endless informational answers"}
		for _, answer := range hostiletest.Answers(`{"data":[`, "{},") {
			server := httptest.NewServer(answer)
			w, err := newWebhook(server.URL, jobs.NewSecret("s"), true, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = w.send(t.Context(), []byte("{}"))
			w.client.CloseIdleConnections()
			server.CloseClientConnections()
			server.Close()
			if slices.Contains(failing, answer.Name) != (err != nil) || err != nil && len(err.Error()) > 2000 {
				t.Errorf("%s: got %.2000v", answer.Name, err)
			}
		}
	})
}

// The text of an answer is not inflated: gzip members that inflate to nothing would be read
// until the delivery's time is over.
func TestAWebhookReadsLittleOfAnAnswer(t *testing.T) {
	t.Parallel()
	answers := hostiletest.Answers(`{"data":[`, "{},")
	i := slices.IndexFunc(answers, func(a hostiletest.Answer) bool { return a.Name == "empty gzip members" })
	var sent atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers[i].ServeHTTP(countingWriter{w, &sent}, r)
	}))
	w, err := newWebhook(server.URL, jobs.NewSecret("s"), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.send(t.Context(), []byte("{}")); err != nil {
		t.Error(err)
	}
	server.Close()
	// The buffers of the sockets hold some megabytes, too.
	if n := sent.Load(); n > 32<<20 {
		t.Errorf("the receiver could send %d MB, want less than 32", n>>20)
	}
}

// countingWriter counts the bytes of an answer that are written.
type countingWriter struct {
	http.ResponseWriter
	bytes *atomic.Int64
}

func (w countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.bytes.Add(int64(n))
	return n, err
}

// checklist 74: a byte a second without end ends.
func TestDrippingAnswersOfAWebhook(t *testing.T) {
	t.Parallel()
	for name, dial := range map[string]hostiletest.Dial{"body": hostiletest.Drip('x'), "header": hostiletest.DripHeader()} {
		synctest.Test(t, func(t *testing.T) {
			w, err := newWebhook("https://alerts.example.com/hook", jobs.NewSecret("s"), false, nil)
			if err != nil {
				t.Fatal(err)
			}
			w.client.Transport = &http.Transport{DialTLSContext: dial}
			began := time.Now()
			err = w.send(t.Context(), []byte("{}"))
			if took := time.Since(began); took > webhookTimeout || (err == nil) != (name == "body") {
				t.Errorf("%s: got %v after %s", name, err, took)
			}
			w.client.CloseIdleConnections()
		})
	}
}

// An answer other than a success is a failure that repeats no text of the receiver, and a
// redirect is not followed.
func TestAWebhookThatRefuses(t *testing.T) {
	t.Parallel()
	asked := 0
	dial := hostiletest.Serve(func(r *http.Request) hostiletest.Recording {
		if r.URL.Path != "/hook" {
			asked++
		}
		host, _, _ := strings.Cut(r.Host, ".")
		return hostiletest.Recording{
			Status: map[string]int{"redirect": 307, "refuses": 403, "not-modified": 304, "accepts": 204}[host],
			Header: map[string]string{"Location": "https://elsewhere.example.com/canary"}, Body: "canary",
		}
	})
	for host, want := range map[string]string{
		"redirect": "307 Temporary Redirect", "refuses": "403 Forbidden", "not-modified": "304 Not Modified", "accepts": "",
	} {
		w, err := newWebhook("https://"+host+".example.com/hook", jobs.NewSecret("s"), false, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.client.Transport = &http.Transport{DialTLSContext: dial}
		err = w.send(t.Context(), []byte("{}"))
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary")) {
			t.Errorf("%s: got %v, want %q", host, err, want)
		}
	}
	if asked != 0 {
		t.Errorf("%d redirects were followed", asked)
	}
}
