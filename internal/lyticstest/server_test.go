package lyticstest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
)

const token = "at.test"

// account is a stand-in and a plain HTTP client.
type account struct {
	*lyticstest.Server
	t *testing.T
}

func open(t *testing.T, o lyticstest.Options) account {
	t.Helper()
	o.Token = token
	s, err := lyticstest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return account{s, t}
}

// call sends a body as JSON, or a string as it is with a content type in front:
// "application/csv;a,b".
func (a account) call(method, path string, body any) (int, gjson.Result) {
	a.t.Helper()
	contentType, text := "", ""
	switch b := body.(type) {
	case nil:
	case string:
		contentType, text, _ = strings.Cut(b, ";")
	default:
		j, err := json.Marshal(b)
		if err != nil {
			a.t.Fatal(err)
		}
		contentType, text = "application/json", string(j)
	}
	base := a.APIURL
	if strings.HasPrefix(path, "/collect/bulk") {
		base = a.BulkURL
	}
	r, err := http.NewRequestWithContext(a.t.Context(), method, base+path, strings.NewReader(text))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", token)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, gjson.ParseBytes(answer)
}

// want calls, and checks the status and the value at a path of the answer.
func (a account) want(method, path string, body any, status int, at, value string) gjson.Result {
	a.t.Helper()
	got, answer := a.call(method, path, body)
	if got != status || at != "" && answer.Get(at).String() != value {
		a.t.Errorf("%s %s: got %d %s, want %d with %s %q", method, path, got, answer, status, at, value)
	}
	return answer
}

type object = map[string]any

func TestJobs(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := open(t, lyticstest.Options{Now: func() time.Time { return now }})
	const path = "/v2/job/databricks-import"
	config := object{"database": "d", "source": "t"}
	a.want("POST", path, object{"name": "j", "config": object{"database": "d"}}, 400, "errors.0.code", "JOB-BADREQ-002")
	a.want("POST", path, object{"name": "j", "config": object{"database": "d", "source": "t", "where": "x"}}, 400, "", "")
	a.want("POST", path, object{"name": "j", "config": config}, 201, "data.status", "running")
	body := object{"name": "j", "description": "d", "config": config}
	id := a.want("POST", path+"?run_job=false", body, 201, "data.status", "initializing").Get("data.id").String()
	a.want("PUT", path+"/"+id, object{"name": "k", "config": config}, 200, "data.description", "")
	a.want("POST", "/v2/job/"+id+"/resume", nil, 200, "data.status", "running")
	a.FinishRun(id, "sleeping", now.Add(time.Hour))
	a.want("GET", "/v2/job/"+id, nil, 200, "data.sleep_until", "2026-01-01T01:00:00Z")
	a.want("POST", "/v2/job/"+id+"/pause", nil, 200, "data.status", "paused")
	a.want("POST", "/v2/job/"+id+"/kill", nil, 200, "data.deleted", "true")
	a.want("GET", "/v2/job/"+id, nil, 200, "data.status", "deleted")
	a.want("POST", "/v2/job/"+id+"/resume", nil, 404, "errors.0.code", "JOB-NOTFOUND-004")
	a.want("GET", "/v2/job", nil, 200, "data.#", "1")
	a.want("GET", "/v2/job?show_all=true", nil, 200, "data.#", "2")
	for range 8 {
		a.want("POST", path, object{"name": "j", "config": config}, 201, "", "")
	}
	a.want("POST", path, object{"name": "j", "config": config}, 429, "", "")
	now = now.Add(time.Hour)
	export := object{"database": "d", "segment_id": "s", "run_frequency": "hourly"}
	a.want("POST", "/v2/job/databricks-export", object{"name": "e", "config": export}, 400, "errors.0.message", "run_frequency is daily, weekly or monthly")
	a.want("DELETE", "/v2/job/"+id, nil, 404, "", "")
}

func TestAuthorizations(t *testing.T) {
	t.Parallel()
	const path = "/v2/auth/databricks-db"
	config := object{"host": "h", "port": 443, "httppath": "/p", "token": "secret"}
	partly := object{"label": "b", "config": object{"host": "h", "httppath": "/p"}}
	for _, lenient := range []bool{false, true} {
		a := open(t, lyticstest.Options{Switches: lyticstest.Switches{UnhealthyAuth: lenient, KeepOmittedConfig: lenient}})
		made := a.want("POST", path, object{"label": "a", "config": config}, 201, "data.status", "healthy")
		if made.Get("data.config").Exists() {
			t.Error("the answer has the config")
		}
		id := made.Get("data.id").String()
		a.want("POST", path, object{"label": "a"}, 400, "errors.0.code", "AUTH-BADREQ-008")
		away := object{"label": "a", "config": object{"host": lyticstest.Unreachable, "httppath": "/p", "token": "t"}}
		if lenient {
			a.want("POST", path, away, 201, "data.status", "unhealthy")
			a.want("PUT", path+"/"+id, partly, 200, "data.status", "healthy")
		} else {
			a.want("POST", path, away, 400, "", "")
			a.want("PUT", path+"/"+id, partly, 400, "", "")
		}
		a.want("DELETE", "/v2/auth/"+id, nil, 204, "", "")
		a.want("GET", "/v2/auth/"+id, nil, 404, "errors.0.code", "AUTH-NOTFOUND-006")
	}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	const path = "/collect/bulk/s"
	rows := `application/json;{"n":1} {"n":[{"x":1}]} {"n":3}`
	a := open(t, lyticstest.Options{})
	a.want("POST", path+"?dryrun=true&droperrors=true", rows, 200, "data.rejected_count", "1")
	a.want("GET", "/v2/stream/s", nil, 404, "", "")
	a.want("POST", path+"?droperrors=true", rows, 200, "data.message_count", "2")
	a.want("POST", path, rows, 200, "data.message_count", "1")
	a.want("GET", "/v2/stream/s", nil, 200, "data.count", "3")
	a.want("POST", path, `application/json;[{"n":1}]`, 400, "", "")
	a.want("POST", path+"?delimiter=t", "application/csv;a\tb\n1\t\"x\ty\"\n", 200, "data.message_count", "1")
	events, err := a.Events(t.Context(), "s")
	if err != nil || events[len(events)-1] != `{"a":"1","b":"x\ty"}` {
		t.Errorf("the events are %v, %v", events, err)
	}
	a.want("POST", "/collect/json/s", `application/json;{"n":"`+strings.Repeat("x", 5000)+`"}`, 200, "data.rejected_count", "1")
	a = open(t, lyticstest.Options{Switches: lyticstest.Switches{
		AcceptArrays: true, RefuseLines: true, BlindDryRun: true, StopKeepsNothing: true, CountRejected: true,
	}})
	a.want("POST", path, rows, 400, "", "")
	a.want("POST", path+"?dryrun=true", `application/json;[{"n":1},{"n":[{"x":1}]}]`, 200, "data.rejected_count", "0")
	a.want("POST", path, `application/json;[{"n":1},{"n":[{"x":1}]}]`, 200, "data.message_count", "1")
	a.want("GET", "/v2/stream/s", nil, 404, "", "")
}

