package api_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
)

// readsByPost are the operations that read with another method than GET,
// and the one that gives no more than its caller has.
var readsByPost = []string{"POST /sign-in-codes", "POST /profiles/find", "POST /judgements", "PUT /objects/check", "PUT /jobs/check"}

// operate are the operations of the role operate.
var operate = []string{
	"POST /jobs/{id}/runs", "PUT /runs/{id}/cancelled", "PUT /jobs/{id}/paused", "POST /jobs/{id}/quarantine/resend",
	"POST /jobs/{id}/quarantine/drop",
}

// neededRole is the role that the documentation promises for an operation: reading
// needs read, and everything that is not named here needs admin.
func neededRole(method, path string) jobs.Role {
	operation := method + " " + strings.TrimPrefix(path, "/api/v1")
	for _, o := range readsByPost {
		if o == operation {
			return jobs.RoleRead
		}
	}
	for _, o := range operate {
		if o == operation {
			return jobs.RoleOperate
		}
	}
	if method == http.MethodGet && operation != "GET /tokens" {
		return jobs.RoleRead
	}
	return jobs.RoleAdmin
}

// checklist 54: every operation is refused to the roles below the one that it needs,
// before its parameters are read, and to no other.
func TestEachRoleIsRefusedOrAcceptedForEveryOperation(t *testing.T) {
	t.Parallel()
	var configured []api.ConfiguredToken
	for _, role := range jobs.Roles {
		configured = append(configured, api.ConfiguredToken{Name: "the-" + string(role), Role: role, Hash: jobs.HashToken("token-of-" + string(role))})
	}
	s := api.New(api.Config{API: product(t, nil), Configured: configured})
	var doc struct {
		Paths map[string]map[string]struct {
			Description string `json:"description"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(api.Description, &doc); err != nil {
		t.Fatal(err)
	}
	parameter := regexp.MustCompile(`\{[a-z]+\}`)
	n := 0
	for path, methods := range doc.Paths {
		for method, o := range methods {
			n++
			method = strings.ToUpper(method)
			needed := neededRole(method, path)
			if want := "Needs a token with the role " + string(needed) + "."; o.Description != want {
				t.Errorf("%s %s is described as %q, want %q", method, path, o.Description, want)
			}
			for _, role := range jobs.Roles {
				resp := ask(t, s.Handler(), method, parameter.ReplaceAllString(path, "none"), "", func(r *http.Request) {
					r.Header.Set("Authorization", "Bearer token-of-"+string(role))
				})
				refused := resp.StatusCode == http.StatusForbidden
				if refused == role.Allows(needed) || resp.StatusCode == http.StatusUnauthorized {
					t.Errorf("%s %s with the role %s gave %d: %s", method, path, role, resp.StatusCode, resp.Body)
				}
				if refused && (!strings.Contains(resp.Body, "the role "+string(needed)) || !strings.Contains(resp.Body, "the-"+string(role)) ||
					!strings.Contains(resp.Body, `"code":"forbidden"`)) {
					t.Errorf("%s %s: the problem does not name the needed role and the token: %s", method, path, resp.Body)
				}
			}
		}
	}
	if n < 50 {
		t.Fatalf("the description has %d operations", n)
	}
}

// The socket's peer is an admin, under the name of this process's user.
func TestPeerOfTheSocketIsAnAdmin(t *testing.T) {
	t.Parallel()
	var actor jobs.Actor
	s := api.New(api.Config{API: product(t, nil), LocalToken: jobs.NewSecret("the-token-of-the-socket"), LocalUser: "ada",
		Metrics: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
	resp := ask(t, s.Local(), http.MethodPut, "/api/v1/jobs/job_1/paused", `{"paused":true}`, func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer the-token-of-the-socket")
	})
	if resp.StatusCode != http.StatusOK {
		t.Errorf("got %d %s, want 200", resp.StatusCode, resp.Body)
	}
	s = api.New(api.Config{API: actorOf{product(t, nil), &actor}, LocalToken: jobs.NewSecret("the-token-of-the-socket"), LocalUser: "ada"})
	ask(t, s.Local(), http.MethodGet, "/api/v1/jobs", "", func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer the-token-of-the-socket")
	})
	if want := (jobs.Actor{Name: "ada", Role: jobs.RoleAdmin, Via: jobs.ViaSocket}); actor != want {
		t.Errorf("got %+v, want %+v", actor, want)
	}
}
