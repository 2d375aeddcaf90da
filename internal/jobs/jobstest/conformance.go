package jobstest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Opener opens a new process on the store of one test. The creator of the
// Opener closes the process.
type Opener func() jobs.API

// TokenVariable is an environment variable that must be set for the
// implementation under test.
const TokenVariable = "LYTICS_DATABRICKS_CONFORMANCE_TOKEN" // #nosec G101 -- a name

// withoutStore are the tests that begin while there is no store.
var withoutStore = []string{"a missing store is an error", "texts are judged without a store", "an empty quarantine", "tokens"}

// Conformance runs the suite, each test on a store without objects. Unless mayExist is
// false, newStore may create it by copying a file: the suite does not see the difference.
// Nothing listens at the address of the warehouse, so runs may fail. To kill a
// process, the suite calls its method Die, if it has one.
func Conformance(t *testing.T, newStore func(t *testing.T, mayExist bool) Opener) {
	t.Helper()
	for name, check := range map[string]func(t *testing.T, open Opener){
		"a missing store is an error":                     missingStore,
		"authorizations":                                  authorizations,
		"invalid authorizations":                          refusedAuthorizations,
		"jobs":                                            definitions,
		"invalid jobs":                                    refusedJobs,
		"jobs are listed by label":                        listedJobs,
		"missing objects are not found":                   notFound,
		"objects of a dead process are adopted":           adoption,
		"confirmed objects are not adopted":               confirmation,
		"a run is followed to its end":                    followedRun,
		"an interrupted wait cancels its run":             interruptedWait,
		"runs are listed by filter":                       listedRuns,
		"fields and mappings":                             fieldsAndMappings,
		"an object belongs to its creator":                owners,
		"an import takes an object over":                  imports,
		"callers without an owner":                        withoutOwner,
		"a create continues what a dead process created":  interruptedCreate,
		"a create that was told to stop is not confirmed": unansweredCreates,
		"a deleted job comes back with its id":            releasedJob,
		"audiences":                                       audiences,
		"an erasure":                                      erasure,
		"texts are judged without a store":                judgements,
		"an empty quarantine":                             emptyQuarantine,
		"tokens":                                          tokens,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, newStore(t, !slices.Contains(withoutStore, name)))
		})
	}
}

// refused fails the test unless err has the code, a next step and, if attribute
// is not empty, the attribute.
func refused(t *testing.T, what string, err error, code jobs.Code, attribute string) {
	t.Helper()
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || e.Code != code || attribute != "" && e.Attribute != attribute {
		t.Errorf("%s: got error %#v, want code %q and attribute %q", what, err, code, attribute)
		return
	}
	if e.Summary == "" || code != jobs.CodeNotFound && e.Next == "" {
		t.Errorf("%s: the error has no summary or no next step: %#v", what, e)
	}
}

// must returns v, or fails the test.
func must[T any](t *testing.T, what string, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return v
}

// errorOf returns only the error of a call.
func errorOf[T any](_ T, err error) error { return err }

func authorize(t *testing.T, a jobs.API, label string) jobs.Authorization {
	t.Helper()
	secret := jobs.NewSecret("dapi-1")
	made, err := a.CreateAuthorization(t.Context(), jobs.AuthorizationChange{Token: &secret, AuthorizationSpec: jobs.AuthorizationSpec{
		// Nothing listens at port 1.
		Label: label, Host: "http://127.0.0.1", Port: 1, HTTPPath: "/sql/1.0/warehouses/a", TokenVersion: 3}})
	return must(t, "create authorization "+label, made, err)
}

func importSpec(authorizationID, table string) jobs.JobSpec {
	since := time.Date(2026, 3, 8, 7, 30, 0, 123456000, time.UTC)
	return jobs.JobSpec{
		Label: table, AuthorizationID: authorizationID, QueryTimeout: time.Minute, FailOnError: true, Triggers: map[string]string{"a": "1"},
		Import: &jobs.TableImport{Catalog: "main", Database: "sales", Table: table, TimestampColumn: "ts", Since: &since},
	}
}

