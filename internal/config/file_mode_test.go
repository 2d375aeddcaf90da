//go:build !windows

package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
)

// checklist 53: a file with a secret must not be readable by every user.
func TestFileWithSecretsMustBePrivate(t *testing.T) {
	t.Parallel()
	if _, err := config.Read(write(t, "database_url: canary", 0o644)); err == nil || !strings.Contains(err.Error(),
		"chmod 640") || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
	for text, mode := range map[string]os.FileMode{"database_url: canary": 0o640, "data_dir: d": 0o644} {
		if _, err := config.Read(write(t, text, mode)); err != nil {
			t.Errorf("%s with %#o: %v", text, mode, err)
		}
	}
}
