package acceptance

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// planted is a text that is no secret and that the search has to find.
const planted = "planted-61c7"

// canaryRun is a workspace whose far sides repeat credentials in their errors.
type canaryRun struct {
	*workspace
	t        *testing.T
	canaries *echoCanaries
	found    *evidence
	// env is the environment of Terraform and of the command line.
	env []string
}

// ask runs Terraform and keeps its output.
func (c *canaryRun) ask(wantCode int, args ...string) string {
	c.t.Helper()
	ctx, cancel := beforeTimeout(c.t.Context(), c.t)
	defer cancel()
	cmd := c.command(ctx, args...)
	cmd.Env = c.env
	text, code := c.run(cmd)
	c.found.add("output", args[0], []byte(text))
	if code != wantCode {
		c.t.Fatalf("terraform %v gave %d, want %d:\n%s", args, code, wantCode, text)
	}
	return text
}

func (c *canaryRun) apply(wantCode int) string {
	c.t.Helper()
	return c.ask(wantCode, "apply", "-auto-approve", "-input=false", "-no-color")
}

// fail fails an apply by the error of a far side, which repeats what it was given.
func (c *canaryRun) fail(what string, e *echo, hit func(r *http.Request, body []byte) bool) string {
	c.t.Helper()
	e.when(hit)
	text := c.apply(1)
	e.wantHit(c.t, what)
	if !strings.Contains(text, "[redacted]") && strings.Contains(text, echoed) {
		c.t.Errorf("%s: the far side repeated no secret:\n%s", what, text)
	}
	return text
}

// wantEcho fails an apply, and asserts that its error has what the far side said.
func (c *canaryRun) wantEcho(what string, e *echo, hit func(r *http.Request, body []byte) bool) {
	c.t.Helper()
	if text := c.fail(what, e, hit); !strings.Contains(flatten(text), echoed) {
		c.t.Errorf("%s: the error does not have what the far side said:\n%s", what, text)
	}
}

// addTerraform adds what Terraform wrote: state, plans and its log.
func (c *canaryRun) addTerraform() {
	c.t.Helper()
	c.found.addFiles(c.t, "state", c.dir, "terraform.tfstate*")
	c.found.addZip(c.t, "plan", filepath.Join(c.dir, "plan.bin"))
	c.found.addFiles(c.t, "TRACE log", c.dir, "trace.log")
}

func newCanaryRun(t *testing.T, s *sandboxtest.Sandbox, hcl string) *canaryRun {
	t.Helper()
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	c := &canaryRun{workspace: newWorkspace(t, s, hcl), t: t, found: &evidence{}, canaries: &echoCanaries{all: map[string]string{
		"Databricks token": s.Token, "OAuth client secret": s.ClientSecret, "S3 secret key": s.S3SecretKey, "S3 access key": s.S3AccessKey,
		"encryption key": base64.StdEncoding.EncodeToString(key),
	}}}
	delete(c.workspace.env, "LYTICS_ENCRYPTION_KEY_FILE")
	c.workspace.env["LYTICS_ENCRYPTION_KEY"] = c.canaries.all["encryption key"]
	c.workspace.env["TF_LOG"], c.workspace.env["TF_LOG_PATH"] = "TRACE", filepath.Join(c.dir, "trace.log")
	return c
}

// portOf is the port of a URL on this machine.
func portOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

