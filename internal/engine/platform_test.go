package engine_test

import (
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

func TestCustomerDataOfTheEmbeddedPlatform(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), nothing)
	if _, err := e.CreateField(t.Context(), jobs.Field{ID: "email", Type: "string", IsIdentifier: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.CreateAudience(t.Context(), jobs.Audience{Name: "VIP", Slug: "vip", Filter: "FILTER *"}); err != nil {
		t.Fatal(err)
	}
	if all, err := e.Fields(t.Context()); err != nil || len(all) != 1 || all[0].ID != "email" {
		t.Errorf("got fields %v, %v; want email", all, err)
	}
	if all, err := e.Audiences(t.Context()); err != nil || len(all) != 1 || all[0].Slug != "vip" {
		t.Errorf("got audiences %v, %v; want vip", all, err)
	}
	if all, err := e.Streams(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("got streams %v, %v; want none", all, err)
	}
	if n, err := e.AudienceSize(t.Context(), "vip"); err != nil || n != 0 {
		t.Errorf("got %d profiles, %v; want 0", n, err)
	}
	fields, rows, err := e.Scan(t.Context(), "vip", nil)
	if err != nil || len(fields) == 0 {
		t.Fatalf("got fields %v, %v; want some", fields, err)
	}
	for row, err := range rows {
		t.Errorf("got row %v, %v; want none", row, err)
	}
	ann := jobs.Identity{Field: "email", Value: "ann@example.com"}
	if _, err := e.Profile(t.Context(), ann); !jobs.IsCode(err, jobs.CodeNotFound) {
		t.Errorf("got %v, want code %s", err, jobs.CodeNotFound)
	}
	if erased, err := e.Erase(t.Context(), ann, true); err != nil || erased.Found || erased.Done {
		t.Errorf("got %+v, %v; want nobody found and nothing done", erased, err)
	}
	for _, err := range e.Events(t.Context(), "customers") {
		if !jobs.IsCode(err, jobs.CodeNotFound) {
			t.Errorf("got %v, want code %s", err, jobs.CodeNotFound)
		}
	}
}

// elsewhere is a platform that keeps customer data to itself.
type elsewhere struct{ engine.Platform }

func TestAPlatformThatKeepsCustomerDataToItself(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), nothing, func(o *engine.Options) {
		embedded := engine.Embedded(nil)
		o.Platform = engine.Backend{Key: "elsewhere", Open: func(db *store.DB) (engine.Platform, error) {
			p, err := embedded.Open(db)
			return elsewhere{p}, err
		}}
	})
	authorize(t, e)
	ann := jobs.Identity{Field: "email", Value: "ann@example.com"}
	calls := map[string]func() error{
		"single profiles": func() error { _, err := e.Profile(t.Context(), ann); return err },
		"what is erased":  func() error { _, err := e.Erase(t.Context(), ann, false); return err },
		"the events of stream customers": func() (failed error) {
			for _, err := range e.Events(t.Context(), "customers") {
				failed = err
			}
			return failed
		},
	}
	for what, call := range calls {
		if err := call(); !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: got %v, want a refusal that names it", what, err)
		}
	}
}
