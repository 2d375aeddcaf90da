package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// The plugin writes the logs of the levels that Terraform keeps, and no others: Terraform
// parses every line, which was a third of the CPU time of a plan.
func TestThePluginSendsOnlyLogsThatTerraformKeeps(t *testing.T) {
	t.Parallel()
	only(t, "the plugin is the same", embedded)
	if runtime.GOOS == "windows" {
		t.Skip("the plugin's standard error is caught by a shell script")
	}
	binary, err := providerBinary()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env                map[string]string
		wantTrace, wantAny bool
	}{
		"no log":                   {env: map[string]string{}},
		"off":                      {env: map[string]string{"TF_LOG": "TRACE", "TF_LOG_PROVIDER": "OFF"}},
		"debug":                    {env: map[string]string{"TF_LOG": "debug"}, wantAny: true},
		"trace":                    {env: map[string]string{"TF_LOG_PROVIDER": "TRACE"}, wantTrace: true, wantAny: true},
		"JSON, which is trace":     {env: map[string]string{"TF_LOG": "JSON"}, wantTrace: true, wantAny: true},
		"a level of the SDK's own": {env: map[string]string{"TF_LOG_SDK": "TRACE"}, wantTrace: true, wantAny: true},
		"the core's level alone":   {env: map[string]string{"TF_LOG_CORE": "TRACE"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t, &sandboxtest.Sandbox{}, providerHCL+`
resource "lytics_field" "f" {
  id   = "email"
  type = "string"
}
`)
			plugins, written := filepath.Join(w.dir, "plugins"), filepath.Join(w.dir, "stderr")
			if err := os.Mkdir(plugins, 0o700); err != nil {
				t.Fatal(err)
			}
			script := fmt.Sprintf("#!/bin/sh\nexec '%s' \"$@\" 2>>'%s'\n", binary, written)
			if err := os.WriteFile(filepath.Join(plugins, "terraform-provider-lytics"), []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			w.file("terraform.rc", fmt.Sprintf(
				"provider_installation {\n  dev_overrides {\n    \"terraform-provider-lytics/lytics\" = %q\n  }\n  direct {}\n}\n", plugins))
			w.env["TF_LOG_PATH"] = filepath.Join(w.dir, "log")
			for k, v := range c.env {
				w.env[k] = v
			}
			if text, code := w.plan(); code != 2 {
				t.Fatalf("plan gave %d:\n%s", code, text)
			}
			text, err := os.ReadFile(written)
			if err != nil {
				t.Fatal(err)
			}
			var traces, own int
			for line := range strings.Lines(string(text)) {
				if !strings.Contains(line, `"@module":"sdk.`) {
					continue // the transport's few lines have no level to set
				}
				own++
				if strings.Contains(line, `"@level":"trace","@message":"`) {
					traces++
				}
			}
			if (traces > 0) != c.wantTrace || (own > 0) != c.wantAny {
				t.Errorf("the plugin wrote %d lines of the SDK, %d of them at TRACE; want some: %t, TRACE: %t",
					own, traces, c.wantAny, c.wantTrace)
			}
		})
	}
}

// With TF_LOG_PROVIDER=INFO the provider's own lines are in Terraform's log, such as that of
// a started run.
func TestTheLogHasTheProvidersLinesOfItsLevel(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 20)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", ""))
	log := filepath.Join(w.dir, "log")
	w.env["TF_LOG_PROVIDER"], w.env["TF_LOG_PATH"] = "INFO", log
	w.apply()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "run queued") {
		t.Errorf("the log does not have the start of the run:\n%s", text)
	}
}
