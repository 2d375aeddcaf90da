package engine_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
)

// The first plan of a configuration has no store, and makes none.
func TestALyticsAccountJudgesTextsWithoutAStore(t *testing.T) {
	t.Parallel()
	account, err := lyticstest.New(lyticstest.Options{Token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = account.Close() })
	dir := filepath.Join(t.TempDir(), "store")
	e := processWithoutStore(t, dir, succeed, func(o *engine.Options) {
		o.Platform = engine.Lytics(engine.LyticsAccount{Token: jobs.NewSecret("t"), APIURL: account.APIURL, BulkURL: account.BulkURL})
	})
	for text, want := range map[string]jobs.Code{"EXISTS email": "", "EXISTS (": jobs.CodeInvalid} {
		j, err := e.JudgeDraft(t.Context(), jobs.Draft{Attribute: "filter", Text: text})
		if err != nil || j.Arbiter != jobs.ArbiterLytics || j.Refusal.Code != want {
			t.Errorf("%s: got %+v, %v; want Lytics's judgement with code %q", text, j, err, want)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("got %v, want no store: judging writes nothing", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.JudgeDraft(t.Context(), jobs.Draft{Attribute: "filter", Text: "EXISTS email"}); !jobs.IsCode(err, jobs.CodeStore) {
		t.Errorf("after Close: got %v, want code %s", err, jobs.CodeStore)
	}
}
