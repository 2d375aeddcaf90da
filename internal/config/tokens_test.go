package config_test

import (
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// A token of the configuration is a name, a role and a hash. A mistake is refused
// without the text that stands in the place of the hash, which may be the token.
func TestTokensOfTheConfiguration(t *testing.T) {
	t.Parallel()
	const hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" // of "secret"
	for _, c := range []struct{ text, refused string }{
		{"{name: ci, role: operate, sha256: " + hash + "}", ""},
		{"{name: ci, role: operate, sha256: lyr_canary}", "sha256"},
		{"{name: ci, role: operate, sha256: abcd}", "sha256"},
		{"{name: ci, role: root, sha256: " + hash + "}", "role"},
		{"{name: default, role: read, sha256: " + hash + "}", "name"},
		{"{role: read, sha256: " + hash + "}", "name"},
	} {
		r, err := config.Read(write(t, "tokens:\n  - "+c.text+"\n", 0o644))
		if err != nil {
			t.Fatal(err)
		}
		r, err = r.Complete(none)
		switch {
		case c.refused == "" && (err != nil || r.Tokens[0].Hash() != jobs.HashToken("secret")):
			t.Errorf("%s: got %v, %v; want the hash of the token", c.text, r.Tokens, err)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused) || strings.Contains(err.Error(), "canary")):
			t.Errorf("%s: got %v, want an error about %s", c.text, err, c.refused)
		}
	}
}
