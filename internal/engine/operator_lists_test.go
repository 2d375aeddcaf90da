package engine_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// listener is a host of whoever writes definitions. It counts requests with a token,
// and refuses them all.
func listener(t *testing.T) (jobs.AuthorizationSpec, *atomic.Int32) {
	t.Helper()
	var tokens atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			tokens.Add(1)
		}
		http.Error(w, "no", http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	return jobs.AuthorizationSpec{Label: "warehouse", Host: "http://" + at.Hostname(), Port: port, HTTPPath: "/sql/1.0/warehouses/a"}, &tokens
}

// everything gives each variable a value.
func everything(o *engine.Options) { o.Getenv = func(name string) string { return "canary-" + name } }

// foreign makes the definitions those of others than the operator, who gives a list.
func foreign(list config.Variables) func(*engine.Options) {
	return func(o *engine.Options) { o.ForeignDefinitions, o.AllowedTokenEnv = true, list }
}

func earlier(t *testing.T, db *store.DB, s jobs.AuthorizationSpec) string {
	t.Helper()
	id := store.NewID("auth")
	row := store.AuthorizationRow{Authorization: jobs.Authorization{ID: id, AuthorizationSpec: s}, PredatesLists: true, Confirmed: true}
	if err := db.PutAuthorization(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	return id
}

// checklist 75: a definition reads no variable that the operator did not list, and no
// key of the process in any deployment.
func TestADefinitionReadsOnlyListedVariables(t *testing.T) {
	t.Parallel()
	own := []string{"LYTICS_ENCRYPTION_KEY", "LYTICS_RUNNER_TOKEN", "LYTICS_DATABASE_URL", "LYTICS_API_TOKEN", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD"}
	for name, c := range map[string]struct {
		set               func(*engine.Options)
		accepted, refused []string
	}{
		"embedded":                {func(*engine.Options) {}, []string{"LYTICS_DATABRICKS_TOKEN", "DATABRICKS_TOKEN", "HOME"}, own},
		"a runner":                {foreign(nil), []string{"LYTICS_DATABRICKS_TOKEN", "LYTICS_DATABRICKS_EU"}, append([]string{"DATABRICKS_TOKEN", "HOME"}, own...)},
		"a runner with a list":    {foreign(config.Variables{"A", "B_*"}), []string{"A", "B_1"}, append([]string{"AB", "LYTICS_DATABRICKS_TOKEN"}, own...)},
		"a runner with no names":  {foreign(config.Variables{}), nil, append([]string{"A", "LYTICS_DATABRICKS_TOKEN"}, own...)},
		"a runner with all names": {foreign(config.Variables{"*"}), []string{"A", "HOME"}, own},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, tokens := listener(t)
			s.CheckConnection = true
			e := process(t, t.TempDir(), succeed, everything, c.set)
			for _, variable := range c.refused {
				s.TokenEnv = variable
				_, err := e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: s})
				if f := jobs.FailureOf(orNone(err)); f.Code != jobs.CodeInvalid || f.Attribute != "token_env" || f.Next == "" || strings.Contains(f.String(), "canary") {
					t.Errorf("%s: got %+v, want a refusal of token_env", variable, f)
				}
			}
			if n := tokens.Load(); n != 0 {
				t.Errorf("%d requests had a token of the process", n)
			}
			s.CheckConnection = false
			for _, variable := range c.accepted {
				s.TokenEnv = variable
				if a, err := e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: s}); err != nil || len(a.Warnings) != 0 {
					t.Errorf("%s: got %+v, %v; want it accepted without a warning", variable, a.Warnings, err)
				}
			}
		})
	}
}

