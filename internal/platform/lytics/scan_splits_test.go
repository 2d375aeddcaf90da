package lytics_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
)

// firstPart is the list of splits of the first of the parallel scans.
const firstPart = "0,8,16,24,32,40,48,56,64,72,80,88,96"

// splitProfiles is the number of profiles of an audience that is read by its splits.
const splitProfiles = 1_600

// A scan by splits returns each profile once, whatever Lytics means by splits and whatever
// happens to one of the parallel scans.
func TestScansBySplitsAreExact(t *testing.T) {
	t.Parallel()
	part := func(f lyticstest.Fault) []lyticstest.Fault {
		f.Query = "splits=" + firstPart
		return []lyticstest.Fault{f}
	}
	for name, c := range map[string]struct {
		splits lyticstest.SplitsMeaning
		faults []lyticstest.Fault
		// whole is the number of pages of the whole audience that are read: 1 to learn
		// its size, 16 for the audience.
		whole int
	}{
		"honoured":                          {"", nil, 1},
		"ignored":                           {lyticstest.SplitsIgnored, nil, 16},
		"refused":                           {lyticstest.SplitsRefused, nil, 16},
		"the total is that of the audience": {lyticstest.SplitsCountAll, nil, 16},
		"some profiles are in no split":     {lyticstest.SplitsPartial, nil, 16},
		"some profiles are in two splits":   {lyticstest.SplitsOverlap, nil, 1},
		"429":                               {"", part(lyticstest.Fault{Skip: 1, Status: 429, Times: 3}), 1},
		"429 at the first page":             {"", part(lyticstest.Fault{Status: 429, Times: 2}), 1},
		"503":                               {"", part(lyticstest.Fault{Skip: 1, Status: 503, AfterEffect: true}), 1},
		"cut":                               {"", part(lyticstest.Fault{Skip: 1, Cut: true, Partly: true}), 1},
		"token expired":                     {"", part(lyticstest.Fault{Skip: 1, Expire: true}), 1 + 16},
		"order changes":                     {"", part(lyticstest.Fault{Skip: 1, Back: 30}), 1},
		"a page too short":                  {"", part(lyticstest.Fault{Skip: 1, Miss: 7}), 1 + 16},
		"a first page too short":            {"", part(lyticstest.Fault{Miss: 7}), 1 + 16},
		"a loop":                            {"", part(lyticstest.Fault{Skip: 1, Loop: true, Times: -1}), 1 + 16},
		"a long loop":                       {"", part(lyticstest.Fault{Skip: 1, Back: 100, Times: -1}), 1 + 16},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, hidden := range []bool{false, true} {
				if hidden && testing.Short() {
					continue
				}
				b := open(t, lyticstest.Options{Switches: lyticstest.Switches{HideIDs: hidden, Splits: c.splits}})
				b.profiles(splitProfiles)
				for _, f := range c.faults {
					f.Path, f.Method = scanPath, http.MethodGet
					b.server.Inject(f)
				}
				got, err := b.scanned("n", "id")
				b.must(nil, err)
				if n := len(slices.Compact(slices.Clone(got))); n != splitProfiles || len(got) != splitProfiles || got[0] != "1|u0000" {
					t.Errorf("got %d profiles, %d of them different, want %d", len(got), n, splitProfiles)
				}
				whole := 0
				for _, r := range b.asked(http.MethodGet, scanPath) {
					if !strings.Contains(r.Query, "splits=") {
						whole++
					}
				}
				if whole != c.whole {
					t.Errorf("got %d pages of the whole audience, want %d", whole, c.whole)
				}
				if wrong := b.server.Wrong(); len(wrong) > 0 {
					t.Errorf("got requests that are not documented: %v", wrong)
				}
			}
		})
	}
}

