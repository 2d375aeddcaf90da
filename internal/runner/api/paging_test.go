package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
)

// nextLink is the link to the next page.
var nextLink = regexp.MustCompile(`^<(/api/v1/[^>]*)>; rel="next"$`)

// readPages follows a list from page to page, and returns the ids of each page.
func readPages(t *testing.T, h http.Handler, path string, ids func(body string) []string) (pages [][]string) {
	t.Helper()
	for path != "" {
		resp := ask(t, h, http.MethodGet, path, "", nil)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s gave %d: %s", path, resp.StatusCode, resp.Body)
		}
		pages = append(pages, ids(resp.Body))
		path = ""
		if link := resp.Header.Get("Link"); link != "" {
			m := nextLink.FindStringSubmatch(link)
			if m == nil {
				t.Fatalf("the link is %q", link)
			}
			path = m[1]
		}
		if len(pages) > 10 {
			t.Fatal("the list does not end")
		}
	}
	return pages
}

// property reads one property of each object in a list.
func property(t *testing.T, name string) func(string) []string {
	t.Helper()
	return func(body string) (all []string) {
		var list []map[string]any
		if err := json.Unmarshal([]byte(body), &list); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		for _, o := range list {
			all = append(all, fmt.Sprint(o[name]))
		}
		return all
	}
}

func TestListsAreReadInPages(t *testing.T) {
	t.Parallel()
	f := product(t, nil)
	at := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	f.Environment().Change(func() {
		s := f.Environment().Only()
		s.Jobs = map[string]jobs.Job{}
		s.Runs = nil
		s.Quarantine = nil
		for i := range 5 {
			id := fmt.Sprint(i + 1)
			s.Jobs["job_"+id] = jobs.Job{ID: "job_" + id, JobSpec: jobs.JobSpec{Label: "label " + id}}
			s.Fields["f"+id] = jobs.Field{ID: "f" + id, Type: "string"}
			s.Runs = append(s.Runs, jobs.Run{ID: "run_" + id, JobID: "job_1", CreatedAt: at.Add(time.Duration(i) * time.Hour)})
			s.Quarantine = append(s.Quarantine, jobs.QuarantineEntry{ID: int64(i + 1), JobID: "job_1", Rows: 1})
		}
		s.Logs = map[string][]jobs.LogLine{"run_1": {{Message: "a"}, {Message: "b"}, {Message: "c"}}}
	})
	h := server(f).Handler()
	quarantined := func(body string) []string {
		var list struct {
			Entries json.RawMessage `json:"entries"`
			Total   int             `json:"total"`
		}
		if err := json.Unmarshal([]byte(body), &list); err != nil || list.Total != 5 {
			t.Fatalf("%v, %d in all", err, list.Total)
		}
		return property(t, "id")(string(list.Entries))
	}
	for path, c := range map[string]struct {
		ids  func(string) []string
		want [][]string
	}{
		"/api/v1/jobs":                             {property(t, "id"), [][]string{{"job_1", "job_2", "job_3", "job_4", "job_5"}}},
		"/api/v1/jobs?limit=5":                     {property(t, "id"), [][]string{{"job_1", "job_2", "job_3", "job_4", "job_5"}}},
		"/api/v1/jobs?limit=2":                     {property(t, "id"), [][]string{{"job_1", "job_2"}, {"job_3", "job_4"}, {"job_5"}}},
		"/api/v1/fields?limit=4":                   {property(t, "id"), [][]string{{"email", "f1", "f2", "f3"}, {"f4", "f5"}}},
		"/api/v1/runs?limit=2":                     {property(t, "id"), [][]string{{"run_5", "run_4"}, {"run_3", "run_2"}, {"run_1"}}},
		"/api/v1/runs?job_id=job_1&limit=3":        {property(t, "id"), [][]string{{"run_5", "run_4", "run_3"}, {"run_2", "run_1"}}},
		"/api/v1/runs":                             {property(t, "id"), [][]string{{"run_5", "run_4", "run_3", "run_2", "run_1"}}},
		"/api/v1/runs/run_1/log?limit=2":           {property(t, "message"), [][]string{{"a", "b"}, {"c"}}},
		"/api/v1/runs/run_1/log?after=0":           {property(t, "message"), [][]string{{"a", "b", "c"}}},
		"/api/v1/runs/run_1/log?after=3":           {property(t, "message"), [][]string{nil}},
		"/api/v1/quarantine?limit=2&job_id=job_1":  {quarantined, [][]string{{"1", "2"}, {"3", "4"}, {"5"}}},
		"/api/v1/runs?limit=9223372036854775807":   {property(t, "id"), [][]string{{"run_5", "run_4", "run_3", "run_2", "run_1"}}},
		"/api/v1/jobs?after=job_3":                 {property(t, "id"), [][]string{{"job_4", "job_5"}}},
		"/api/v1/jobs?after=job_5&limit=1":         {property(t, "id"), [][]string{nil}},
		"/api/v1/quarantine?after=4&job_id=job_1":  {quarantined, [][]string{{"5"}}},
		"/api/v1/runs?after=run_2&status=running":  {property(t, "id"), nil},
		"/api/v1/jobs?after=job_9":                 {nil, nil},
		"/api/v1/runs?after=run_9":                 {nil, nil},
		"/api/v1/runs/run_1/log?after=7":           {nil, nil},
		"/api/v1/fields?after=email&limit=1000000": {property(t, "id"), [][]string{{"f1", "f2", "f3", "f4", "f5"}}},
	} {
		if c.want == nil {
			resp := ask(t, h, http.MethodGet, path, "", nil)
			if resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(resp.Body, "from its beginning") {
				t.Errorf("%s gave %d: %s", path, resp.StatusCode, resp.Body)
			}
			continue
		}
		if diff := cmp.Diff(c.want, readPages(t, h, path, c.ids)); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", path, diff)
		}
	}
}

