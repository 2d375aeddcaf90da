package acceptance

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// ownedHCL is one field, mapping and audience.
const ownedHCL = `
resource "lytics_field" "email" {
  id   = "email"
  type = "string"
}
resource "lytics_mapping" "email" {
  stream     = "s"
  field      = "email"
  expression = "email"
  depends_on = [lytics_field.email]
}
resource "lytics_audience" "all" {
  name       = "All"
  filter     = "EXISTS email"
  depends_on = [lytics_field.email]
}
`

// accountWorkspace is a workspace whose platform is a Lytics account.
func accountWorkspace(t *testing.T, account *lyticstest.Server, hcl string) *workspace {
	t.Helper()
	w := newWorkspace(t, sandboxtest.Shared(t), fmt.Sprintf(`
provider "lytics" {
  platform = {
    lytics = {
      api_url  = %q
      bulk_url = %q
    }
  }
}
`, account.APIURL, account.BulkURL)+hcl)
	w.env["LYTICS_API_TOKEN"] = lyticsToken
	return w
}

func openLyticsAccount(t *testing.T) *lyticstest.Server {
	t.Helper()
	account, err := lyticstest.New(lyticstest.Options{Token: lyticsToken})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if wrong := account.Wrong(); len(wrong) != 0 {
			t.Errorf("requests that are not as documented: %v", wrong)
		}
		if err := account.Close(); err != nil {
			t.Error(err)
		}
	})
	return account
}

// importBlocks are the import blocks of an error, with the names of the resources.
func importBlocks(text string, names map[string]string) string {
	var b strings.Builder
	for _, m := range regexp.MustCompile(`to = (lytics_\w+)\.NAME\s+id = ("[^"]+")`).FindAllStringSubmatch(flatten(text), -1) {
		fmt.Fprintf(&b, "import {\n  to = %s.%s\n  id = %s\n}\n", m[1], names[m[1]], m[2])
	}
	return b.String()
}

var ownedNames = map[string]string{"lytics_field": "email", "lytics_mapping": "email", "lytics_audience": "all"}

// takeOver applies a configuration whose objects exist, with the import blocks that
// its errors show. The objects depend on each other: the field is refused first.
func (w *workspace) takeOver() {
	w.t.Helper()
	var blocks string
	for range 3 {
		text, code := w.tryApply()
		if code == 0 {
			break
		}
		wantError(w.t, text, "import {")
		more := importBlocks(text, ownedNames)
		if more == "" {
			w.t.Fatalf("an error without an import block:\n%s", text)
		}
		blocks += more
		w.file("imports.tf", blocks)
	}
	if strings.Count(blocks, "import {") != 3 {
		w.t.Errorf("the errors showed these import blocks, want three:\n%s", blocks)
	}
	w.wantNoChanges()
}

// checklist 67 68: what another store made in the account is refused with its import
// block, a slug that is taken too; with the block, it is taken over and the plan is
// empty.
func TestForeignObjectsOfAnAccountAreImportedOnly(t *testing.T) {
	t.Parallel()
	only(t, "TestForeignObjectsOfAnAccountAreImportedOnly of the embedded deployment", embedded)
	account := openLyticsAccount(t)
	first := accountWorkspace(t, account, ownedHCL)
	first.apply()
	versions := len(account.Versions())
	second := accountWorkspace(t, account, ownedHCL)
	text, code := second.tryApply()
	if code != 1 {
		t.Fatalf("the second store's apply gave %d, want 1:\n%s", code, text)
	}
	wantError(t, text, `Field "email" exists already`, "import { to = lytics_field.NAME", `id = "email"`)
	// The store is there now: the plan refuses.
	text, code = second.plan()
	if code != 1 {
		t.Errorf("the second store's plan gave %d, want 1:\n%s", code, text)
	}
	wantError(t, text, `Field "email" exists already`, "to = lytics_field.NAME")
	if text, code := second.terraform("destroy", "-auto-approve", "-input=false", "-no-color"); code != 0 {
		t.Fatalf("destroy gave %d:\n%s", code, text)
	}
	if n := len(account.Versions()); n != versions {
		t.Errorf("the second store published %d versions, want none", n-versions)
	}
	first.wantNoChanges()
	second.takeOver()
}

// checklist 67: of two workspaces on one store, the second is refused and its destroy
// leaves the objects of the first. After an import in the second, the first one's
// destroy leaves them.
func TestTwoWorkspacesOnOneStore(t *testing.T) {
	t.Parallel()
	for _, platform := range []string{"embedded", "lytics"} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			open := func() *workspace { return newWorkspace(t, sandboxtest.Shared(t), providerHCL+ownedHCL) }
			if platform == "lytics" {
				only(t, "the embedded platform stands for it", embedded)
				account := openLyticsAccount(t)
				open = func() *workspace { return accountWorkspace(t, account, ownedHCL) }
			}
			first, second := open(), open()
			second.dataDir = first.dataDir
			first.env["LYTICS_DATA_DIR"], second.env["LYTICS_DATA_DIR"] = first.dataDir, first.dataDir
			first.apply()
			text, code := second.tryApply()
			if code != 1 {
				t.Fatalf("the second apply gave %d, want 1:\n%s", code, text)
			}
			wantError(t, text, `Field "email" exists already`, "to = lytics_field.NAME")
			destroy := []string{"destroy", "-auto-approve", "-input=false", "-no-color"}
			if text, code := second.terraform(destroy...); code != 0 {
				t.Fatalf("the second destroy gave %d:\n%s", code, text)
			}
			first.wantNoChanges()

			second.takeOver()
			text, code = first.plan()
			if code != 0 {
				t.Fatalf("the first plan after the import gave %d, want 0:\n%s", code, text)
			}
			wantError(t, text, "The field email belongs to another resource")
			text, code = first.terraform(destroy...)
			if code != 0 {
				t.Fatalf("the first destroy gave %d:\n%s", code, text)
			}
			wantError(t, text, "The field email is not deleted")
			second.wantNoChanges()
			if text, code := second.terraform(destroy...); code != 0 {
				t.Fatalf("the destroy of the owner gave %d:\n%s", code, text)
			}
			if all, err := second.api().Fields(t.Context()); platform == "embedded" && (err != nil || len(all) != 0) {
				t.Errorf("after the owner's destroy there are %+v, %v; want no field", all, err)
			}
		})
	}
}