// No secret is found where it does not belong: after runs that succeed, and after
// failures in which every far side repeats the credentials that it was given.
//
// checklist 43 53 55 76
func TestNoCanaryIsFoundWithARunner(t *testing.T) {
	t.Parallel()
	only(t, "it starts its own runner: one deployment shows it", embedded)
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 50)
	s.Exec(t, "INSERT INTO main."+db+".people VALUES (1000, '"+planted+"@example.com', TIMESTAMP '2024-06-01 00:00:00')")
	hcl := func(imported, exported int) string {
		return `
provider "lytics" {}
variable "client_id" { type = string }
variable "client_secret" {
  type      = string
  ephemeral = true
  sensitive = true
}
resource "lytics_databricks_authorization" "oauth" {
  label                    = "service principal"
  host                     = var.host
  port                     = var.port
  http_path                = var.http_path
  client_id                = var.client_id
  client_secret_wo         = var.client_secret
  client_secret_wo_version = 1
}
` + authorizationHCL +
			strings.Replace(importHCL(db, "people", fmt.Sprintf("where = \"email <> '%s'\"\n  triggers = { n = %d }\n  depends_on = [lytics_mapping.m]",
				planted, imported)), `"import"`, `"`+planted+`"`, 1) +
			fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}}) +
			strings.Replace(exportHCL(db, "everyone", "FILTER *", fmt.Sprintf("triggers = { n = %d }", exported)),
				"lytics_databricks_authorization.w.id", "lytics_databricks_authorization.oauth.id", 1)
	}
	c := newCanaryRun(t, s, hcl(1, 1))
	c.canaries.set("runner token", runnerToken)
	c.canaries.set("webhook secret", "canary-webhook-"+strings.ToLower(rand.Text()))
	stop := c.found.watchArguments(t)
	defer stop()

	warehouse := newEcho(t, fmt.Sprintf("%s:%d", s.Host, s.Port), c.canaries, refuseAsWarehouse)
	bucket := newEcho(t, s.S3Endpoint, c.canaries, refuseAsS3, "S3 secret key")
	alerts := make(chan []byte, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var text bytes.Buffer
		_ = r.Header.Write(&text)
		_, _ = io.Copy(&text, r.Body)
		alerts <- text.Bytes()
	}))
	t.Cleanup(hook.Close)
	env := c.workspace.env
	env["TF_VAR_port"], env["TF_VAR_client_id"], env["TF_VAR_client_secret"] = portOf(t, warehouse.URL), s.ClientID, s.ClientSecret
	env["LYTICS_STAGING_S3_ENDPOINT"] = bucket.URL
	env["LYTICS_ALERTS_URL"], env["LYTICS_ALERTS_SECRET"] = hook.URL, c.canaries.copied()["webhook secret"]
	runner, address := c.startRunner(c.dataDir, "127.0.0.1:0", "")
	c.env = append(withoutLyticsVariables(os.Environ()), "LYTICS_RUNNER_URL="+address, "LYTICS_RUNNER_TOKEN="+runnerToken)
	for k, v := range env {
		if strings.HasPrefix(k, "TF_") || k == "CHECKPOINT_DISABLE" {
			c.env = append(c.env, k+"="+v)
		}
	}

	c.ask(0, "plan", "-input=false", "-no-color", "-out=plan.bin")
	c.found.add("plan as JSON", "show", []byte(c.ask(0, "show", "-json", "plan.bin")))
	c.ask(0, "apply", "-input=false", "-no-color", "plan.bin")
	c.ask(0, "show", "-json")

	grow := func(id int) {
		s.Exec(t, fmt.Sprintf("INSERT INTO main.%s.people VALUES (%d, 'late@example.com', TIMESTAMP '2024-06-01 00:00:01')", db, id))
	}
	grow(1001)
	c.file("main.tf", hcl(2, 1))
	c.wantEcho("the warehouse", warehouse, func(_ *http.Request, body []byte) bool { return bytes.Contains(body, []byte("lytics_digest")) })
	c.apply(0)
	c.file("main.tf", hcl(2, 2))
	c.wantEcho("the token endpoint", warehouse, func(r *http.Request, _ []byte) bool { return strings.Contains(r.URL.Path, "/oidc/") })
	c.wantEcho("S3", bucket, func(r *http.Request, _ []byte) bool { return r.Method == http.MethodPut })
	c.wantEcho("the token service", bucket, func(r *http.Request, _ []byte) bool { return isSTS(r) })
	c.wantEcho("COPY INTO", warehouse, func(_ *http.Request, body []byte) bool { return bytes.Contains(body, []byte("COPY INTO")) })
	c.apply(0)

	grow(1002)
	// A run that an operator starts fails by an error of its statement.
	s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "lytics_digest", SQLState: "XX000", Times: -1,
		Message: "[INTERNAL_ERROR] " + c.canaries.text("Databricks token")})
	c.commandLine(address, 1, "run", planted)
	s.ClearFaults(t)
	for alerted := false; !alerted; {
		select {
		case text := <-alerts:
			c.found.add("alerts", "alert", text)
			alerted = bytes.Contains(text, []byte("INTERNAL_ERROR"))
		case <-t.Context().Done():
			t.Fatal("no alert arrived")
		}
	}

	c.commandLine(address, 0, "jobs")
	c.commandLine(address, 0, "runs", "--json")
	c.addRunner(address)
	c.addTerraform()
	c.found.addFiles(t, "WAL", c.dataDir, "*-wal")
	runner.stop(t) // which writes the WAL into the database
	c.found.addFiles(t, "store", c.dataDir, "*.db")
	c.found.addFiles(t, "event segments", filepath.Join(c.dataDir, "streams"), "*")
	c.found.addFiles(t, "process log", c.dir, "*.log")
	delete(c.found.places["process log"], filepath.Join(c.dir, "trace.log"))
	for _, st := range s.Statements(t) {
		c.found.add("query log", st.Operation, []byte(withoutCopyCredential(st.Text)+"\n"+st.Tags+"\n"))
	}
	stop()
	all := c.canaries.copied()
	for _, name := range []string{"temporary SessionToken", "temporary SecretAccessKey", "access token", "webhook secret"} {
		if all[name] == "" {
			t.Errorf("the %s was not learned", name)
		}
	}
	t.Logf("%d canaries", len(all))
	c.found.wantNoCanary(t, all, map[string]string{
		"output": echoed, "state": planted, "plan": planted, "plan as JSON": planted, "TRACE log": echoed,
		"store": planted, "WAL": echoed, "event segments": "p7@example.com", "run records": echoed, "API": planted, "page": echoed,
		"metrics": "lytics_runs_total", "alerts": echoed, "process arguments": c.dataDir, "query log": planted, "process log": echoed,
	})
}