// checklist 75: an authorization of an earlier release is used on with a warning that
// has the line to add, until the operator gives a list or the definition changes.
func TestAnEarlierTokenEnvIsUsedWithAWarning(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, tokens := listener(t)
	e, db := serve(t, dir, nil, everything, foreign(nil))
	s.TokenEnv = "REPORTING_TOKEN"
	id := earlier(t, db, s)
	other := s
	other.TokenEnv = "OTHER_TOKEN"
	earlier(t, db, other)
	const line = `allowed_token_env: ["LYTICS_DATABRICKS_*", "OTHER_TOKEN", "REPORTING_TOKEN"]`

	a, err := e.Authorization(t.Context(), id)
	if err != nil || len(a.Warnings) != 1 || a.Warnings[0].Attribute != "token_env" || !strings.HasSuffix(a.Warnings[0].Next, line) {
		t.Fatalf("got %+v, %v; want a warning with %s", a.Warnings, err, line)
	}
	if all, err := e.Warnings(t.Context()); err != nil || len(all) != 2 {
		t.Errorf("all warnings: got %+v, %v; want those of both authorizations", all, err)
	}
	run := execute(t, e, start(t, e, importOf(t, e, id), jobs.ReasonManual).ID)
	if run.Failure.Code != jobs.CodeForbidden || tokens.Load() == 0 {
		t.Errorf("the run sent %d tokens and ended with %+v, want that the host refuses the token", tokens.Load(), run.Failure)
	}
	if log, err := e.RunLog(t.Context(), run.ID); err != nil || !hasLine(log, line) {
		t.Errorf("got the log %+v, %v; want a warning with the line to add", log, err)
	}
	s.Label = "renamed"
	if a, err := e.UpdateAuthorization(t.Context(), id, jobs.AuthorizationChange{AuthorizationSpec: s}); err != nil || len(a.Warnings) != 1 {
		t.Errorf("renamed: got %+v, %v; want it accepted with the warning", a.Warnings, err)
	}
	moved := s
	moved.Port++
	if _, err := e.UpdateAuthorization(t.Context(), id, jobs.AuthorizationChange{AuthorizationSpec: moved}); jobs.FailureOf(orNone(err)).Attribute != "token_env" {
		t.Errorf("another port: got %v, want a refusal of token_env", err)
	}

	sent := tokens.Load()
	strict, _ := serve(t, dir, nil, everything, foreign(config.Variables{"OTHER_TOKEN"}))
	if a, err := strict.Authorization(t.Context(), id); err != nil || len(a.Warnings) != 1 || !strings.Contains(a.Warnings[0].Summary, "must not name REPORTING_TOKEN") {
		t.Errorf("with a list: got %+v, %v; want that the list is said", a.Warnings, err)
	}
	run = execute(t, strict, start(t, strict, importOf(t, strict, id), jobs.ReasonManual).ID)
	if run.Failure.Attribute != "token_env" || tokens.Load() != sent {
		t.Errorf("with a list: the run sent %d tokens and ended with %+v, want a refusal of token_env", tokens.Load()-sent, run.Failure)
	}
}

// checklist 75: the keys of the process are not read for authorizations of earlier
// releases either.
func TestAnEarlierTokenEnvReadsNoOwnKey(t *testing.T) {
	t.Parallel()
	s, tokens := listener(t)
	for name, set := range map[string]func(*engine.Options){"embedded": func(*engine.Options) {}, "a runner": foreign(nil)} {
		e, db := serve(t, t.TempDir(), nil, everything, set)
		s.TokenEnv = "LYTICS_ENCRYPTION_KEY"
		run := execute(t, e, start(t, e, importOf(t, e, earlier(t, db, s)), jobs.ReasonManual).ID)
		if run.Failure.Attribute != "token_env" || tokens.Load() != 0 {
			t.Errorf("%s: the run sent %d tokens and ended with %+v, want a refusal of token_env", name, tokens.Load(), run.Failure)
		}
	}
}

// checklist 50: a definition opens no host of the runner's machine. The operator lists
// it; authorizations of earlier releases, and those of an embedded operator, are used
// with a warning.
func TestADefinitionOpensNoHost(t *testing.T) {
	t.Parallel()
	listed, err := egress.ParseHosts([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := listener(t)
	token := jobs.NewSecret("dapi-1")
	create := func(e *engine.Engine) (jobs.Authorization, error) {
		return e.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: s, Token: &token})
	}
	closed := func(o *engine.Options) { o.AllowPrivateHosts = false }
	opened := func(o *engine.Options) { o.AllowPrivateHosts, o.PrivateHosts = false, listed }
	for name, set := range map[string][]func(*engine.Options){"a runner": {opened, foreign(nil)}, "embedded": {opened}} {
		if a, err := create(process(t, t.TempDir(), succeed, set...)); err != nil || len(a.Warnings) != 0 {
			t.Errorf("%s that lists the host: got %+v, %v; want it accepted without a warning", name, a.Warnings, err)
		}
	}
	warned := func(a jobs.Authorization, line string) bool {
		return len(a.Warnings) == 1 && a.Warnings[0].Attribute == "host" && strings.Contains(a.Warnings[0].Next, line)
	}
	if a, err := create(process(t, t.TempDir(), succeed, closed)); err != nil || !warned(a, `private_hosts = ["127.0.0.1"]`) {
		t.Errorf("embedded: got %+v, %v; want it accepted with a warning", a.Warnings, err)
	}
	runner, db := serve(t, t.TempDir(), succeed, closed, foreign(nil))
	if _, err := create(runner); jobs.FailureOf(orNone(err)).Attribute != "host" || !strings.Contains(err.Error(), `private_hosts: ["127.0.0.1"]`) {
		t.Errorf("a runner: got %v, want a refusal of the host with the line to add", err)
	}
	if a, err := runner.Authorization(t.Context(), earlier(t, db, s)); err != nil || !warned(a, `private_hosts: ["127.0.0.1"]`) {
		t.Errorf("an earlier authorization: got %+v, %v; want a warning with the line to add", a.Warnings, err)
	}
}

// importOf creates an import that uses the authorization.
func importOf(t *testing.T, e *engine.Engine, authorizationID string) jobs.Job {
	t.Helper()
	j, err := e.CreateJob(t.Context(), importSpec(authorizationID, strings.ToLower(store.NewID("t"))))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func hasLine(log []jobs.LogLine, text string) bool {
	for _, l := range log {
		if strings.Contains(l.Message, text) {
			return true
		}
	}
	return false
}