// The first error of one of the parallel scans ends them all, and no profile is given.
func TestAScanBySplitsFailsAsAWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault lyticstest.Fault
		code  jobs.Code
		at    string
		says  string
	}{
		"forbidden":   {lyticstest.Fault{Skip: 1, Status: 403, Times: -1}, jobs.CodeForbidden, "platform.lytics.token", ""},
		"unavailable": {lyticstest.Fault{Skip: 1, Status: 503, Times: -1}, jobs.CodeUnreachable, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, lyticstest.Options{})
			b.profiles(splitProfiles)
			c.fault.Path, c.fault.Method, c.fault.Query = scanPath, http.MethodGet, "splits="+firstPart
			b.server.Inject(c.fault)
			got, err := b.scanned()
			refused(t, name, err, c.code, c.at, c.says)
			if len(got) > 0 {
				t.Errorf("got %d profiles before the error, want none", len(got))
			}
		})
	}
}

// A cancelled scan by splits ends when all its requests have ended.
func TestACancelledScanBySplitsEnds(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	b.profiles(splitProfiles)
	var begun, ended atomic.Int64
	b.reopen(through(func(r *http.Request) (*http.Response, error) {
		begun.Add(1)
		defer ended.Add(1)
		return http.DefaultTransport.RoundTrip(r)
	}))
	never, held := make(chan struct{}), make(chan struct{})
	defer close(never)
	b.server.Inject(lyticstest.Fault{Path: scanPath, Query: "splits=" + firstPart, Skip: 1, Hold: never, Held: held})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, rows, err := b.Scan(ctx, "all", nil)
	b.must(nil, err)
	go func() {
		<-held
		cancel()
	}()
	for _, err := range rows {
		refused(t, "cancelled", err, jobs.CodeCancelled, "")
	}
	if begun, ended := begun.Load(), ended.Load(); begun != ended {
		t.Errorf("got %d requests under way after the scan, want 0", begun-ended)
	}
}

// After an answer 429 to one of the parallel scans, none of them sends a request before the
// pause that Lytics asks for is over.
func TestParallelScansPauseTogether(t *testing.T) {
	t.Parallel()
	const pause = time.Minute
	synctest.Test(t, func(t *testing.T) {
		var (
			mu    sync.Mutex
			tries int
			// refused is when the answer 429 was given.
			refused, last time.Time
			early         []time.Duration
		)
		pages := account(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			part, start := r.URL.Query().Get("splits"), r.URL.Query().Get("start")
			mu.Lock()
			defer mu.Unlock()
			if part == firstPart && start != "" && tries == 0 {
				tries++
				refused = time.Now()
				w.Header().Set("Retry-After", strconv.Itoa(int(pause.Seconds())))
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			from, _ := strconv.Atoi(start)
			total, next := 1_000, ""
			if part != "" {
				total = 125
			}
			if from+25 < total {
				next = strconv.Itoa(from + 25)
			}
			var data []string
			for i := range 25 {
				data = append(data, fmt.Sprintf(`{"_id":"%s-%d"}`, part, from+i))
			}
			_, _ = fmt.Fprintf(w, `{"status":200,"total":%d,"data":[%s],"_next":%q}`, total, strings.Join(data, ","), next)
		}))
		p := openAccount(t, "https://api.example.com", &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			last = time.Now()
			// A request that is sent in the moment of the answer 429 may not know it.
			if since := last.Sub(refused); !refused.IsZero() && since > 0 && since < pause {
				early = append(early, since)
			}
			mu.Unlock()
			time.Sleep(10 * time.Millisecond) // the bubble's time
			w := httptest.NewRecorder()
			pages.ServeHTTP(w, r)
			return w.Result(), nil
		})})
		_, rows, err := p.Scan(t.Context(), "all", nil)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range rows {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 1_000 || tries != 1 || len(early) > 0 || last.Sub(refused) < pause {
			t.Errorf("got %d profiles, %d refusals, requests %v after it, the last one after %s; want 1000, 1, none before %s",
				n, tries, early, last.Sub(refused), pause)
		}
	})
}