func TestProfilesAreErasedAfterAWhile(t *testing.T) {
	t.Parallel()
	a := open(t, lyticstest.Options{})
	a.want("POST", "/v2/schema/user/field", object{"id": "email", "type": "string", "is_identifier": true, "mergeop": "latest"}, 400, "errors.0.message",
		"Identifier Field cannot define a Merge Operation.")
	a.want("POST", "/v2/schema/user/field", object{"id": "email", "type": "string", "is_identifier": true}, 201, "data.mergeop", "latest")
	a.want("POST", "/v2/schema/user/mapping", object{"field": "email", "stream": "s", "expr": "email"}, 201, "", "")
	a.want("POST", "/v2/schema/user/publish", object{"tag": "t"}, 400, "", "")
	a.want("GET", "/v2/schema/user/compare", nil, 200, "data.fields.#", "1")
	a.want("POST", "/v2/schema/user/publish", object{"tag": "t", "description": "d"}, 200, "", "")
	a.want("POST", "/collect/bulk/s", `application/json;{"email":"a@x.io"}`, 200, "", "")
	const path = "/api/entity/user/email/a@x.io"
	a.want("GET", path, nil, 200, "data.email", "a@x.io")
	a.want("GET", "/v2/identity/user/email/b@x.io", nil, 404, "", "")
	a.want("GET", "/api/entity/user/email/b@x.io", nil, 200, "message", "Not Found")
	id := a.want("DELETE", path+"?conflicts=false", nil, 200, "data.complete", "false").Get("data.request_id").String()
	a.want("GET", "/api/entity/deletestatus/"+id, nil, 200, "data.complete", "false")
	a.want("GET", "/api/entity/deletestatus/"+id, nil, 200, "data.complete", "true")
	a.want("GET", path, nil, 200, "message", "Not Found")
	a.want("POST", "/v2/schema/expression/evaluate", object{"expression": "email(email)", "data": object{"email": "A@X.io"}}, 200, "data", "a@x.io")
}

func TestSplitsAreGroupsOfTheProfiles(t *testing.T) {
	t.Parallel()
	for meaning, want := range map[lyticstest.SplitsMeaning][2]int{
		"": {120, 120}, lyticstest.SplitsIgnored: {240, 240}, lyticstest.SplitsCountAll: {120, 240},
	} {
		a := open(t, lyticstest.Options{Switches: lyticstest.Switches{Splits: meaning}})
		a.want("POST", "/v2/schema/user/field", object{"id": "email", "type": "string", "is_identifier": true}, 201, "", "")
		a.want("POST", "/v2/schema/user/mapping", object{"field": "email", "stream": "s", "expr": "email"}, 201, "", "")
		a.want("POST", "/v2/schema/user/publish", object{"tag": "t", "description": "d"}, 200, "", "")
		events := ""
		for i := range 120 {
			events += fmt.Sprintf(`{"email":"u%d@x.io"}`, i)
		}
		a.want("POST", "/collect/bulk/s", "application/json;"+events, 200, "", "")
		id := a.want("POST", "/v2/segment", object{
			"name": "All", "slug_name": "all", "description": "d", "segment_ql": "FILTER *", "kind": "segment", "table": "user",
			"is_public": false, "save_hist": true,
		}, 201, "", "").Get("data.id").String()
		path := "/api/segment/" + id + "/scan?limit=100"
		var lists [2][]string
		for n := range 100 {
			lists[n%2] = append(lists[n%2], strconv.Itoa(n))
		}
		profiles, totals := 0, 0
		for _, list := range lists {
			splits := "&splits=" + strings.Join(list, ",")
			for start := ""; ; {
				_, page := a.call("GET", path+splits+"&start="+start, nil)
				profiles += len(page.Get("data").Array())
				if start == "" {
					totals += int(page.Get("total").Int())
				}
				if start = page.Get("_next").String(); start == "" {
					break
				}
			}
		}
		if got := [2]int{profiles, totals}; got != want {
			t.Errorf("%q: got profiles and totals %v of both halves, want %v", meaning, got, want)
		}
		a.want("GET", path+"&splits=100", nil, 400, "", "")
		a.want("GET", path+"&splits=1,x", nil, 400, "", "")
		next := a.want("GET", path, nil, 200, "total", "120").Get("_next").String()
		a.want("GET", path+"&splits=1&start="+next, nil, 400, "", "")
	}
}