func createImport(t *testing.T, a jobs.API, table string) jobs.Job {
	t.Helper()
	j, err := a.CreateJob(t.Context(), importSpec(authorize(t, a, table).ID, table))
	return must(t, "create job "+table, j, err)
}

// checklist 58 84: a missing store is an error, not an empty store.
func missingStore(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	_, err := a.Store(t.Context(), false)
	refused(t, "before it is created", err, jobs.CodeStore, "")
	refused(t, "its jobs before it is created", errorOf(a.Jobs(t.Context())), jobs.CodeStore, "")
	refused(t, "its runs before it is created", errorOf(a.ListRuns(t.Context(), jobs.RunFilter{})), jobs.CodeStore, "")
	made, err := a.Store(t.Context(), true)
	if err != nil || made.ID == "" || made.Location == "" || made.RunnerAlive {
		t.Fatalf("created: got %+v, %v; want an id, a location and no runner", made, err)
	}
	again, err := open().Store(t.Context(), false)
	if err != nil || again.ID != made.ID {
		t.Fatalf("opened by another process: got %+v, %v; want id %s", again, err, made.ID)
	}
}

// checklist 46 49 80
func authorizations(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	made := authorize(t, a, "warehouse")
	if !made.SecretReadable || made.TokenVersion != 3 || made.CreatedAt.IsZero() {
		t.Fatalf("created: got %+v, want a readable secret, version 3 and a time", made)
	}
	got, err := a.Authorization(t.Context(), made.ID)
	if d := cmp.Diff(made, must(t, "read", got, err)); d != "" {
		t.Errorf("created, and read:\n%s", d)
	}
	moved := jobs.AuthorizationChange{AuthorizationSpec: made.AuthorizationSpec}
	moved.Host = "http://127.0.0.2"
	refused(t, "a changed host without its secret", errorOf(a.UpdateAuthorization(t.Context(), made.ID, moved)), jobs.CodeInvalid, "token_wo")
	for what, change := range map[string]func(*jobs.AuthorizationSpec){
		"port": func(s *jobs.AuthorizationSpec) { s.Port = 2 }, "scheme": func(s *jobs.AuthorizationSpec) { s.Host = "https://127.0.0.1" },
		"ca_file": func(s *jobs.AuthorizationSpec) { s.CAFile = "/etc/ca.pem" },
	} {
		moved := jobs.AuthorizationChange{AuthorizationSpec: made.AuthorizationSpec}
		change(&moved.AuthorizationSpec)
		refused(t, "a changed "+what+" without its secret", errorOf(a.UpdateAuthorization(t.Context(), made.ID, moved)), jobs.CodeInvalid, "token_wo")
	}
	renamed := jobs.AuthorizationChange{AuthorizationSpec: made.AuthorizationSpec}
	renamed.Label = "renamed"
	if got, err := a.UpdateAuthorization(t.Context(), made.ID, renamed); err != nil || got.Label != "renamed" || !got.SecretReadable {
		t.Fatalf("renamed: got %+v, %v; want the label and the kept secret", got, err)
	}
	first := authorize(t, a, "first")
	listed, err := a.ListAuthorizations(t.Context())
	var labels []string
	for _, l := range must(t, "list", listed, err) {
		labels = append(labels, l.Label+" "+l.ID)
	}
	if d := cmp.Diff([]string{"first " + first.ID, "renamed " + made.ID}, labels); d != "" {
		t.Errorf("listed authorizations (-want +got):\n%s", d)
	}
	refused(t, "a connection without a credential",
		errorOf(a.ListCatalog(t.Context(), jobs.CatalogQuery{Level: jobs.LevelCatalogs, Connection: jobs.AuthorizationSpec{Host: made.Host}})),
		jobs.CodeInvalid, "token_env")
	j, err := a.CreateJob(t.Context(), importSpec(made.ID, "customers"))
	if err != nil {
		t.Fatal(err)
	}
	err = a.DeleteAuthorization(t.Context(), made.ID)
	refused(t, "deleted while a job uses it", err, jobs.CodeInUse, "")
	if !strings.Contains(err.Error(), j.ID) {
		t.Errorf("the error does not name job %s: %v", j.ID, err)
	}
	if err := a.DeleteJob(t.Context(), j.ID); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := a.DeleteAuthorization(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, "deleted", errorOf(a.Authorization(t.Context(), made.ID)), jobs.CodeNotFound, "")
}