func TestDurationsOfARequestAreSecondsOrNanoseconds(t *testing.T) {
	t.Parallel()
	f := product(t, nil)
	f.Environment().Change(func() {
		f.Environment().Only().Jobs = map[string]jobs.Job{}
		f.Environment().Only().Authorizations["auth_1"] = jobs.Authorization{ID: "auth_1", AuthorizationSpec: jobs.AuthorizationSpec{Host: "h"}}
	})
	h := server(f).Handler()
	for i, timeout := range []string{`"query_timeout_seconds": 120`, `"query_timeout_ns": 120000000000`} {
		table := fmt.Sprintf(`"table": "t%d"`, i)
		resp := ask(t, h, http.MethodPost, "/api/v1/jobs", `{"label": "a", "authorization_id": "auth_1", "fail_on_error": true, `+timeout+`,
			"import": {"catalog": "c", "database": "d", `+table+`, "timestamp_column": "ts", "stream": "s`+fmt.Sprint(i)+`", "lookback_seconds": 60}}`, nil)
		var got struct {
			Timeout   int64 `json:"query_timeout_seconds"`
			TimeoutNS int64 `json:"query_timeout_ns"`
			Import    struct {
				Lookback int64 `json:"lookback_seconds"`
			} `json:"import"`
		}
		if err := json.Unmarshal([]byte(resp.Body), &got); err != nil || got.Timeout != 120 || got.TimeoutNS != 120e9 || got.Import.Lookback != 60 {
			t.Errorf("%s gave %d: %s", timeout, resp.StatusCode, resp.Body)
		}
	}
	for _, wrong := range []string{`"query_timeout_seconds": -1`, `"query_timeout_seconds": "1m"`, `"query_timeout_minutes": 1`} {
		resp := ask(t, h, http.MethodPost, "/api/v1/jobs", `{"label": "a", "authorization_id": "auth_1", "fail_on_error": true, `+wrong+`}`, nil)
		if resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(resp.Body, strings.Split(wrong, `"`)[1]) {
			t.Errorf("%s gave %d: %s", wrong, resp.StatusCode, resp.Body)
		}
	}
}

// described is what the tests read of the description.
type described struct {
	Servers []struct{ URL string }  `json:"servers"`
	Tags    []struct{ Name string } `json:"tags"`
	Paths   map[string]map[string]struct {
		ID         string   `json:"operationId"`
		Tags       []string `json:"tags"`
		Parameters []struct{ Name, In string }
		Responses  map[string]struct {
			Headers map[string]any
			Content map[string]struct {
				Schema struct {
					Type any
					Ref  string `json:"$ref"`
				}
			}
		}
	} `json:"paths"`
	Components struct {
		Schemas map[string]struct {
			Properties map[string]struct {
				Description string
				Deprecated  bool
			}
		}
	} `json:"components"`
}

func description(t *testing.T) (d described) {
	t.Helper()
	if err := json.Unmarshal(api.Description, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestEveryListOfTheDescriptionHasPages(t *testing.T) {
	t.Parallel()
	// Objects whose main part is a list.
	lists := []string{"QuarantineList", "AuditPage", "CatalogListing"}
	found := 0
	for path, operations := range description(t).Paths {
		for method, o := range operations {
			for mediaType, content := range o.Responses["200"].Content {
				name := content.Schema.Ref[strings.LastIndex(content.Schema.Ref, "/")+1:]
				isList := strings.Contains(fmt.Sprint(content.Schema.Type), "array") || slices.Contains(lists, name)
				if mediaType != "application/json" || !isList {
					continue
				}
				found++
				has := map[string]bool{}
				for _, p := range o.Parameters {
					has[p.Name] = p.In == "query"
				}
				_, linked := o.Responses["200"].Headers["Link"]
				if !has["limit"] || !has["after"] && !has["before"] || !linked && name != "AuditPage" {
					t.Errorf("%s %s has no pages: %v", method, path, has)
				}
			}
		}
	}
	if found < 14 {
		t.Errorf("only %d lists were found", found)
	}
}

func TestTheDescriptionHasServersTagsAndNoNanosecondsAlone(t *testing.T) {
	t.Parallel()
	d := description(t)
	if len(d.Servers) == 0 {
		t.Error("there are no servers")
	}
	declared, used := map[string]bool{}, map[string]bool{}
	for _, tag := range d.Tags {
		declared[tag.Name] = true
	}
	for path, operations := range d.Paths {
		for method, o := range operations {
			if len(o.Tags) != 1 || !declared[o.Tags[0]] {
				t.Errorf("%s %s has the tags %v", method, path, o.Tags)
				continue
			}
			used[o.Tags[0]] = true
		}
	}
	if diff := cmp.Diff(declared, used); diff != "" {
		t.Errorf("declared tags -, used ones +:\n%s", diff)
	}
	nanoseconds := 0
	for name, schema := range d.Components.Schemas {
		for property, p := range schema.Properties {
			begin, ok := strings.CutSuffix(property, "_ns")
			if !ok {
				continue
			}
			nanoseconds++
			if s, ok := schema.Properties[begin+"_seconds"]; !ok || s.Description == "" || !p.Deprecated {
				t.Errorf("%s.%s has no description in seconds, or is not deprecated", name, property)
			}
		}
	}
	if nanoseconds != 3 {
		t.Errorf("%d properties in nanoseconds were found", nanoseconds)
	}
}
