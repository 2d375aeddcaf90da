package acceptance

import (
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/oidctest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// federatedHCL declares the authorization w with workload identity federation.
func federatedHCL(clientID string) string {
	return strings.Replace(authorizationHCL, "token_wo         = var.token\n  token_wo_version = 1",
		fmt.Sprintf("auth_type = \"github-oidc\"\n  client_id = %q\n  audience  = %q", clientID, oidctest.Organization), 1)
}

// federated configures the sandbox for the tokens of a job of GitHub Actions, and gives
// the workspace the variables of the job.
func federated(t *testing.T, w *workspace, policy ...sandboxtest.FederationPolicy) *oidctest.GitHub {
	t.Helper()
	github := oidctest.Start(t)
	maps.Copy(w.env, github.Environment())
	if len(policy) == 0 {
		policy = []sandboxtest.FederationPolicy{{ClientID: w.sandbox.ClientID, Subject: oidctest.Subject,
			Audiences: []string{oidctest.Organization}}}
	}
	for i := range policy {
		policy[i].Issuer = github.URL
	}
	w.sandbox.SetFederationPolicies(t, policy...)
	// Staging without a key: a volume of the workspace.
	for name := range w.env {
		if strings.HasPrefix(name, "LYTICS_STAGING_S3_") {
			delete(w.env, name)
		}
	}
	for name, value := range map[string]string{"CATALOG": "main", "SCHEMA": "default", "VOLUME": "staging"} {
		w.env["LYTICS_STAGING_VOLUME_"+name] = value
	}
	return github
}

// A job of GitHub Actions imports and exports with its identity token alone. Nowhere is a
// secret: not in state, plan, store, logs and query history.
//
// checklist 43 53
func TestAnIdentityTokenOfCIImportsAndExports(t *testing.T) {
	t.Parallel()
	only(t, "runs have the environment of the runner", embedded)
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 500)
	c := newCanaryRun(t, s, providerHCL+federatedHCL(s.ClientID)+importHCL(db, "people", "depends_on = [lytics_mapping.m]")+
		fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}, "email": {"string", "email"}})+exportHCL(db, "everyone",
		"FILTER *", ""))
	github := federated(t, c.workspace)
	delete(c.workspace.env, "TF_VAR_token")
	c.file("variables.auto.tfvars", `token = "unused"`)
	c.env = c.providerEnv()

	s.ForgetStatements(t)
	c.ask(0, "plan", "-input=false", "-no-color", "-out", "plan.bin")
	if sent := s.Statements(t); len(sent) > 0 {
		t.Errorf("the plan sent %d statements to the warehouse, the first one is %q", len(sent), sent[0].Text)
	}
	c.apply(0)
	wantEach(t, c.events("s"), 500)
	if got := s.Query(t, "SELECT count(*), count(DISTINCT id) FROM main."+db+".lytics_user_everyone"); fmt.Sprint(got) != "[[500 500]]" {
		t.Errorf("the exported table has %v rows and ids, want 500 of each", got)
	}
	c.wantNoChanges()
	if n := len(github.Issued()); n == 0 {
		t.Error("no identity token was asked for")
	}
	for i, token := range github.Issued() {
		c.canaries.set(fmt.Sprintf("identity token %d", i), token)
	}
	for i, token := range s.IssuedTokens(t) {
		c.canaries.set(fmt.Sprintf("access token %d", i), token)
	}
	c.canaries.set("request token", github.RequestToken)
	c.addTerraform()
	c.found.addFiles(t, "store", c.dataDir, "*")
	c.found.add("query history", "statements", mustJSON(t, s.Statements(t)))
	c.found.wantNoCanary(t, c.canaries.all, map[string]string{
		"output": "lytics_databricks_authorization.w", "state": "github-oidc", "plan": "github-oidc", "TRACE log": "github-oidc",
		"store": "github-oidc", "query history": "SELECT",
	})
	kept, err := sql.Open("sqlite", filepath.Join(c.dataDir, "lytics.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	var secrets int
	if err := kept.QueryRowContext(t.Context(), "SELECT count(secret) FROM authorizations").Scan(&secrets); err != nil || secrets != 0 {
		t.Errorf("the store keeps %d secrets, %v; want none", secrets, err)
	}
}

// What the workspace refuses names the attribute and the next step. One 503 of the
// workspace's OAuth server is no failure.
func TestARefusedIdentityTokenSaysWhatToDo(t *testing.T) {
	t.Parallel()
	only(t, "runs have the environment of the runner", embedded)
	s := sandboxtest.Start(t)
	for name, c := range map[string]struct { //nolint:paralleltest // the cases set policies and faults of one sandbox
		policy sandboxtest.FederationPolicy
		set    func(*oidctest.GitHub)
		faults []sandboxtest.Fault
		env    map[string]string
		want   []string
	}{
		"another audience": {
			policy: sandboxtest.FederationPolicy{Audiences: []string{"https://github.com/other"}},
			want:   []string{"refused the login", oidctest.Organization, "federation policy of the service principal", "audiences"},
		},
		"another subject": {
			policy: sandboxtest.FederationPolicy{Subject: "repo:octo-org/octo-repo:ref:refs/heads/main"},
			want:   []string{"refused the login", oidctest.Subject, "federation policy"},
		},
		"an expired token": {
			set:  func(g *oidctest.GitHub) { g.SetLifetime(-1) },
			want: []string{"refused the login", "expired"},
		},
		"a refused exchange": {
			faults: []sandboxtest.Fault{{Kind: "token_refused", On: "TokenRequest", Times: -1, Message: "The policy was removed."}},
			want:   []string{"refused the login", "The policy was removed", "federation policy"},
		},
		"no permission in the workflow": {
			env: map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": ""},
			want: []string{"GitHub Actions offers no identity token", "ACTIONS_ID_TOKEN_REQUEST_URL is empty",
				"permissions: id-token: write"},
		},
		"a 503 of the discovery, and of the exchange": {
			faults: []sandboxtest.Fault{{Kind: "unavailable", On: "Discovery"}, {Kind: "unavailable", On: "TokenRequest"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorkspace(t, s, providerHCL+federatedHCL(s.ClientID))
			p := sandboxtest.FederationPolicy{ClientID: s.ClientID, Subject: oidctest.Subject, Audiences: []string{oidctest.Organization}}
			if c.policy.Subject != "" {
				p.Subject = c.policy.Subject
			}
			if c.policy.Audiences != nil {
				p.Audiences = c.policy.Audiences
			}
			github := federated(t, w, p)
			if c.set != nil {
				c.set(github)
			}
			maps.Copy(w.env, c.env)
			s.ClearFaults(t)
			s.SetFault(t, c.faults...)
			text, code := w.tryApply()
			if len(c.want) == 0 {
				if code != 0 {
					t.Fatalf("apply gave %d:\n%s", code, text)
				}
				return
			}
			if code != 1 {
				t.Fatalf("apply gave %d, want 1:\n%s", code, text)
			}
			wantError(t, text, append(c.want, "lytics_databricks_authorization.w", "auth_type")...)
			for _, token := range github.Issued() {
				if strings.Contains(text, token) {
					t.Error("the error has the identity token")
				}
			}
		})
	}
}
