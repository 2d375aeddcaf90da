package login_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/hostiletest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// at is an authorization for a stand-in of a workspace.
func at(t *testing.T, address string) jobs.AuthorizationSpec {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return jobs.AuthorizationSpec{Host: u.Scheme + "://" + u.Hostname(), Port: port, HTTPPath: "/sql/1.0/warehouses/a"}
}

// wantFailure asserts what an error says, and that it has no secret.
func wantFailure(t *testing.T, err error, code jobs.Code, attribute string, secrets []string, parts ...string) {
	t.Helper()
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok {
		t.Fatalf("got %v, want an error of the code %s", err, code)
	}
	if e.Code != code || e.Attribute != attribute || e.Next == "" {
		t.Errorf("got code %q, attribute %q, next step %q; want %q, %q and a next step\n%v", e.Code, e.Attribute, e.Next, code, attribute,
			err)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("the error does not say %q: %v", p, err)
		}
	}
	for _, s := range secrets {
		if strings.Contains(err.Error(), s) {
			t.Errorf("the error has the secret %q: %v", s, err)
		}
	}
}

// The error of each login names the attribute, the cause and the next step, and repeats
// no secret. Nothing is sent to the workspace without a token.
//
// checklist 43 49
func TestAFailedLoginSaysWhatToDo(t *testing.T) {
	t.Parallel()
	const secret = "secret-canary-77aa31b9"
	var tokens atomic.Int32
	answers := http.NewServeMux()
	workspace := standIn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer") {
			tokens.Add(1)
		}
		answers.ServeHTTP(w, r)
	}))
	elsewhere := standIn(t, http.NotFoundHandler())
	answers.HandleFunc("GET /oidc/.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"token_endpoint": elsewhere + "/oidc/v1/token"})
	})
	redirect := standIn(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere,
			http.StatusFound)
	}))
	profiles := write(t, "databrickscfg", fmt.Sprintf("[other]\nhost = https://dbc-1.cloud.databricks.com\ntoken = %[1]s\n[nowhere]\ntoken = %[1]s\n"+
		"[none]\nhost = %[2]s\n[basic]\nhost = %[2]s\nusername = u\npassword = %[1]s\n", secret, workspace))
	broken := write(t, "broken", "[a\ntoken "+secret+"\n")
	key := serviceAccountKey(t, "http://169.254.169.254/token")
	executable := `{"type":"external_account","credential_source":{"executable":{"command":"touch ` + filepath.Join(t.TempDir(),
		"owned") + `"}}}`
	for name, c := range map[string]struct {
		login     jobs.Login
		secret    string
		env       map[string]string
		code      jobs.Code
		attribute string
		want      []string
	}{
		"no file": {login: jobs.Login{Kind: jobs.LoginTokenFile, File: "/nowhere/token"}, code: jobs.CodeInvalid, attribute: "token_file",
			want: []string{"/nowhere/token", "the process that executes the run", "Give the path"}},
		"a directory": {login: jobs.Login{Kind: jobs.LoginTokenFile, File: t.TempDir()}, code: jobs.CodeInvalid,
			attribute: "token_file", want: []string{"is not a file"}},
		"an empty file": {login: jobs.Login{Kind: jobs.LoginTokenFile, File: write(t, "e", "\n")}, code: jobs.CodeInvalid,
			attribute: "token_file", want: []string{"is empty"}},
		"an endless file": {login: jobs.Login{Kind: jobs.LoginTokenFile, File: "/dev/zero"}, code: jobs.CodeInvalid,
			attribute: "token_file", want: []string{"is not a file"}},
		"a path in place of a Google account": {login: jobs.Login{Kind: jobs.LoginGoogleID, Identity: "a@b/../../x:signBlob?"},
			code: jobs.CodeInvalid, attribute: "google_service_account", want: []string{"no service account", "iam.gserviceaccount.com"}},
		"a path in place of a Google account, in a profile": {login: jobs.Login{Kind: jobs.LoginProfile, Profile: "google",
			File: write(t, "google", "[google]\nhost = "+workspace+"\nauth_type = google-id\ngoogle_service_account = a@b/../../x\n")},
			code: jobs.CodeInvalid, attribute: "profile", want: []string{"no Google service account", "iam.gserviceaccount.com"}},
		"no program": {login: jobs.Login{Kind: jobs.LoginTokenCommand, Command: []string{"no-such-program"}},
			code: jobs.CodeInvalid, attribute: "token_command",
			want: []string{"no-such-program", "by hand"}},
		"a program that fails": {login: jobs.Login{Kind: jobs.LoginTokenCommand, Command: []string{"sh", "-c",
			"echo " + secret[:10] + " >&2; exit 7"}},
			code: jobs.CodeInvalid, attribute: "token_command", want: []string{"status 7"}},
		"a program that prints too much": {login: jobs.Login{Kind: jobs.LoginTokenCommand, Command: []string{"sh", "-c",
			"head -c 100000 /dev/zero"}},
			code: jobs.CodeInvalid, attribute: "token_command", want: []string{"more than 65536 bytes"}},
		"a program that prints something else": {login: jobs.Login{Kind: jobs.LoginTokenCommand, Command: []string{"echo", "please",
			"log", "in"}},
			code: jobs.CodeInvalid, attribute: "token_command", want: []string{"has no token"}},
		"no such profile": {login: jobs.Login{Kind: jobs.LoginProfile, Profile: "missing", File: profiles},
			code: jobs.CodeInvalid, attribute: "profile",
			want: []string{`no profile "missing"`, profiles}},
		"no configuration file": {login: jobs.Login{Kind: jobs.LoginProfile, Profile: "ci", File: "/nowhere/cfg"},
			code: jobs.CodeInvalid, attribute: "profile",
			want: []string{"/nowhere/cfg", "databricks configure"}},
		"a broken configuration file": {login: jobs.Login{Kind: jobs.LoginProfile, Profile: "a", File: broken},
			code: jobs.CodeInvalid, attribute: "profile",
			want: []string{broken}},
		"a profile of another workspace": {login: jobs.Login{Kind: jobs.LoginProfile, Profile: "other", File: profiles},
			code: jobs.CodeInvalid, attribute: "profile",
			want: []string{"another workspace", "dbc-1.cloud.databricks.com", workspace}},
		"a profile without a workspace": {login: jobs.Login{Kind: jobs.LoginProfile, Profile: "nowhere", File: profiles},
			code: jobs.CodeInvalid, attribute: "profile",
			want: []string{"names no workspace", "Set host to " + workspace}},
		"a profile without a credential": {login: jobs.Login{Kind: jobs.LoginProfile, Profile: "none", File: profiles},
			code: jobs.CodeInvalid, attribute: "profile",
			want: []string{"has no credential"}},
		"a profile with a password": {login: jobs.Login{Kind: jobs.LoginProfile, Profile: "basic", File: profiles},
			code: jobs.CodeInvalid, attribute: "profile",
			want: []string{`kind "basic"`, "oauth-m2m"}},
		"an environment without a workspace": {login: jobs.Login{Kind: jobs.LoginEnvironment},
			env:  map[string]string{"DATABRICKS_TOKEN": secret},
			code: jobs.CodeInvalid, attribute: "auth_type", want: []string{"DATABRICKS_HOST", workspace}},
		"an empty variable": {login: jobs.Login{Kind: jobs.LoginEnvOIDC, Variable: "ID_TOKEN"}, code: jobs.CodeInvalid,
			attribute: "auth_type"},
		"an OAuth server that names another host": {login: jobs.Login{Kind: jobs.LoginEnvOIDC, Variable: "ID_TOKEN"},
			env:  map[string]string{"ID_TOKEN": secret},
			code: jobs.CodeInvalid, attribute: "oidc_token_env", want: []string{"names another host for its tokens", elsewhere}},
		"no login at Azure's command line": {login: jobs.Login{Kind: jobs.LoginAzureCLI, Tenant: "expired"},
			code: jobs.CodeInvalid, attribute: "auth_type",
			want: []string{"AADSTS700082", "az login"}},
		"an endless answer of Azure's command line": {login: jobs.Login{Kind: jobs.LoginAzureCLI, Tenant: "endless"},
			code: jobs.CodeInvalid, attribute: "auth_type",
			want: []string{"more than 65536 bytes"}},
		"a tenant that is an option": {login: jobs.Login{Kind: jobs.LoginAzureCLI, Tenant: "--debug"},
			code: jobs.CodeInvalid, attribute: "azure_tenant_id"},
		"no managed identity": {login: jobs.Login{Kind: jobs.LoginAzureMSI, Identity: "unassigned"},
			code: jobs.CodeUnauthorized, attribute: "auth_type",
			env:  map[string]string{"AZURE_POD_IDENTITY_AUTHORITY_HOST": standIn(t, imds("unused"))},
			want: []string{"Identity not found", "azure_client_id"}},
		"a secret that Entra refuses and repeats": {login: jobs.Login{Kind: jobs.LoginAzureClientSecret, Identity: "application-1",
			Tenant: "directory-1"}, secret: secret,
			env:  map[string]string{"AZURE_AUTHORITY_HOST": standIn(t, entra("unused", "another"))},
			code: jobs.CodeUnauthorized, attribute: "azure_client_secret_wo",
			want: []string{"AADSTS7000215", "[redacted]", "azure_client_secret_wo_version"}},
		"a redirect": {login: jobs.Login{Kind: jobs.LoginAzureClientSecret, Identity: "application-1", Tenant: "directory-1"},
			secret: secret,
			env:    map[string]string{"AZURE_AUTHORITY_HOST": redirect},
			code:   jobs.CodeInvalid, attribute: "azure_client_secret_wo", want: []string{"redirect"}},
		"a directory that is a path": {login: jobs.Login{Kind: jobs.LoginAzureClientSecret, Identity: "application-1", Tenant: "../x"},
			secret: secret,
			code:   jobs.CodeInvalid, attribute: "azure_tenant_id"},
		"a key for the metadata service": {login: jobs.Login{Kind: jobs.LoginGoogleCredentials}, secret: key,
			code: jobs.CodeInvalid, attribute: "google_credentials_wo",
			want: []string{"reserved address"}},
		"credentials that name a program": {login: jobs.Login{Kind: jobs.LoginGoogleCredentials}, secret: executable,
			code:      jobs.CodeInvalid,
			attribute: "google_credentials_wo", want: []string{"service_account"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "an empty variable" {
				c.attribute = "oidc_token_env"
			}
			err := connect(t, at(t, workspace), c.login, c.secret, c.env)
			wantFailure(t, err, c.code, c.attribute, []string{secret, "PRIVATE KEY"}, c.want...)
		})
	}
	t.Cleanup(func() {
		if n := tokens.Load(); n > 0 {
			t.Errorf("%d requests had a token", n)
		}
	})
}

