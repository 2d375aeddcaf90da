package jobs_test

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text    string
		secrets []string
		want    string
	}{
		{"sent canary, canary", []string{"canary"}, "sent [redacted], [redacted]"},
		{"canary-2", []string{"canary", "canary-2"}, "[redacted]"},
		{"nothing", []string{"", "canary"}, "nothing"},
		{"", []string{"canary"}, ""},
		{"sent [redacted] twice", []string{"redacted", "[redacted]", "[", "act"}, "sent [redacted] twice"},
		{"the word redacted", []string{"redacted"}, "the word [redacted]"},
		{"a secret of a[redacted]b", []string{"a[redacted]b"}, "a secret of [redacted]"},
	} {
		got := jobs.Redact(c.text, c.secrets...)
		if got != c.want {
			t.Errorf("%q without %q: got %q, want %q", c.text, c.secrets, got, c.want)
		}
		if twice := jobs.Redact(got, c.secrets...); twice != got {
			t.Errorf("%q without %q: got %q at the second time, want %q", c.text, c.secrets, twice, got)
		}
	}
}
