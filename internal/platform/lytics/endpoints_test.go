package lytics_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
)

// accountGuide is the guide with the table of the endpoints.
const accountGuide = "../../../templates/guides/lytics-account.md"

// endpointRow is a row of the table: the calls, each in back-quotes, and the right.
var (
	endpointRow = regexp.MustCompile("(?m)^\\| (`(?:GET|POST|PUT|DELETE) [^|]*) \\|")
	endpoint    = regexp.MustCompile("`((?:GET|POST|PUT|DELETE) [^` ]+)`")
	parameter   = regexp.MustCompile(`\{[a-z_]+\}`)
)

// A user gives a token the rights that the guide lists, so the guide has to list
// every call that the client makes, and no other.
func TestTheGuideListsTheEndpointsThatAreCalled(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(accountGuide)
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, row := range endpointRow.FindAllStringSubmatch(string(text), -1) {
		for _, m := range endpoint.FindAllStringSubmatch(row[1], -1) {
			listed = append(listed, m[1])
		}
	}
	called := map[string]bool{}
	for _, o := range []lyticstest.Options{
		{}, {Patches: true}, {Switches: lyticstest.Switches{AccountV1: true, MappingByCollection: true, StartByBounce: true}},
	} {
		for _, r := range everyCall(t, o) {
			name := r.Method + " " + r.Path
			if i := slices.IndexFunc(listed, func(l string) bool { return describes(l, name) }); i >= 0 {
				called[listed[i]] = true
				continue
			}
			t.Errorf("%s lacks a row for %s", accountGuide, name)
		}
	}
	var unused []string
	for _, l := range listed {
		if !called[l] {
			unused = append(unused, l)
		}
	}
	if d := cmp.Diff([]string(nil), unused); d != "" || len(listed) < 20 {
		t.Errorf("%s lists %d calls, and these are not made:\n%s", accountGuide, len(listed), d)
	}
}

// describes reports whether a row of the table describes a call: a parameter in
// braces stands for one segment of the path.
func describes(row, call string) bool {
	var b strings.Builder
	last := 0
	for _, at := range parameter.FindAllStringIndex(row, -1) {
		b.WriteString(regexp.QuoteMeta(row[last:at[0]]) + "[^/]+")
		last = at[1]
	}
	return regexp.MustCompile("^" + b.String() + regexp.QuoteMeta(row[last:]) + "$").MatchString(call)
}

// everyCall uses all that the client can do with an account, and returns the
// requests that the account received.
func everyCall(t *testing.T, o lyticstest.Options) []lyticstest.Request {
	t.Helper()
	b := open(t, o, waiting(1))
	ctx := t.Context()
	if _, err := b.CheckAccount(ctx); err != nil {
		t.Fatal(err)
	}
	b.profiles(3)
	if _, err := b.await(); len(err) > 0 {
		t.Errorf("the wait reported progress %v, want none", err)
	}
	// Definitions: the objects of profiles are changed, read, and some deleted.
	b.must(b.PutField(ctx, jobs.Field{ID: "n", Type: "int", MergeOperation: "max"}))
	b.must(b.Field(ctx, "n"))
	mappings, err := b.Mappings(ctx)
	b.must(nil, err)
	m := mappings[slices.IndexFunc(mappings, func(m jobs.Mapping) bool { return m.Field == "n" })]
	b.must(b.Mapping(ctx, m.ID))
	m.Expression = "toint(n)"
	b.must(b.PutMapping(ctx, m))
	for attribute, text := range map[string]string{"filter": "FILTER *", "expression": "toint(n)"} {
		b.must(b.JudgeDraft(ctx, jobs.Draft{Attribute: attribute, Text: text}))
	}
	a, err := b.Audience(ctx, "all")
	b.must(nil, err)
	a.Description = "changed"
	b.must(b.PutAudience(ctx, a))
	b.must(b.Audiences(ctx))
	b.must(b.AudienceSize(ctx, "all"))
	b.must(b.scanned("id"))
	b.must(b.Streams(ctx))

	e, err := b.RequestErasure(ctx, jobs.ErasureRequest{Identity: jobs.Identity{Field: "id", Value: "u0001"}})
	b.must(nil, err)
	b.must(b.ErasureDone(ctx, e.RequestID))
	b.managedCalls(a.ID)
	b.must(nil, b.DeleteAudience(ctx, a.ID))
	b.must(nil, b.DeleteMapping(ctx, m.ID))
	b.must(nil, b.DeleteField(ctx, "n"))
	if o.Patches {
		// A patch that cannot be applied is removed.
		b.server.Inject(lyticstest.Fault{Method: http.MethodPost, Path: "/v2/schema/patch/user/", Skip: 1, Status: http.StatusBadRequest})
		if _, err := b.CreateField(ctx, jobs.Field{ID: "late", Type: "string"}); err == nil {
			t.Error("a patch that Lytics does not apply gave no error")
		}
	}
	return b.server.Requests()
}

// managedCalls creates, changes, starts and removes what Lytics executes itself.
func (b *fixture) managedCalls(segment string) {
	b.t.Helper()
	ctx := b.t.Context()
	d := lytics.AuthDefinition{Label: "w", Host: "h.example", Port: 443, HTTPPath: "/sql/1", Token: jobs.NewSecret("dapi")}
	auth, err := b.CreateAccountAuth(ctx, d)
	b.must(nil, err)
	b.must(b.AccountAuths(ctx))
	b.must(b.AccountAuth(ctx, auth.ID))
	b.must(b.ReplaceAccountAuth(ctx, auth.ID, d))
	for workflow, config := range map[string]map[string]any{
		"databricks-import": {"database": "sales", "source": "people", "stream": "s"},
		"databricks-export": {"database": "sales", "segment_id": segment},
	} {
		definition := lytics.JobDefinition{Workflow: workflow, Name: workflow, AuthIDs: []string{auth.ID}, Config: config, Keys: []string{"database"}}
		job, err := b.CreateAccountJob(ctx, definition)
		b.must(nil, err)
		definition.Description = "changed"
		changed, err := b.ReplaceAccountJob(ctx, job, definition)
		b.must(nil, err)
		b.must(b.AccountJobs(ctx))
		b.must(b.AccountJob(ctx, changed.ID))
		for _, action := range []string{"resume", "bounce", "pause"} {
			_ = b.SteerAccountJob(ctx, changed.ID, action) // which of them starts a job differs
		}
		b.must(b.AccountJobLog(ctx, changed.ID))
		b.must(nil, b.SteerAccountJob(ctx, changed.ID, "kill"))
	}
	b.must(nil, b.DeleteAccountAuth(ctx, auth.ID))
}
