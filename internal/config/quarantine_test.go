package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
)

// The environment fills the bounds of the quarantine that the file leaves out.
func TestBoundsOfTheQuarantine(t *testing.T) {
	t.Parallel()
	env := map[string]string{"LYTICS_QUARANTINE_MAX_ROWS": "7", "LYTICS_QUARANTINE_KEEP_DAYS": "8"}
	for name, c := range map[string]struct {
		text string
		env  map[string]string
		want *config.Quarantine
	}{
		"neither":     {"", nil, nil},
		"file":        {"quarantine: {max_rows: 5, keep_days: 6}", env, &config.Quarantine{MaxRows: 5, KeepDays: 6}},
		"environment": {"", env, &config.Quarantine{MaxRows: 7, KeepDays: 8}},
		"both":        {"quarantine: {max_rows: 5}", env, &config.Quarantine{MaxRows: 5, KeepDays: 8}},
	} {
		read, err := config.Read(write(t, c.text, 0o600))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := read.Complete(from(c.env))
		if d := cmp.Diff(c.want, got.Quarantine); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
}
