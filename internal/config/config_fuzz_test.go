package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
)

// A configuration file of any content is read or refused, and never ends the process.
func FuzzRead(f *testing.F) {
	for _, text := range []string{"", "listen: 127.0.0.1:8088\nstaging:\n  s3: {bucket: b}\n", `{"log":{"level":"debug"}}`, "a: &a [*a]", "? [\n", "- - -", "x: !!binary =\n",
		"platform: {lytics: {token: ${X}}}", "%YAML 1.2\n---\n...", "\x00", "tokens:\n- {name: a, role: read, hash: b}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(t.TempDir(), "runner.yaml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Read(file)
		if err != nil {
			return
		}
		_, _ = c.Complete(func(string) (string, bool) { return "", false })
	})
}
