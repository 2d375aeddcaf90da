package lytics_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// lyticsResults are calls with their results: the number of entries, or an id. They need the
// answers that they name first; the mutated answer is that of the last one.
var lyticsResults = []struct {
	name, answer string
	// list is the key of the list in the answer, if the result is a number of entries. With
	// more words, the call counts some of the entries.
	list string
	// want is the result of the answer as it is recorded.
	want any
	call func(ctx context.Context, p *lytics.Platform) (any, error)
}{
	{"account", "GET /v2/account", "", 2, func(ctx context.Context, p *lytics.Platform) (any, error) {
		l, err := p.Fields(ctx)
		return len(l), err
	}},
	{"fields", "GET /v2/schema/user/field", "data", 2, func(ctx context.Context, p *lytics.Platform) (any, error) {
		l, err := p.Fields(ctx)
		return len(l), err
	}},
	{"field", "GET /v2/schema/user/field/n", "", "n", func(ctx context.Context, p *lytics.Platform) (any, error) {
		f, err := p.Field(ctx, "n")
		return f.ID, err
	}},
	{"create field", "POST /v2/schema/user/field", "", "m", func(ctx context.Context, p *lytics.Platform) (any, error) {
		f, err := p.CreateField(ctx, jobs.Field{ID: "m", Type: "int", MergeOperation: "sum"})
		return f.ID, err
	}},
	{"mappings", "GET /v2/schema/user/mapping", "data", 1, func(ctx context.Context, p *lytics.Platform) (any, error) {
		l, err := p.Mappings(ctx)
		return len(l), err
	}},
	{"mapping", "GET /v2/schema/user/mapping/" + mappingID, "", mappingID, func(ctx context.Context, p *lytics.Platform) (any, error) {
		m, err := p.Mapping(ctx, mappingID)
		return m.ID, err
	}},
	{"create mapping", "POST /v2/schema/user/mapping", "", mappingID, func(ctx context.Context, p *lytics.Platform) (any, error) {
		m, err := p.CreateMapping(ctx, jobs.Mapping{Stream: "t", Field: "n", Expression: "n"})
		return m.ID, err
	}},
	{"audiences", "GET /v2/segment", "data", 1, func(ctx context.Context, p *lytics.Platform) (any, error) {
		l, err := p.Audiences(ctx)
		return len(l), err
	}},
	{"audience", "GET /v2/segment/all", "", segmentID, func(ctx context.Context, p *lytics.Platform) (any, error) {
		a, err := p.Audience(ctx, "all")
		return a.ID, err
	}},
	{"create audience", "POST /v2/segment", "", segmentID, func(ctx context.Context, p *lytics.Platform) (any, error) {
		a, err := p.CreateAudience(ctx, jobs.Audience{Name: "Some", Slug: "some", Filter: "*"})
		return a.ID, err
	}},
	{"delete audience", "DELETE /v2/segment/" + segmentID, "", nil, func(ctx context.Context, p *lytics.Platform) (any, error) {
		return nil, p.DeleteAudience(ctx, segmentID)
	}},
	{"size", "GET /v2/segment/all", "", int64(2), func(ctx context.Context, p *lytics.Platform) (any, error) {
		return p.AudienceSize(ctx, "all")
	}},
	{"scan", "GET /api/segment/" + segmentID + "/scan", "data with an id", 2, scanRows},
	{"scan", "GET /api/segment/" + segmentID + "/scan", "data with an id", 2, scanRows},
	{"streams", "GET /v2/stream", "data", 2, func(ctx context.Context, p *lytics.Platform) (any, error) {
		l, err := p.Streams(ctx)
		return len(l), err
	}},
	{"stream", "GET /v2/stream/s", "", int64(12), func(ctx context.Context, p *lytics.Platform) (any, error) {
		s, err := p.StreamInfo(ctx, "s")
		return s.Events, err
	}},
	{"profile", "GET /api/entity/user/email/a@x.com", "", "found", func(ctx context.Context, p *lytics.Platform) (any, error) {
		_, err := p.Profile(ctx, jobs.Identity{Field: "email", Value: "a@x.com"})
		return "found", err
	}},
	{"erase", "DELETE /api/entity/user/email/a@x.com", "", erasureID, func(ctx context.Context, p *lytics.Platform) (any, error) {
		e, err := p.RequestErasure(ctx, jobs.ErasureRequest{Identity: jobs.Identity{Field: "email", Value: "a@x.com"}})
		return e.RequestID, err
	}},
	{"erasure", "GET /api/entity/deletestatus/" + erasureID, "", true, func(ctx context.Context, p *lytics.Platform) (any, error) {
		return p.ErasureDone(ctx, erasureID)
	}},
	{"authorizations", "GET /v2/auth", "data of a type", 1, func(ctx context.Context, p *lytics.Platform) (any, error) {
		l, err := p.AccountAuths(ctx)
		return len(l), err
	}},
	{"authorization", "GET /v2/auth/" + authID, "", authID, func(ctx context.Context, p *lytics.Platform) (any, error) {
		a, err := p.AccountAuth(ctx, authID)
		return a.ID, err
	}},
	{"create authorization", "POST /v2/auth/databricks-db", "", authID, func(ctx context.Context, p *lytics.Platform) (any, error) {
		a, err := p.CreateAccountAuth(ctx, lytics.AuthDefinition{Label: "Warehouse"})
		return a.ID, err
	}},
	{"replace authorization", "PUT /v2/auth/databricks-db/" + authID, "", authID, func(ctx context.Context, p *lytics.Platform) (any, error) {
		a, err := p.ReplaceAccountAuth(ctx, authID, lytics.AuthDefinition{Label: "Warehouse"})
		return a.ID, err
	}},
	{"delete authorization", "DELETE /v2/auth/" + authID, "", nil, func(ctx context.Context, p *lytics.Platform) (any, error) {
		return nil, p.DeleteAccountAuth(ctx, authID)
	}},
	{"jobs", "GET /v2/job", "data of a type", 1, func(ctx context.Context, p *lytics.Platform) (any, error) {
		l, err := p.AccountJobs(ctx)
		return len(l), err
	}},
	{"job", "GET /v2/job/" + jobID, "", jobID, func(ctx context.Context, p *lytics.Platform) (any, error) {
		j, err := p.AccountJob(ctx, jobID)
		return j.ID, err
	}},
	{"create job", "POST /v2/job/databricks-import", "", jobID, func(ctx context.Context, p *lytics.Platform) (any, error) {
		j, err := p.CreateAccountJob(ctx, lytics.JobDefinition{Workflow: lytics.WorkflowImport, Name: "Orders"})
		return j.ID, err
	}},
	{"replace job", "PUT /v2/job/databricks-import/" + jobID, "", jobID, func(ctx context.Context, p *lytics.Platform) (any, error) {
		j, err := p.ReplaceAccountJob(ctx, lytics.AccountJob{ID: jobID}, lytics.JobDefinition{Workflow: lytics.WorkflowImport, Name: "Orders"})
		return j.ID, err
	}},
	{"pause job", "POST /v2/job/" + jobID + "/pause", "", nil, func(ctx context.Context, p *lytics.Platform) (any, error) {
		return nil, p.SteerAccountJob(ctx, jobID, lytics.ActionPause)
	}},
	{"log", "GET /v2/job/" + jobID + "/logs", "data", 1, func(ctx context.Context, p *lytics.Platform) (any, error) {
		l, err := p.AccountJobLog(ctx, jobID)
		return len(l), err
	}},
	{"append", "POST /collect/bulk/s", "", int64(3), appendThree},
	{"append", "POST /collect/bulk/s", "", int64(3), appendThree},
}

