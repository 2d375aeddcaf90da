package cli_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/cli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// checklist 84: no command takes a data directory that does not exist for a store
// without jobs, and none makes it.
func TestCommandsRefuseAMissingDataDirectory(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"jobs"}, {"runs"}, {"runs", "--follow"}, {"run", "x"}, {"run", "x", "--dry-run"}, {"logs", "x"}, {"pause", "x"}, {"resume", "x"},
		{"cancel", "x"}, {"events", "x"}, {"profiles", "x"}, {"quarantine", "list"}, {"quarantine", "resend", "--job", "x"},
		{"erase", "--identifier", "email=x"}, {"store", "backup", "--to", filepath.Join(t.TempDir(), "backup")},
	} {
		t.Run(strings.Join(args[:min(2, len(args))], " "), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "mistyped")
			var out, errOut bytes.Buffer
			program := cli.Program{
				Version: "test", LookupEnv: func(string) (string, bool) { return "", false },
				Open: func(_ context.Context, t config.Target) (jobs.API, error) {
					return engine.New(engine.OptionsFromConfig(t.Engine, "test")), nil
				},
			}
			code := cli.Run(t.Context(), append(args, "--data-dir", dir), program, &out, &errOut)
			text := errOut.String()
			if code != 1 || !strings.Contains(text, dir) || !strings.Contains(text, "does not exist") || !strings.Contains(text, "--data-dir") {
				t.Errorf("got %d, %q, %q; want an error with the directory and the way out", code, out.String(), text)
			}
			if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the command made the data directory: %v", err)
			}
		})
	}
}
