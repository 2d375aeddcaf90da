package page_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// addNeighbours adds to an example what its jobs stand between: an authorization, a
// stream with events and mappings, profiles, an audience; and of the failed run phases,
// statements, versions of the definition and an entry of the audit log.
func addNeighbours(api *exampleProduct) {
	api.env.Change(func() {
		s := api.store
		s.Authorizations["auth_7f3a"] = jobs.Authorization{ID: "auth_7f3a", AuthorizationSpec: jobs.AuthorizationSpec{
			Label: "Sales warehouse", Host: "dbc-1.example.com", HTTPPath: "/sql/1.0/warehouses/8fd1c2", CAFile: "/etc/ssl/proxy.pem",
		}}
		s.Events["refunds"], s.Events["orders"] = 260, 90_000
		s.Fields["email"] = jobs.Field{ID: "email", Type: "string", IsIdentifier: true}
		s.Fields["spent"] = jobs.Field{ID: "spent", Type: "number"}
		s.Mappings["map_1"] = jobs.Mapping{ID: "map_1", Stream: "refunds", Field: "email", Expression: "email(customer)"}
		s.Mappings["map_2"] = jobs.Mapping{ID: "map_2", Stream: "orders", Field: "spent", Expression: "sum(amount)"}
		s.Audiences["aud_1"] = jobs.Audience{ID: "aud_1", Slug: "win_back", Name: "Win-back customers", Filter: "FILTER spent > 100"}
		api.env.Profiles = []jobs.Profile{{"email": {Text: "ann@example.com"}, "spent": {Text: "214.5"}}, {"email": {Text: "bob@example.com"}}}
		for i := range s.Runs {
			if r := &s.Runs[i]; r.ID == api.failedRun {
				r.Statements = []string{"01ee-aaaa", "01ee-bbbb"}
				s.Phases[r.ID] = []jobs.PhaseStart{
					{Name: "connecting", At: *r.StartedAt}, {Name: "reading rows", At: r.StartedAt.Add(time.Second)},
				}
			}
		}
		job := s.Jobs[api.failed]
		before := job.JobSpec
		before.Import = &jobs.TableImport{}
		*before.Import = *job.Import
		before.Import.Where, before.QueryTimeout = "amount > 10", 30*time.Minute
		s.Versions[api.failed] = []jobs.JobVersion{{At: time.Now(), Actor: "ci", JobSpec: job.JobSpec}, {At: time.Now().Add(-time.Hour), JobSpec: before}}
		s.Audit = append(s.Audit, jobs.AuditEntry{
			ID: 3, At: time.Now(), Actor: "paula", Via: jobs.ViaPage, Action: "start-run", Object: api.failed, RunID: api.failedRun, Result: jobs.AuditOK,
		})
	})
}

func TestARunAndAJobHaveTheirNeighbours(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	addNeighbours(api)
	c := newClient(t, handler(api))
	c.signIn()
	for path, want := range map[string][]string{
		"/runs/" + api.failedRun: {
			"connecting", "reading rows", "https://dbc-1.example.com/sql/history?queryId=01ee-aaaa", "paula", "/runs/" + api.failedRun + "/log.txt",
		},
		"/jobs/" + api.failed: {
			"/authorizations/auth_7f3a", "import.where", "<del>amount &gt; 10</del>", "query_timeout", "paula", "/runs?job=" + api.failed,
		},
		"/authorizations/auth_7f3a": {"Sales warehouse", "dbc-1.example.com", "/sql/1.0/warehouses/8fd1c2", "/etc/ssl/proxy.pem", ">refunds</a>", "access token, kept in the store"},
		"/streams/refunds":          {"260", "event-260", `{&#34;row&#34;:260}`, ">refunds</a>", "email(customer)"},
		"/audiences/win_back":       {"Win-back customers", "FILTER spent", "ann@example.com", "Profiles now", ">win-back to marketing</a>"},
		"/audiences/aud_1":          {"Win-back customers"},
	} {
		res, body := c.get(path)
		c.is(res, http.StatusOK)
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s does not have %q", path, w)
			}
		}
	}
	for _, path := range []string{"/authorizations/none", "/streams/none", "/audiences/none", "/runs/none/log.txt"} {
		res, _ := c.get(path)
		c.is(res, http.StatusNotFound)
	}
	if _, body := c.get("/streams/refunds"); strings.Count(body, "event-") < 50 || strings.Contains(body, "event-210<") {
		t.Error("the page of the stream has not the newest 50 events")
	}
}