// scanRows scans the audience, and counts the rows that have as many values as there are
// columns.
func scanRows(ctx context.Context, p *lytics.Platform) (any, error) {
	columns, rows, err := p.Scan(ctx, "all", nil)
	if err != nil {
		return 0, err
	}
	n := 0
	for row, err := range rows {
		if err != nil {
			return 0, err
		}
		if len(row) == len(columns) {
			n++
		}
	}
	return n, nil
}

func appendThree(ctx context.Context, p *lytics.Platform) (any, error) {
	result, err := p.Append(ctx, "s", events(0, 3), nil)
	return result.Written + result.Rejected, err
}

// openMutated opens a platform whose answer to one request is another one.
func openMutated(t *testing.T, db *store.DB, request string, answer *hostiletest.Recording) *lytics.Platform {
	t.Helper()
	dial := hostiletest.Serve(func(r *http.Request) hostiletest.Recording {
		key := r.Method + " " + r.URL.Path
		if answer != nil && key == request {
			return *answer
		}
		if valid, ok := lyticsAnswers[key]; ok {
			return valid
		}
		return hostiletest.Recording{Status: 500, Body: `{"message":"no answer of ` + key + `","status":500}`}
	})
	p, err := lytics.Open(lytics.Config{
		Token: fixed(canary), APIURL: "http://127.0.0.1:8080", BulkURL: "http://127.0.0.1:8080", DB: db,
		HTTP: &http.Client{Transport: &http.Transport{DialContext: dial}},
	})
	if err != nil {
		t.Fatal(err)
	}
	lytics.UseFakeClock(p)
	return p
}