// A definition reaches no private host by a login: the key of a service account names the
// endpoint that its token is asked of.
//
// checklist 50
func TestALoginReachesNoPrivateHost(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	private := standIn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusTeapot)
	}))
	behindNobody := jobs.AuthorizationSpec{Host: "2.3.gcp.databricks.com", Port: 443, HTTPPath: "/p"}
	closed := func(o *engine.Options) { o.AllowPrivateHosts = false }
	for _, address := range []string{private, strings.Replace(private, "http", "https", 1), "https://localhost:1", "https://10.1.2.3",
		"https://169.254.169.254"} {
		err := connect(t, behindNobody, jobs.Login{Kind: jobs.LoginGoogleCredentials}, serviceAccountKey(t, address+"/token"), nil,
			closed)
		if f := jobs.FailureOf(err); f.Code != jobs.CodeInvalid || f.Attribute != "google_credentials_wo" {
			t.Errorf("%s: got %+v, want a refusal", address, f)
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("%d requests reached a private host", n)
	}
}

// An answer without end, or that inflates, is an error, whichever endpoint gives it.
//
// checklist 74
func TestHostileAnswersOfTokenEndpoints(t *testing.T) {
	t.Parallel()
	for _, a := range hostiletest.Answers(`{"access_token":"x","a":[`, `{},`) {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			hostile := standIn(t, a)
			for endpoint, c := range map[string]struct {
				login  jobs.Login
				secret string
				env    map[string]string
			}{
				"managed identity": {jobs.Login{Kind: jobs.LoginAzureMSI}, "",
					map[string]string{"AZURE_POD_IDENTITY_AUTHORITY_HOST": hostile}},
				"Entra": {jobs.Login{Kind: jobs.LoginAzureClientSecret, Identity: "a", Tenant: "b"}, "secret-of-a",
					map[string]string{"AZURE_AUTHORITY_HOST": hostile}},
				"discovery": {jobs.Login{Kind: jobs.LoginEnvOIDC, Variable: "T"}, "", map[string]string{"T": "e.e.e-identity"}},
			} {
				err := connect(t, at(t, hostile), c.login, c.secret, c.env)
				f := jobs.FailureOf(errors.Join(err))
				if err == nil || f.Code != jobs.CodeFailed && f.Code != jobs.CodeUnreachable && f.Code != jobs.CodeTimeout || f.Next == "" {
					t.Errorf("%s: got %+v, want an error of the answer", endpoint, f)
				}
			}
		})
	}
}