func TestTheLogIsSearchedAndDownloaded(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	c := newClient(t, handler(api))
	c.signIn()
	_, body := c.get("/runs/" + api.failedRun + "?log=ROW+TRACKING")
	if strings.Count(body, `<li class="l-`) != 1 || !strings.Contains(body, "has no row tracking") {
		t.Error("the log does not have the one line with the text")
	}
	res, text := c.get("/runs/" + api.failedRun + "/log.txt")
	c.is(res, http.StatusOK)
	if got, want := res.Header.Get("Content-Disposition"), "attachment; filename="+api.failedRun+".log.txt"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if strings.Count(text, "\n") != 4 || !strings.Contains(text, "error the warehouse refused the query") {
		t.Errorf("the file is not the log: %s", text)
	}
}

// A profile is found by an identifier, and its value is in no address.
func TestAProfileIsLookedUp(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	addNeighbours(api)
	c := newClient(t, handler(api))
	c.signIn()
	_, body := c.get("/profiles")
	if !strings.Contains(body, `<option value="email">email</option>`) || strings.Contains(body, `<option value="spent"`) {
		t.Error("the page does not offer the identifiers alone")
	}
	res, body := c.send(http.MethodPost, "/profiles", url.Values{"field": {"email"}, "value": {" ann@example.com "}}, nil)
	c.is(res, http.StatusOK)
	for _, want := range []string{"214.5", "event-260", `href="/streams/refunds"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the profile does not have %q", want)
		}
	}
	if _, body = c.send(http.MethodPost, "/profiles", url.Values{"field": {"email"}, "value": {"eve@example.com"}}, nil); !strings.Contains(body, "No profile has this email") {
		t.Error("the page does not say that there is no such profile")
	}
}

func TestTheFlowShowsWhatFeedsWhat(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	addNeighbours(api)
	c := newClient(t, handler(api))
	c.signIn()
	res, body := c.get("/flow")
	c.is(res, http.StatusOK)
	for _, want := range []string{
		"main.sales.refunds", `href="/streams/refunds"`, "260</span> events", "feeds 1 field", "2 fields</a> of profiles, fed from 2 streams",
		`href="/audiences/win_back"`, "Win-back customers", "main.marketing.lytics_user_win_back", "read up to", "never succeeded",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the flow does not have %q", want)
		}
	}
	if n := strings.Count(body, `class="edge s-`); n != 13 {
		t.Errorf("the flow has %d jobs, want 13", n)
	}
	if _, body = c.get("/flow?q=refunds"); strings.Count(body, `class="edge s-`) != 1 {
		t.Error("the search does not leave the one job")
	}
	// A job that succeeded long ago is old, although its state is ok.
	id := api.add(tableImport("forgotten", "forgotten", &jobs.Schedule{Frequency: jobs.Hourly}))
	api.addRun(id, time.Now().Add(-5*time.Hour), time.Second, 7, nil)
	c = newClient(t, handler(api))
	c.signIn()
	if _, body = c.get("/flow?q=forgotten"); !strings.Contains(body, "s-ok stale") || !strings.Contains(body, ">old</span>") {
		t.Error("a job that was read long ago is not said to be old")
	}
}

// The pages of the neighbours in a browser, by keyboard, and without findings of axe.
func TestNeighboursInTheBrowser(t *testing.T) {
	t.Parallel()
	api, b := overview(t)
	addNeighbours(api)
	b.visit("/profiles")
	value[bool](b, `(document.querySelector('#value').focus(), true)`)
	b.do(chromedp.KeyEvent("ann@example.com"), chromedp.KeyEvent(kb.Enter))
	b.sees("dd", "214.5")
	if at := value[string](b, `location.href`); strings.Contains(at, "ann") {
		t.Errorf("the value is in the address %s", at)
	}
	b.accessible()
	b.visit("/runs/" + api.failedRun)
	value[bool](b, `(document.querySelector('#log-search').focus(), true)`)
	b.do(chromedp.KeyEvent("tracking"))
	b.until(`document.querySelectorAll('.log li').length === 1 && location.search === '?log=tracking'`)
	b.accessible()
}
