package provider

import (
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Every answer to Terraform with diagnostics passes through printable. Those of the
// list have only texts of the framework, about schemas.
func TestEveryDiagnosticIsMadePrintable(t *testing.T) {
	t.Parallel()
	ofFramework := []string{
		"GetMetadata", "GetProviderSchema", "GetResourceIdentitySchemas", "GetFunctions", "UpgradeResourceIdentity", "GenerateResourceConfig",
	}
	typ := reflect.TypeFor[*server]()
	made := 0
	for i := range typ.NumMethod() {
		m := typ.Method(i)
		if m.Type.NumOut() != 2 || slices.Contains(ofFramework, m.Name) {
			continue
		}
		_, diagnostics := m.Type.Out(0).Elem().FieldByName("Diagnostics")
		if !diagnostics {
			continue
		}
		made++
		f := runtime.FuncForPC(m.Func.Pointer())
		if file, _ := f.FileLine(f.Entry()); !strings.HasSuffix(file, "server.go") {
			t.Errorf("%s is passed on as it is", m.Name)
		}
	}
	if made < 18 {
		t.Errorf("%d methods have diagnostics, want 18 or more", made)
	}
}

// checklist 79: messages have a secret and control characters, and Terraform shows
// neither.
func TestDiagnosticsArePrintable(t *testing.T) {
	t.Parallel()
	secret := jobs.NewSecret("canary-of-the-far-side")
	d := []*tfprotov6.Diagnostic{{Summary: "\x1b[31mred", Detail: "token " + secret.Reveal()}}
	allPrintable(d)
	if d[0].Summary != `\u001b[31mred` || d[0].Detail != "token [redacted]" {
		t.Errorf("got %q and %q", d[0].Summary, d[0].Detail)
	}
	events := printableEvents(slices.Values([]tfprotov6.InvokeActionEvent{
		{Type: tfprotov6.ProgressInvokeActionEventType{Message: "reading \x1b[2J" + secret.Reveal()}},
		{Type: tfprotov6.CompletedInvokeActionEventType{Diagnostics: []*tfprotov6.Diagnostic{{Detail: secret.Reveal()}}}},
	}))
	all := slices.Collect(events)
	progress, _ := all[0].Type.(tfprotov6.ProgressInvokeActionEventType)
	completed, _ := all[1].Type.(tfprotov6.CompletedInvokeActionEventType)
	if progress.Message != `reading \u001b[2J[redacted]` || completed.Diagnostics[0].Detail != "[redacted]" {
		t.Errorf("got %q and %q", progress.Message, completed.Diagnostics[0].Detail)
	}
	listed := slices.Collect(printableResults(slices.Values([]tfprotov6.ListResourceResult{
		{Diagnostics: []*tfprotov6.Diagnostic{{Summary: "\x1b[31mred", Detail: secret.Reveal()}}},
	})))
	if got := listed[0].Diagnostics[0]; got.Summary != `\u001b[31mred` || got.Detail != "[redacted]" {
		t.Errorf("got %q and %q", got.Summary, got.Detail)
	}
	runtime.KeepAlive(secret)
}
