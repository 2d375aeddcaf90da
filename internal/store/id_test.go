package store_test

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Spark redacts a property of a table whose value has one of these words, and an export would
// not find its own table again.
func TestIDsHaveNoWordThatSparkRedacts(t *testing.T) {
	t.Parallel()
	texts := []string{
		"QUHC2HVVSGFUWO3M5PURLEKG5V", "TOKEN2HVVSGFUWO3M5PAAAKG5V", "SECRETHVVSGFUWO3M5PAAAKG5V", "AAPASSWORDVSGFUWO3M5PAAAKG",
		"AAACCESSKEYSGFUWO3M5PAAAKG", "MBGKQD3PESHTCMX3EJCG35UNJM",
	}
	i := -1
	got := store.NewIDFrom("job", func() string { i++; return texts[i] })
	if want := "job_mbgkqd3peshtcmx3ejcg35unjm"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
