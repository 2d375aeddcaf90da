package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest/process"
)

// terraform applies a configuration that imports the table into the embedded stream.
type terraform struct {
	source   *process.Sandbox
	provider string
}

func newTerraform(source *process.Sandbox, provider string) (terraform, error) {
	provider, err := filepath.Abs(provider)
	if err == nil {
		_, err = os.Stat(provider)
	}
	return terraform{source: source, provider: provider}, err
}

const configuration = `
terraform {
  required_providers {
    lytics = {
      source = "terraform-provider-lytics/lytics"
    }
  }
}

provider "lytics" {}

variable "token" {
  type      = string
  ephemeral = true
  sensitive = true
}

resource "lytics_databricks_authorization" "warehouse" {
  label            = "peers"
  host             = %q
  port             = %d
  http_path        = %q
  token_wo         = var.token
  token_wo_version = 1
}

resource "lytics_databricks_table_import" "peers" {
  label            = "peers"
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "bench"
  table            = "peers"
  timestamp_column = "ts"
  stream           = "peers"
}

output "rows" {
  value = lytics_databricks_table_import.peers.last_run.rows_written
}
`

// command prepares the directory. A development override makes Terraform use the built
// provider without init, so the command is the whole work.
func (t terraform) command(ctx context.Context, dir string) (*exec.Cmd, error) {
	files := map[string]string{
		"main.tf": fmt.Sprintf(configuration, t.source.Host, t.source.Port, t.source.HTTPPath),
		"terraform.rc": fmt.Sprintf(
			"provider_installation {\n  dev_overrides {\n    \"terraform-provider-lytics/lytics\" = %q\n  }\n  direct {}\n}\n",
			filepath.ToSlash(filepath.Dir(t.provider)),
		),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	cmd := exec.CommandContext(ctx, "terraform", "apply", "-auto-approve", "-input=false", "-no-color")
	cmd.Dir = dir
	// Interrupted, terraform ends its plugin; killed, it would leave it.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	for _, kv := range os.Environ() {
		// The user's own settings would send the import to another store.
		if !strings.HasPrefix(kv, "LYTICS_") && !strings.HasPrefix(kv, "TF_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "TF_CLI_CONFIG_FILE="+filepath.Join(dir, "terraform.rc"), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1",
		"TF_VAR_token="+t.source.Token, "SSL_CERT_FILE="+t.source.CAFile, "LYTICS_ALLOW_PRIVATE_HOSTS=true",
		"LYTICS_ENCRYPTION_KEY_FILE="+filepath.Join(dir, "encryption.key"))
	return cmd, nil
}

var rowsOutput = regexp.MustCompile(`(?m)^rows = (\d+)$`)

// moved reads the rows from the outputs that apply prints.
func (t terraform) moved(_ string, output []byte) (int, error) {
	found := rowsOutput.FindSubmatch(output)
	if found == nil {
		return 0, fmt.Errorf("terraform apply printed no output %q", "rows")
	}
	return strconv.Atoi(string(found[1]))
}
