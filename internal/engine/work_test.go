package engine

import (
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Each platform has a separate cursor, because rows that were sent to one
// platform were not sent to another.
func TestPlatformsHaveSeparateCursors(t *testing.T) {
	t.Parallel()
	token := jobs.NewSecret("token")
	of := map[string]string{}
	for name, platform := range map[string]Backend{
		"embedded":         Embedded(nil, nil),
		"a Lytics account": Lytics(LyticsAccount{Token: token, AccountID: "1"}),
		"another account":  Lytics(LyticsAccount{Token: token, AccountID: "2"}),
		"another API":      Lytics(LyticsAccount{Token: token, AccountID: "1", APIURL: "https://lytics.example.com"}),
	} {
		key := New(Options{Platform: platform}).cursorKey(store.JobRow{Key: "import|host|main|sales|customers|ts|customers"})
		if other, taken := of[key]; taken {
			t.Errorf("%s and %s: got one cursor %q, want one each", name, other, key)
		}
		of[key] = name
	}
	// The default URL and the same URL written out have one key.
	a, b := Lytics(LyticsAccount{}).Key, Lytics(LyticsAccount{APIURL: "https://api.lytics.io/"}).Key
	if a != b {
		t.Errorf("got keys %q and %q, want one for one API", a, b)
	}
}
