package lytics_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
)

const scanPath = "/api/segment/"

// A scan returns each profile once, in spite of faults during the scan.
func TestScansAreExact(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		faults []lyticstest.Fault
		pages  int // requested pages
	}{
		"undisturbed":         {nil, 4},
		"token expired":       {[]lyticstest.Fault{{Skip: 2, Expire: true}}, 3 + 4},
		"expired twice":       {[]lyticstest.Fault{{Skip: 3, Expire: true}, {Skip: 5, Expire: true}}, 0},
		"429":                 {[]lyticstest.Fault{{Skip: 1, Status: 429, Times: 2}}, 6},
		"503":                 {[]lyticstest.Fault{{Status: 503}, {Skip: 1, Status: 503, AfterEffect: true}}, 6},
		"cut":                 {[]lyticstest.Fault{{Skip: 1, Cut: true, Partly: true}}, 5},
		"garbled":             {[]lyticstest.Fault{{Skip: 2, Garble: true}}, 5},
		"order changes":       {[]lyticstest.Fault{{Skip: 1, Back: 30}, {Skip: 1, Back: 100}}, 0},
		"a page too short":    {[]lyticstest.Fault{{Skip: 1, Miss: 7}}, 8},
		"token gone (404)":    {[]lyticstest.Fault{{Skip: 1, Status: 404}}, 2 + 4},
		"a count that is off": {[]lyticstest.Fault{{Skip: 1, Miss: 7}, {Skip: 4, Miss: 7}}, 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, o := range []lyticstest.Options{{}, {Switches: lyticstest.Switches{HideIDs: true}}} {
				b := open(t, o)
				b.profiles(350)
				for _, f := range c.faults {
					f.Path, f.Method = scanPath, http.MethodGet
					b.server.Inject(f)
				}
				got, err := b.scanned("n", "id")
				b.must(nil, err)
				want := 350
				if name == "a count that is off" {
					want -= 7
				}
				if n := len(slices.Compact(slices.Clone(got))); n != want || len(got) != want || got[0] != "1|u0000" {
					t.Errorf("%d profiles, %d of them different", len(got), n)
				}
				asked := b.asked(http.MethodGet, scanPath)
				if c.pages > 0 && len(asked) != c.pages {
					t.Errorf("%d pages were requested, want %d", len(asked), c.pages)
				}
				if q := asked[0].Query; !strings.Contains(q, "limit=100") || !strings.Contains(q, "fields=n%2Cid") {
					t.Errorf("requested with %s", q)
				}
				b.wantUnsure(0)
			}
		})
	}
}

func TestScansThatCannotBeExactFail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault lyticstest.Fault
		says  string
	}{
		"always expired": {lyticstest.Fault{Skip: 1, Expire: true, Times: -1}, "refused to go on"},
		"a loop":         {lyticstest.Fault{Skip: 1, Loop: true, Times: -1}, "again and again"},
		"a long loop":    {lyticstest.Fault{Skip: 1, Back: 100, Times: -1}, "again and again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t, lyticstest.Options{})
			b.profiles(350)
			c.fault.Path, c.fault.Method = scanPath, http.MethodGet
			b.server.Inject(c.fault)
			got, err := b.scanned()
			refused(t, name, err, jobs.CodeFailed, "", c.says)
			if len(got) > 0 {
				t.Errorf("%d profiles were given before", len(got))
			}
		})
	}
}

// The token of a scan may be the same with each page, and its end a page without profiles.
func TestAScanWhoseTokenStaysIsExact(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 100, 350, splitProfiles} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			b := open(t, lyticstest.Options{Switches: lyticstest.Switches{ScanSameToken: true}})
			b.profiles(n)
			got, err := b.scanned("n", "id")
			b.must(nil, err)
			if len(slices.Compact(slices.Clone(got))) != n || len(got) != n {
				t.Errorf("got %d profiles, want %d, each once", len(got), n)
			}
		})
	}
}

func TestScanErrors(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	b.profiles(5)
	b.server.Inject(lyticstest.Fault{Path: scanPath, Status: 403})
	_, err := b.scanned()
	refused(t, "403", err, jobs.CodeForbidden, "platform.lytics.token")
	ctx, cancel := context.WithCancel(t.Context())
	_, rows, err := b.Scan(ctx, "all", nil)
	b.must(nil, err)
	cancel()
	for _, err := range rows {
		refused(t, "cancelled", err, jobs.CodeCancelled, "")
	}
	// The error does not contain a value that cannot be converted.
	page := `{"status":200,"message":"success","_next":"","total":1,"data":[{"_id":"1","n":"ann@example.com"}]}`
	b.reopen(through(func(r *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, "/scan") {
			return http.DefaultTransport.RoundTrip(r)
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: readCloser(page), Request: r}, nil
	}))
	_, err = b.scanned()
	refused(t, "no number", err, jobs.CodeFailed, "", `"n"`)
	if strings.Contains(err.Error(), "ann@") {
		t.Errorf("the error contains a value: %v", err)
	}
	page = `{"status":200,"message":"success","_next":"","total":1,"data":[{"n":"1"}]}`
	_, err = b.scanned()
	refused(t, "nobody", err, jobs.CodeFailed, "", "cannot be identified")
}

// A profile that changed during the scan may be in two pages; the later one is used.
func TestTheLaterOfTwoPagesIsUsed(t *testing.T) {
	t.Parallel()
	pages := map[string]string{
		"":  `{"status":200,"message":"success","_next":"b","total":2,"data":[{"_id":"1","n":1},{"_id":"2","n":1}]}`,
		"b": `{"status":200,"message":"success","_next":"","total":2,"data":[{"_id":"1","n":"7","id":"u"}]}`,
	}
	b := open(t, lyticstest.Options{})
	b.profiles(1)
	b.reopen(through(func(r *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, "/scan") {
			return http.DefaultTransport.RoundTrip(r)
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: readCloser(pages[r.URL.Query().Get("start")]), Request: r}, nil
	}))
	got, err := b.scanned("n", "id")
	b.must(nil, err)
	if want := []string{"1|", "7|u"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Values of types that this provider does not know keep their JSON; a geolocation has its
// text.
func TestForeignTypes(t *testing.T) {
	t.Parallel()
	page := `{"status":200,"message":"success","_next":"","total":1,"data":[{"_id":"1","flow":{"lat":1.50,"lon":-2},"geo":{"lat":1.50,"lon":-2},"seen":["a","b"],"plain":"x"}]}`
	b := open(t, lyticstest.Options{}, through(func(r *http.Request) (*http.Response, error) {
		text := page
		switch {
		case strings.HasSuffix(r.URL.Path, "/field"):
			text = `{"status":200,"data":[{"id":"flow","type":"flows"},{"id":"geo","type":"geolocation"},{"id":"seen","type":"ts[]string"},{"id":"plain","type":"membership"},{"id":"old","type":"string","edit_status":"deleted"}]}`
		case !strings.HasSuffix(r.URL.Path, "/scan"):
			text = `{"status":200,"data":{"id":"s1","slug_name":"all","name":"All","segment_ql":"FILTER *"}}`
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: readCloser(text), Request: r}, nil
	}))
	got, err := b.scanned()
	b.must(nil, err)
	if want := []string{`{"lat":1.50,"lon":-2}|1.5,-2|x|["a","b"]`}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
