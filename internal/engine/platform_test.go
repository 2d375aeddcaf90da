package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

func TestCustomerDataOfTheEmbeddedPlatform(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), succeed)
	if _, err := e.CreateField(t.Context(), jobs.Field{ID: "email", Type: "string", IsIdentifier: true}, "owner"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.CreateAudience(t.Context(), jobs.Audience{Name: "VIP", Slug: "vip", Filter: "FILTER *"}, "owner"); err != nil {
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
	if erased, err := e.Erase(t.Context(), jobs.ErasureRequest{Identity: ann, DryRun: true}); err != nil || erased.Found || erased.Done {
		t.Errorf("got %+v, %v; want not found and not done", erased, err)
	}
	for _, err := range e.EventLines(t.Context(), "customers") {
		if !jobs.IsCode(err, jobs.CodeNotFound) {
			t.Errorf("got %v, want code %s", err, jobs.CodeNotFound)
		}
	}
}

// The events that a profile came from are those of its identities, in each stream.
func TestTheEventsOfAProfile(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), succeed)
	appendAnn(t, e)
	for value, want := range map[string]int{"ann@example.com": 1, "bob@example.com": 0} {
		id := jobs.Identity{Field: "email", Value: value}
		got, err := e.ProfileEvents(t.Context(), id, jobs.Profile{"email": {Text: value}}, 5)
		if err != nil || len(got["s"]) != want {
			t.Errorf("%s: got %v, %v; want %d events", value, got, err, want)
		}
	}
	newest, err := e.LatestEvents(t.Context(), "s", 5)
	if err != nil || len(newest) != 1 || newest[0].ID != "e1" {
		t.Errorf("got %v, %v; want the event e1", newest, err)
	}
	if all, err := e.Mappings(t.Context()); err != nil || len(all) != 1 || all[0].Stream != "s" {
		t.Errorf("got %v, %v; want the mapping of s", all, err)
	}
}

// withoutCustomerData is a platform that offers no customer data.
type withoutCustomerData struct{ engine.Platform }

func TestPlatformWithoutCustomerDataRefuses(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), succeed, func(o *engine.Options) {
		embedded := engine.Embedded(nil, nil)
		o.Platform = engine.Backend{Key: "withoutCustomerData", Open: func(db *store.DB) (engine.Platform, error) {
			p, err := embedded.Open(db)
			return withoutCustomerData{p}, err
		}}
	})
	authorize(t, e)
	ann := jobs.Identity{Field: "email", Value: "ann@example.com"}
	calls := map[string]func() error{
		"what is erased": func() error { _, err := e.Erase(t.Context(), jobs.ErasureRequest{Identity: ann}); return err },
		"the events of stream customers": func() (failed error) {
			for _, err := range e.EventLines(t.Context(), "customers") {
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

const lyticsToken = "at.engine-test"

// account starts a stand-in for Lytics with one profile, whose email is
// ann@example.com, and gives the option that makes it the platform.
func account(t *testing.T, switches lyticstest.Switches) (*lyticstest.Server, func(*engine.Options)) {
	t.Helper()
	s, err := lyticstest.New(lyticstest.Options{Token: lyticsToken, Switches: switches})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for _, wrong := range s.Wrong() {
			t.Errorf("a request that is not as documented: %s", wrong)
		}
	})
	return s, func(o *engine.Options) {
		o.Platform = engine.Lytics(engine.LyticsAccount{Token: jobs.NewSecret(lyticsToken), APIURL: s.APIURL, BulkURL: s.BulkURL})
	}
}

// appendAnn sends one event of Ann to the platform of an engine.
func appendAnn(t *testing.T, e *engine.Engine) {
	t.Helper()
	if _, err := e.CreateField(t.Context(), jobs.Field{ID: "email", Type: "string", IsIdentifier: true}, "owner"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.CreateMapping(t.Context(), jobs.Mapping{Stream: "s", Field: "email", Expression: "email"}, "owner"); err != nil {
		t.Fatal(err)
	}
	event := jobs.Event{ID: "e1", Time: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Data: []byte(`{"email":"ann@example.com"}`)}
	if _, err := engine.PlatformOf(e).Append(t.Context(), "s", []jobs.Event{event}, nil); err != nil {
		t.Fatal(err)
	}
}

// The engine asks a Lytics account to erase a user, and tells when it has.
func TestAUserIsErasedInALyticsAccount(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	_, lytics := account(t, lyticstest.Switches{})
	e := process(t, dir, succeed, lytics)
	appendAnn(t, e)
	ann := jobs.Identity{Field: "email", Value: "ann@example.com"}
	if p, err := e.Profile(ctx, ann); err != nil || p["email"].Text != ann.Value {
		t.Errorf("got profile %v, %v; want that of %s", p, err, ann.Value)
	}
	erased, err := e.Erase(ctx, jobs.ErasureRequest{Identity: ann})
	if err != nil || !erased.Found || erased.Done || erased.RequestID == "" || erased.Account == "" {
		t.Fatalf("got %+v, %v; want a request of an account that is not done", erased, err)
	}
	eventually(t, func() bool {
		done, err := e.ErasureDone(ctx, erased.RequestID)
		if err != nil {
			t.Fatal(err)
		}
		return done
	})
	if _, err := e.Profile(ctx, ann); !jobs.IsCode(err, jobs.CodeNotFound) {
		t.Errorf("after the erasure: got %v, want code %s", err, jobs.CodeNotFound)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}

	// On the same store without the account, the embedded platform would find no
	// user and erase nothing.
	local := process(t, dir, succeed)
	if _, err := local.Erase(ctx, jobs.ErasureRequest{Identity: ann}); !jobs.IsCode(err, jobs.CodeInvalid) ||
		!strings.Contains(err.Error(), erased.Account) {
		t.Errorf("without the account: got %v, want a refusal that names account %s", err, erased.Account)
	}
}