// Answers of success that have no token are errors.
func TestAnswersWithoutATokenAreErrors(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing": "", "no JSON": "<html>sign in</html>", "no token": `{"token_type":"Bearer"}`, "another type": `{"access_token":7}`,
		"a list":                    `[]`,
		"a token that is no header": `{"access_token":"a b\nc"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			odd := standIn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, body)
			}))
			for _, c := range []struct {
				login  jobs.Login
				secret string
				env    map[string]string
			}{
				{jobs.Login{Kind: jobs.LoginAzureMSI}, "", map[string]string{"AZURE_POD_IDENTITY_AUTHORITY_HOST": odd}},
				{jobs.Login{Kind: jobs.LoginAzureClientSecret, Identity: "a", Tenant: "b"}, "secret-of-a",
					map[string]string{"AZURE_AUTHORITY_HOST": odd}},
				{jobs.Login{Kind: jobs.LoginEnvOIDC, Variable: "T"}, "", map[string]string{"T": "e.e.e-identity"}},
			} {
				if f := jobs.FailureOf(errors.Join(connect(t, at(t, odd), c.login, c.secret, c.env),
					errors.New("none"))); f.Attribute == "" || f.Next == "" {
					t.Errorf("%s: got %+v, want an error with its attribute and a next step", c.login.Kind, f)
				}
			}
		})
	}
}