func openStore(t *testing.T) *store.DB {
	t.Helper()
	db, err := storetest.Open(t.Context(), store.Location{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// The recorded answers are read as they are.
func TestRecordedAnswersOfLytics(t *testing.T) {
	t.Parallel()
	db := openStore(t)
	if _, err := openMutated(t, db, "", nil).CheckAccount(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range lyticsResults {
		got, err := c.call(t.Context(), openMutated(t, db, "", nil))
		if err != nil || got != c.want {
			t.Errorf("%s: got %v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

// saysMissing matches an answer that may say that an object does not exist any more.
var saysMissing = regexp.MustCompile(`(?i)deleted|deleting|killed|not.found|"deleted":true`)

// Checklist 73: a mutated answer of Lytics is an error or is read as it is.
func TestMutatedAnswersOfLytics(t *testing.T) {
	t.Parallel()
	hostiletest.InProcess(t, func(t *testing.T) {
		t.Helper()
		db := openStore(t)
		if _, err := openMutated(t, db, "", nil).CheckAccount(t.Context()); err != nil {
			t.Fatal(err)
		}
		hostiletest.EachSeed(t, false, func(t *testing.T, r *rand.Rand) error {
			t.Helper()
			c := lyticsResults[r.IntN(len(lyticsResults))]
			mutant := hostiletest.Mutate(r, lyticsAnswers[c.answer])
			p := openMutated(t, db, c.answer, &mutant)
			got, err := c.call(t.Context(), p)
			if err != nil {
				err = hostiletest.CheckError(err, mutant.Missing() || saysMissing.MatchString(mutant.Body))
			} else {
				err = checkLyticsResult(mutant, c.name, c.list, c.want, got)
			}
			if err != nil {
				return fmt.Errorf("%s with %s: %w", c.name, mutant, err)
			}
			return p.Close()
		})
	})
}

// checkLyticsResult checks the result of a call that did not fail.
func checkLyticsResult(mutant hostiletest.Recording, name, list string, want, got any) error {
	text, ok := mutant.Text(true)
	key, some, filtered := strings.Cut(list, " ")
	lengths := hostiletest.Lengths(text, key)
	n, isNumber := got.(int)
	counted := gjson.Get(text, "data.message_count")
	switch {
	case mutant.Status/100 != 2 && want != nil:
		return fmt.Errorf("status %d is a success", mutant.Status)
	case !ok && mutant.Status/100 == 2:
		return errors.New("an incomplete answer is a success")
	case name == "append" && gjson.Get(text, "data.dryrun").Bool(),
		name == "append" && counted.Type != gjson.Number && !gjson.Get(text, "data.rejected_count").Exists():
		return errors.New("an answer that does not count the events is a success")
	case list == "" && got == want:
		return nil
	case list != "" && !isNumber, list != "" && !filtered && !slices.Contains(lengths, n), filtered && n > slices.Max(lengths),
		some == "with an id" && n == 0 && slices.Min(lengths) > 0:
		return fmt.Errorf("the list has %v entries", got)
	case list != "", strings.Contains(text, `\u`):
		return nil
	}
	// A value that was changed is read as it is.
	if s, isText := got.(string); isText && s != "" && strings.Contains(text, s) {
		return nil
	}
	if raw := fmt.Sprint(got); raw != "" && raw != "0" && strings.Contains(text, raw) {
		return nil
	}
	if got == int64(0) && slices.ContainsFunc([]string{"count", "size", "data.count", "data.size", "data.ct"}, func(path string) bool {
		return gjson.Get(text, path).Raw == "0"
	}) {
		return nil
	}
	return fmt.Errorf("the result is %#v", got)
}

// What Lytics accepted and did not name is not asked for again: it would be there twice.
func TestAnUnnamedObjectIsNotCreatedTwice(t *testing.T) {
	t.Parallel()
	db := openStore(t)
	for name, mutant := range map[string]hostiletest.Recording{
		"204":                 {Status: http.StatusNoContent},
		"null":                hostiletest.OK(`null`),
		"an empty object":     hostiletest.OK(`{}`),
		"no data":             hostiletest.OK(`{"status":201}`),
		"data of null":        v2(201, `null`),
		"data without an id":  v2(201, `{"name":"Orders","slug_name":"some","status":"initializing","workflow":"databricks_import"}`),
		"a number for the id": v2(201, `{"id":7,"name":"Orders","slug_name":"some","status":"initializing","workflow":"databricks_import"}`),
		"text after the JSON": hostiletest.OK(`{"data":` + jobOne + `,"status":201}x`),
		"a page":              {Status: http.StatusOK, Body: `<html><body>Sign in</body></html>`},
		"half of it":          {Status: http.StatusCreated, Body: `{"data":{"id":"` + jobID},
	} {
		for _, c := range lyticsResults {
			if !strings.HasPrefix(c.name, "create ") || c.name == "create field" {
				continue
			}
			asked := 0
			dial := hostiletest.Serve(func(r *http.Request) hostiletest.Recording {
				key := r.Method + " " + r.URL.Path
				if key == c.answer {
					asked++
					return mutant
				}
				return lyticsAnswers[key]
			})
			p := openAccount(t, "http://127.0.0.1:8080", &http.Client{Transport: &http.Transport{DialContext: dial}})
			lytics.UseDB(p, db)
			lytics.UseFakeClock(p)
			_, err := c.call(t.Context(), p)
			if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Next == "" || asked != 1 {
				t.Errorf("%s, %s: asked %d times: %v", c.name, name, asked, err)
			}
			if !lytics.Unsure(err) || !lytics.Accepted(err) {
				t.Errorf("%s, %s: the outcome counts as known: %v", c.name, name, err)
			}
		}
	}
}
