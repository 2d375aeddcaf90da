package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// The list of logins comes from the file or the environment. An entry that would allow
// nothing, or more than it says, is refused.
func TestTheListOfLoginsIsChecked(t *testing.T) {
	t.Parallel()
	environment := func(list string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			if name != "LYTICS_RUNNER_ALLOWED_LOGINS" {
				return "", false
			}
			return list, true
		}
	}
	c, err := config.Runner{}.Complete(environment("github-oidc, token-file:/run/secrets/*"))
	if d := cmp.Diff([]string{"github-oidc", "token-file:/run/secrets/*"}, c.AllowedLogins); err != nil || d != "" {
		t.Errorf("from the environment: %v (-want +got):\n%s", err, d)
	}
	for entry, want := range map[string]string{
		"token-file":          "without a name",
		"token-file:":         "without a name",
		"github-oidc:*":       "has a name",
		"magic":               "names no login",
		"azure-client-secret": "names no login",
	} {
		_, err := config.Runner{AllowedLogins: []string{entry}}.Complete(environment(""))
		if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Attribute != "allowed_logins" || e.Next == "" || !strings.Contains(e.Error(), want) {
			t.Errorf("%q: got %v, want an error of allowed_logins with %q", entry, err, want)
		}
	}
}