func refusedAuthorizations(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	spec := jobs.AuthorizationSpec{Label: "l", Host: "http://127.0.0.1", Port: 1, HTTPPath: "/p"}
	refused(
		t,
		"without a secret",
		errorOf(a.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: spec})),
		jobs.CodeInvalid,
		"token_wo",
	)
	spec.ClientID = "client"
	refused(
		t,
		"without a client secret",
		errorOf(a.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: spec})),
		jobs.CodeInvalid,
		"client_secret_wo",
	)
	secret := jobs.NewSecret("s")
	made, err := a.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: spec, ClientSecret: &secret})
	made = must(t, "create", made, err)
	spec.ClientID = "another"
	refused(
		t,
		"another client without its secret",
		errorOf(a.UpdateAuthorization(t.Context(), made.ID, jobs.AuthorizationChange{AuthorizationSpec: spec})),
		jobs.CodeInvalid,
		"client_secret_wo",
	)
	spec.ClientID, spec.TokenEnv = "", TokenVariable
	if got, err := a.UpdateAuthorization(t.Context(), made.ID, jobs.AuthorizationChange{AuthorizationSpec: spec}); err != nil ||
		got.TokenEnv != TokenVariable ||
		!got.SecretReadable {
		t.Errorf("a token of the environment: got %+v, %v; want the variable's name and a readable secret", got, err)
	}
	logins(t, a, spec, made.ID)
}

// logins changes an authorization to other logins, with and without a stored secret.
func logins(t *testing.T, a jobs.API, spec jobs.AuthorizationSpec, id string) {
	t.Helper()
	spec.TokenEnv = ""
	put := func(l jobs.Login, version int64, secret *jobs.Secret) (jobs.Authorization, error) {
		spec.Login, spec.ClientSecretVersion = &l, version
		return a.UpdateAuthorization(t.Context(), id, jobs.AuthorizationChange{AuthorizationSpec: spec, ClientSecret: secret})
	}
	for _, l := range []jobs.Login{
		{Kind: jobs.LoginGitHubOIDC, Identity: "application", Audience: "https://github.com/acme"},
		{Kind: jobs.LoginProfile, Profile: "p", File: "/etc/databrickscfg"},
		{Kind: jobs.LoginTokenCommand, Command: []string{"print-token", "a b"}},
	} {
		made, err := put(l, 0, nil)
		must(t, string(l.Kind), made, err)
		got, err := a.Authorization(t.Context(), id)
		if d := cmp.Diff(&l, got.Login); err != nil || d != "" || !got.SecretReadable {
			t.Errorf("%s, read: %v, readable %t (-want +got):\n%s", l.Kind, err, got.SecretReadable, d)
		}
	}
	app := jobs.Login{Kind: jobs.LoginAzureClientSecret, Identity: "application", Tenant: "directory"}
	refused(t, "an application without its secret", errorOf(put(app, 1, nil)), jobs.CodeInvalid, "azure_client_secret_wo")
	secret := jobs.NewSecret("secret of the application")
	made, err := put(app, 1, &secret)
	must(t, "an application", made, err)
	made, err = put(app, 1, nil)
	must(t, "an application whose secret is kept", made, err)
	app.Tenant = "another directory"
	refused(t, "another directory without the secret", errorOf(put(app, 1, nil)), jobs.CodeInvalid, "azure_client_secret_wo")
	refused(t, "a login without what it needs", errorOf(put(jobs.Login{Kind: jobs.LoginTokenFile}, 0, nil)), jobs.CodeInvalid, "token_file")
	refused(t, "a login that does not exist", errorOf(put(jobs.Login{Kind: "magic"}, 0, nil)), jobs.CodeInvalid, "auth_type")
}

