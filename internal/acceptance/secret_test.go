package acceptance

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// checklist 43 53 55: no file and no output contains the token.
func TestTokenIsNotWrittenAnywhere(t *testing.T) {
	t.Parallel()
	const canary = "dapi-canary-7c1f90ab55"
	s := sandboxtest.Start(t, sandboxtest.WithArgs("-token", canary))
	db := database(t, s)
	people(t, s, db, 100)
	hcl := func(extra string) string {
		return providerHCL + authorizationHCL + importHCL(db, "people", "depends_on = [lytics_mapping.m]") +
			fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}}) + exportHCL(db, "everyone", "FILTER *", extra)
	}
	w := newWorkspace(t, s, hcl(""))
	w.env["TF_LOG"] = "TRACE"
	w.env["TF_LOG_PATH"] = filepath.Join(w.dir, "trace.log")
	if text, code := w.terraform("plan", "-input=false", "-out=plan.bin"); code != 0 {
		t.Fatal(text)
	}
	outputs := []string{w.apply()}
	// Failures print details: provoke some.
	s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", On: "ExecuteStatement", Match: "^COPY INTO", Message: "[INTERNAL_ERROR] in COPY INTO ... WITH (CREDENTIAL ...)", SQLState: "XX000", Times: -1})
	w.file("main.tf", hcl(`triggers = { n = "2" }`))
	text, code := w.tryApply()
	if code != 1 {
		t.Fatalf("apply gave %d:\n%s", code, text)
	}
	outputs = append(outputs, text)
	s.SetFault(t, sandboxtest.Fault{Kind: "token_revoked"})
	text, code = w.tryApply()
	if code != 1 {
		t.Fatalf("apply gave %d:\n%s", code, text)
	}
	outputs = append(outputs, text)

	for i, text := range outputs {
		for _, secret := range []string{canary, s.S3SecretKey} {
			if strings.Contains(text, secret) {
				t.Errorf("output %d holds a secret:\n%s", i, text)
			}
		}
	}
	searched := 0
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		searched++
		for _, secret := range []string{canary, s.S3SecretKey} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds a secret", path)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(w.dir, "trace.log")); err != nil || info.Size() < 10_000 || searched < 8 {
		t.Fatalf("the search saw too little: %d files, %v", searched, err)
	}
}

// checklist 49
func TestChangedHostNeedsTheTokenAgain(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	w := newWorkspace(t, s, providerHCL+authorizationHCL)
	w.apply()
	w.env["TF_VAR_host"] = "http://localhost"
	text, code := w.plan()
	if code != 1 {
		t.Fatalf("plan gave %d:\n%s", code, text)
	}
	wantError(t, text, "token_wo_version")
}

// The token can be an environment variable of the process that executes the
// run.
func TestATokenFromTheEnvironment(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 10)
	hcl := strings.Replace(authorizationHCL, "token_wo         = var.token\n  token_wo_version = 1", `token_env = "LYTICS_DATABRICKS_WAREHOUSE_TOKEN"`, 1)
	w := newWorkspace(t, s, providerHCL+hcl+importHCL(db, "people", ""))
	if text, code := w.tryApply(); code != 1 {
		t.Fatalf("apply without the variable gave %d:\n%s", code, text)
	} else {
		wantError(t, text, "token_env", "LYTICS_DATABRICKS_WAREHOUSE_TOKEN")
	}
	w.env["LYTICS_DATABRICKS_WAREHOUSE_TOKEN"] = s.Token
	w.stopRunners() // runners read the variable themselves, so restart them
	w.apply()
	wantEach(t, w.events("s"), 10)
}