// copyCredential is the credential of COPY INTO: temporary keys for one prefix.
var copyCredential = regexp.MustCompile(`(?s)^(COPY INTO.*?)WITH \(CREDENTIAL \(.*?\)\)`)

// withoutCopyCredential removes the one place where a credential belongs in a
// statement. Databricks does not show it in the query history.
func withoutCopyCredential(statement string) string {
	return copyCredential.ReplaceAllString(statement, "$1")
}

// commandLine runs the command line and keeps its output.
func (c *canaryRun) commandLine(address string, wantCode int, args ...string) {
	c.t.Helper()
	binary, err := providerBinary()
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := beforeTimeout(c.t.Context(), c.t)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, append(args, "--url", address)...)
	cmd.Dir, cmd.Env = c.dir, c.env
	text, code := c.run(cmd)
	c.found.add("output", args[0], []byte(text))
	if code != wantCode {
		c.t.Fatalf("%v gave %d, want %d:\n%s", args, code, wantCode, text)
	}
}

// addRunner adds what a runner answers: its API, also to wrong requests, its page and
// its metrics.
func (c *canaryRun) addRunner(address string) {
	c.t.Helper()
	api := func(method, path, body string) []byte {
		req, err := http.NewRequestWithContext(c.t.Context(), method, address+path, strings.NewReader(body))
		if err != nil {
			c.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+runnerToken)
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		return answerOf(c.t, http.DefaultClient, req)
	}
	get := func(place, path string) []byte {
		text := api(http.MethodGet, path, "")
		c.found.add(place, path, text)
		return text
	}
	const base = "/api/v1"
	for _, path := range []string{"/store", "/jobs", "/streams", "/fields", "/audiences", "/quarantine", "/events?stream=s", "/audiences/everyone/profiles"} {
		get("API", base+path)
	}
	get("API", "/openapi.json")
	get("metrics", "/metrics")
	secret := c.canaries.copied()["Databricks token"]
	for _, body := range []string{
		`{"spec":{"label":"l","host":"h","port":"` + secret + `","http_path":"p"}}`, `{"spec":"` + secret + `"}`,
		`{"spec":{"label":"l","host":"` + secret + `","port":443,"http_path":"p"},"token":"` + secret + `","` + secret + `":1}`,
	} {
		c.found.add("API", "a wrong request", api(http.MethodPost, base+"/authorizations", body))
	}
	var runs []struct {
		ID  string
		Job string `json:"job_id"`
	}
	if err := json.Unmarshal(get("run records", base+"/runs"), &runs); err != nil || len(runs) < 7 {
		c.t.Fatalf("%d runs, %v", len(runs), err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	page := func(method, path string, form url.Values) {
		req, err := http.NewRequestWithContext(c.t.Context(), method, address+path, strings.NewReader(form.Encode()))
		if err != nil {
			c.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		c.found.add("page", path, answerOf(c.t, browser, req))
	}
	page(http.MethodPost, "/sign-in", url.Values{"token": {runnerToken}})
	page(http.MethodGet, "/", nil)
	page(http.MethodGet, "/runs", nil)
	for _, r := range runs {
		get("run records", base+"/runs/"+r.ID)
		get("run records", base+"/runs/"+r.ID+"/log")
		page(http.MethodGet, "/runs/"+r.ID, nil)
	}
	get("API", base+"/jobs/"+runs[0].Job)
	page(http.MethodGet, "/jobs/"+runs[0].Job, nil)
}

// answerOf reads an answer with its headers.
func answerOf(t *testing.T, client *http.Client, req *http.Request) []byte {
	t.Helper()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The same with a Lytics account, whose errors repeat its token, and in the provider's
// own process.
//
// checklist 43 53
func TestNoCanaryIsFoundWithALyticsAccount(t *testing.T) {
	t.Parallel()
	only(t, "it is the provider's own process that is searched", embedded)
	token := "at.canary-" + strings.ToLower(rand.Text())
	account, err := lyticstest.New(lyticstest.Options{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := account.Close(); err != nil {
			t.Error(err)
		}
	})
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 50)
	hcl := func(imported int, more string) string {
		return authorizationHCL + strings.Replace(importHCL(db, "people", fmt.Sprintf("triggers = { n = %d }\n  depends_on = [lytics_mapping.m]", imported)),
			`"import"`, `"`+planted+`"`, 1) +
			fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}}) + exportHCL(db, "everyone", "FILTER *", "") + more
	}
	c := newCanaryRun(t, s, hcl(1, ""))
	c.canaries.set("Lytics token", token)
	api := newEcho(t, account.APIURL, c.canaries, refuseAsLytics)
	bulk := newEcho(t, account.BulkURL, c.canaries, refuseAsLytics)
	c.file("provider.tf", fmt.Sprintf(`
variable "lytics_token" {
  type      = string
  ephemeral = true
}
variable "s3_secret" {
  type      = string
  ephemeral = true
}
provider "lytics" {
  platform = { lytics = { api_url = %q, bulk_url = %q, token = var.lytics_token } }
  staging  = { s3 = { bucket = %q, access_key_id = %q, secret_access_key = var.s3_secret } }
}
`, api.URL, bulk.URL, s.S3Bucket, s.S3AccessKey))
	c.workspace.env["TF_VAR_lytics_token"], c.workspace.env["TF_VAR_s3_secret"] = token, s.S3SecretKey
	// The key's id is no secret, and the configuration names it.
	delete(c.canaries.all, "S3 access key")
	stop := c.found.watchArguments(t)
	defer stop()
	c.env = c.providerEnv()

	c.ask(0, "plan", "-input=false", "-no-color", "-out=plan.bin")
	c.ask(0, "apply", "-input=false", "-no-color", "plan.bin")
	s.Exec(t, "INSERT INTO main."+db+".people VALUES (1001, 'late@example.com', TIMESTAMP '2024-06-01 00:00:01')")
	c.file("main.tf", hcl(2, ""))
	// What Lytics says of an upload is left out, since it may repeat personal data.
	c.fail("an upload", bulk, func(r *http.Request, _ []byte) bool { return r.Method == http.MethodPost })
	c.wantEcho("every call", api, func(*http.Request, []byte) bool { return true })
	// Lytics is given the warehouse's token, and repeats it.
	c.file("main.tf", hcl(2, lyticsAuthorizationHCL))
	c.wantEcho("an authorization", api, func(_ *http.Request, body []byte) bool { return bytes.Contains(body, []byte(s.Token)) })

	stop()
	c.addTerraform()
	c.found.addFiles(t, "store", c.dataDir, "*")
	c.found.wantNoCanary(t, c.canaries.copied(), map[string]string{
		"output": echoed, "state": planted, "plan": planted, "TRACE log": echoed, "store": planted, "process arguments": "apply",
	})
}
