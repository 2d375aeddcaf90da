package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// plannedImports is the number of table imports in the measured plan.
const plannedImports = 100

const plannedConfiguration = `
terraform {
  required_providers {
    lytics = {
      source = "terraform-provider-lytics/lytics"
    }
  }
}

provider "lytics" {}

resource "lytics_databricks_authorization" "warehouse" {
  label            = "plan"
  host             = "https://dbc-1.cloud.databricks.com"
  http_path        = "/sql/1.0/warehouses/1"
  token_wo         = "none"
  token_wo_version = 1
  check_connection = false
}

resource "lytics_databricks_table_import" "planned" {
  count            = %d
  label            = "orders ${count.index}"
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  table            = "orders_${count.index}"
  timestamp_column = "updated_at"
  stream           = "orders_${count.index}"
  key_columns      = ["id"]
  schedule         = { frequency = "daily", time_of_day = "06:30", paused = true }
}
`

// planWorkspace is a directory whose state has the imports, created by the provider that
// then plans them.
type planWorkspace struct{ dir, provider string }

// measurePlan compares the CPU time of a plan without changes, of Terraform and its plugins
// together, with that of the same plan by the provider of an earlier commit. Both plan in
// turn, so that other work on the machine slows down both.
func measurePlan(ctx context.Context, b *bench) error {
	if _, err := exec.LookPath("terraform"); err != nil {
		fmt.Println("  LEFT OUT: there is no terraform on PATH")
		return nil //nolint:nilerr // printed above
	}
	if b.options.baseline == "" {
		fmt.Println("  LEFT OUT: there is no provider to compare with; make bench and make bench-plan build it")
		return nil
	}
	was, err := newPlanWorkspace(ctx, b.store("plan-was"), b.options.baseline)
	if err != nil {
		return err
	}
	is, err := newPlanWorkspace(ctx, b.store("plan-is"), b.options.provider)
	if err != nil {
		return err
	}
	took := map[planWorkspace]float64{}
	for i := range 2 * b.options.runs {
		pair := []planWorkspace{was, is}
		if i%2 == 1 {
			pair = []planWorkspace{is, was}
		}
		for _, w := range pair {
			cpu, err := w.terraform(ctx, "plan", "-detailed-exitcode")
			if err != nil {
				return err
			}
			took[w] = min(cpu, orElse(took[w], cpu))
		}
	}
	b.add(figure{
		Name: fmt.Sprintf("plan of %d imports in state, CPU time", plannedImports), Floor: "the provider of an earlier commit",
		Measured: took[is], Base: took[was], Unit: "s", Ratio: took[is] / took[was], Goal: 0.6,
		Note: "Terraform and the plugin together",
	})
	return nil
}

// newPlanWorkspace applies the configuration. The jobs have a paused schedule, so the apply
// needs no warehouse.
func newPlanWorkspace(ctx context.Context, dir, provider string) (planWorkspace, error) {
	provider, err := filepath.Abs(provider)
	if err != nil {
		return planWorkspace{}, err
	}
	if _, err := os.Stat(provider); err != nil {
		return planWorkspace{}, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return planWorkspace{}, err
	}
	for name, text := range map[string]string{
		"main.tf": fmt.Sprintf(plannedConfiguration, plannedImports),
		"terraform.rc": fmt.Sprintf(
			"provider_installation {\n  dev_overrides {\n    \"terraform-provider-lytics/lytics\" = %q\n  }\n  direct {}\n}\n",
			filepath.ToSlash(filepath.Dir(provider)),
		),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return planWorkspace{}, err
		}
	}
	w := planWorkspace{dir: dir, provider: provider}
	_, err = w.terraform(ctx, "apply", "-auto-approve")
	return w, err
}

// terraform runs a command and returns the CPU time of it and of the plugins that it started.
func (w planWorkspace) terraform(ctx context.Context, args ...string) (cpu float64, err error) {
	cmd := exec.CommandContext(ctx, "terraform", append(args, "-input=false", "-no-color")...)
	cmd.Dir = w.dir
	// Interrupted, terraform ends its plugin; killed, it would leave it.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	for _, kv := range os.Environ() {
		// The user's own settings would choose another store, or write logs.
		if !strings.HasPrefix(kv, "LYTICS_") && !strings.HasPrefix(kv, "TF_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "TF_CLI_CONFIG_FILE="+filepath.Join(w.dir, "terraform.rc"), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1",
		"LYTICS_ENCRYPTION_KEY_FILE="+filepath.Join(w.dir, "encryption.key"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("terraform %s with %s: %w\n%s", args[0], w.provider, err, out)
	}
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), nil
}
