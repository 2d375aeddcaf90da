package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// A workspace whose certificate is of an authority of its own is reached with the ca_file of
// its authorization: its statements and the files of its results. Another authorization of
// the same workspace does not trust it.
//
// checklist 49 51
func TestTheCAFileOfAnAuthorization(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithArgs("-tls", "-results", "cloudfetch"))
	db := database(t, s)
	people(t, s, db, 500)
	file := filepath.Join(t.TempDir(), "proxy-ca.pem")
	copyFile := func(from, to string) {
		t.Helper()
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hcl := func(caFile string, version int, more string) string {
		return providerHCL + strings.Replace(authorizationHCL, "token_wo_version = 1", fmt.Sprintf("token_wo_version = %d\n  %s", version, caFile), 1) +
			importHCL(db, "people", "") + more
	}
	of := func(file string) string { return fmt.Sprintf("ca_file = %q", filepath.ToSlash(file)) }
	refused := func(text string, code int, want ...string) {
		t.Helper()
		if code != 1 {
			t.Fatalf("got the exit code %d, want 1:\n%s", code, text)
		}
		wantError(t, text, want...)
	}

	w := newWorkspace(t, s, hcl("", 1, ""))
	text, code := w.tryApply()
	refused(text, code, "was not accepted", "ca_file: of the authorization", "lytics_databricks_authorization.w")

	w.file("main.tf", hcl(of(file), 1, ""))
	text, code = w.tryApply()
	refused(text, code, "The ca_file", file, "no such file", "with certificates in PEM form", "lytics_databricks_authorization.w")

	copyFile(s.CAFile, file)
	w.apply()
	wantEach(t, w.events("s"), 500)
	w.wantNoChanges()

	other := file + ".other"
	copyFile(s.CAFile, other)
	w.file("main.tf", hcl(of(other), 1, ""))
	text, code = w.plan()
	refused(text, code, "A changed ca_file needs the token again", "raise token_wo_version")
	w.file("main.tf", hcl(of(other), 2, ""))
	w.apply()

	w.file("main.tf", hcl(of(other), 2, strings.Replace(authorizationHCL, `"w" {`, `"second" {`, 1)))
	text, code = w.tryApply()
	refused(text, code, "was not accepted", "ca_file: of the authorization", "lytics_databricks_authorization.second")
}