// checklist 47 59
func definitions(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	spec := importSpec(authorize(t, a, "warehouse").ID, "customers")
	spec.Schedule = &jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: "02:30", Timezone: "Europe/Berlin"}
	made, err := a.CreateJob(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if made.Import.Stream != "databricks_main_sales_customers" || made.NextRunAt == nil || !made.Import.Since.Equal(*spec.Import.Since) {
		t.Fatalf("created: got %+v, want the default stream, a next run and since %s", made, spec.Import.Since)
	}
	got, err := a.Job(t.Context(), made.ID)
	if d := cmp.Diff(made, must(t, "read", got, err)); d != "" {
		t.Errorf("created, and read:\n%s", d)
	}
	err = errorOf(a.CreateJob(t.Context(), spec))
	refused(t, "a second one of the same key", err, jobs.CodeConflict, "table")
	if !strings.Contains(err.Error(), made.ID) {
		t.Errorf("the error does not name job %s: %v", made.ID, err)
	}
	spec.Label = "renamed"
	if got, err := a.UpdateJob(t.Context(), made.ID, spec); err != nil || got.Label != "renamed" {
		t.Fatalf("renamed: got %+v, %v", got, err)
	}
	if got, err := a.PauseJob(t.Context(), made.ID, true); err != nil || !got.Paused || got.NextRunAt != nil {
		t.Fatalf("paused: got %+v, %v; want no next run", got, err)
	}
	if got, err := a.UpdateJob(t.Context(), made.ID, spec); err != nil || !got.Paused {
		t.Fatalf("updated while paused: got %+v, %v; want it still paused", got, err)
	}
	if got, err := a.PauseJob(t.Context(), made.ID, false); err != nil || got.Paused || got.NextRunAt == nil {
		t.Fatalf("resumed: got %+v, %v; want a next run", got, err)
	}
	for range 2 {
		if err := a.DeleteJob(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, "deleted", errorOf(a.Job(t.Context(), made.ID)), jobs.CodeNotFound, "")
}

func refusedJobs(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	first := createImport(t, a, "orders")
	spec := importSpec(first.AuthorizationID, "customers")
	second, err := a.CreateJob(t.Context(), spec)
	second = must(t, "create", second, err)
	refused(t, "nothing to pause", errorOf(a.PauseJob(t.Context(), first.ID, true)), jobs.CodeInvalid, "schedule")
	refused(
		t,
		"the key of another",
		errorOf(a.UpdateJob(t.Context(), second.ID, importSpec(first.AuthorizationID, "orders"))),
		jobs.CodeConflict,
		"table",
	)
	with := func(change func(*jobs.JobSpec)) error {
		s := importSpec(first.AuthorizationID, "returns")
		change(&s)
		return errorOf(a.CreateJob(t.Context(), s))
	}
	refused(t, "no such authorization", with(func(s *jobs.JobSpec) { s.AuthorizationID = "auth_x" }), jobs.CodeInvalid, "authorization_id")
	refused(t, "no such audience", with(func(s *jobs.JobSpec) {
		s.Import, s.Export = nil, &jobs.AudienceExport{AudienceID: "none", Catalog: "main", Database: "sales"}
	}), jobs.CodeInvalid, "audience_id")
	refused(t, "no such schedule", with(func(s *jobs.JobSpec) { s.Schedule = &jobs.Schedule{Frequency: "yearly"} }), jobs.CodeInvalid, "")
	refused(
		t,
		"by Lytics without an account",
		with(func(s *jobs.JobSpec) { s.ManagedBy = jobs.ManagedByLytics }),
		jobs.CodeInvalid,
		"managed_by",
	)
	refused(t, "Lytics' log of a job that it does not execute", errorOf(a.JobLog(t.Context(), first.ID)), jobs.CodeInvalid, "")
	refused(t, "the log of no such job", errorOf(a.JobLog(t.Context(), "job_x")), jobs.CodeNotFound, "")
	refused(t, "neither import nor export", with(func(s *jobs.JobSpec) { s.Import, s.Export = nil, nil }), jobs.CodeInvalid, "")
	refused(t, "import and export", with(func(s *jobs.JobSpec) { s.Export = &jobs.AudienceExport{} }), jobs.CodeInvalid, "")
	refused(t, "a condition that ends its parentheses",
		with(func(s *jobs.JobSpec) { s.Import.Where = `a = r'\') OR (true OR b = '` }), jobs.CodeInvalid, "where")
	refused(t, "after no such job", with(func(s *jobs.JobSpec) { s.After = []string{"job_x"} }), jobs.CodeInvalid, "after")
	spec.After = []string{first.ID}
	if err := errorOf(a.UpdateJob(t.Context(), second.ID, spec)); err != nil {
		t.Fatal(err)
	}
	circle := importSpec(first.AuthorizationID, "orders")
	circle.After = []string{second.ID}
	refused(t, "after a job that runs after it", errorOf(a.UpdateJob(t.Context(), first.ID, circle)), jobs.CodeInvalid, "after")
}

func listedJobs(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	var want []string
	auth := authorize(t, a, "warehouse")
	for _, table := range []string{"b", "c", "a"} {
		j, err := a.CreateJob(t.Context(), importSpec(auth.ID, table))
		want = append(want, must(t, "create", j, err).ID)
	}
	all, err := a.Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, j := range all {
		got = append(got, j.ID)
	}
	if want = []string{want[2], want[0], want[1]}; !slices.Equal(got, want) {
		t.Errorf("got jobs %v, want %v", got, want)
	}
}

func notFound(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	auth := authorize(t, a, "warehouse")
	ctx := t.Context()
	for what, err := range map[string]error{
		"Authorization":       errorOf(a.Authorization(ctx, "auth_x")),
		"UpdateAuthorization": errorOf(a.UpdateAuthorization(ctx, "auth_x", jobs.AuthorizationChange{AuthorizationSpec: auth.AuthorizationSpec})),
		"Job":                 errorOf(a.Job(ctx, "job_x")),
		"UpdateJob":           errorOf(a.UpdateJob(ctx, "job_x", importSpec(auth.ID, "customers"))),
		"PauseJob":            errorOf(a.PauseJob(ctx, "job_x", true)),
		"Confirm":             a.Confirm(ctx, "job_x"),
		"StartRun":            errorOf(a.StartRun(ctx, "job_x", jobs.ReasonManual)),
		"DryRun":              errorOf(a.DryRun(ctx, "job_x", 0)),
		"Run":                 errorOf(a.Run(ctx, "run_x")),
		"WaitRun":             errorOf(a.WaitRun(ctx, "run_x", nil)),
		"CancelRun":           a.CancelRun(ctx, "run_x"),
		"RunLog":              errorOf(a.RunLog(ctx, "run_x")),
		"Catalogs":            errorOf(a.Catalogs(ctx, "auth_x", "")),
		"Field":               errorOf(a.Field(ctx, "f")),
		"Mapping":             errorOf(a.Mapping(ctx, "m")),
		"Audience":            errorOf(a.Audience(ctx, "a/..")),
		"AudienceSize":        errorOf(a.AudienceSize(ctx, "a")),
		"EventLines":          eventsError(ctx, a, "none"),
	} {
		refused(t, what, err, jobs.CodeNotFound, "")
	}
	_, _, err := a.Scan(ctx, "a", nil)
	refused(t, "Scan", err, jobs.CodeNotFound, "")
	for what, err := range map[string]error{
		"DeleteJob": a.DeleteJob(ctx, "job_x"), "DeleteAuthorization": a.DeleteAuthorization(ctx, "auth_x"), "DeleteField": a.DeleteField(ctx, "f", ""),
		"DeleteMapping": a.DeleteMapping(ctx, "m", ""), "DeleteAudience": a.DeleteAudience(ctx, "a", ""),
	} {
		if err != nil {
			t.Errorf("%s of a missing object: got %v, want no error", what, err)
		}
	}
}

// eventsError returns the error that a stream ends with.
func eventsError(ctx context.Context, a jobs.API, stream string) (failed error) {
	for _, err := range a.EventLines(ctx, stream) {
		failed = err
	}
	return failed
}
