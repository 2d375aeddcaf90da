package runner_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
)

// checklist 43 79.
func TestTheLogHasNoSecretAndNoControlCharacter(t *testing.T) {
	t.Parallel()
	const canary = `canary-log-7f3a+"/&`
	secret := jobs.NewSecret(canary)
	const harmful = "\x1b[31m\u009b2J\u202e\x7f"
	for _, asJSON := range []bool{false, true} {
		var out bytes.Buffer
		log := runner.NewLog(&out, asJSON, slog.LevelInfo)
		log = log.With("given", canary).WithGroup("inner")
		log.Error("refused "+canary+harmful, "error", errors.New("the host repeats "+canary), "label", "orders"+harmful,
			"rows", 12345678, "any", map[string]string{"token": canary}, "list", []string{"one", "two"},
			slog.Group("deep", "value", "is "+canary))
		text := out.String()
		if strings.Contains(text, "canary") || strings.Count(text, "[redacted]") != 5 {
			t.Errorf("JSON %t: got %s", asJSON, text)
		}
		if strings.ContainsAny(text, "\x1b\u009b\u202e\x7f") {
			t.Errorf("JSON %t: %q has control characters", asJSON, text)
		}
		if asJSON {
			var line struct {
				Inner struct {
					Label string
					Rows  int
					List  []string
				}
			}
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			if line.Inner.Label != "orders"+harmful || line.Inner.Rows != 12345678 || len(line.Inner.List) != 2 {
				t.Errorf("the values of the line are %+v", line.Inner)
			}
		}
	}
	runtime.KeepAlive(secret)
}
