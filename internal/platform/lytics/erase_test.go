package lytics_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
)

var user3 = jobs.Identity{Field: "id", Value: "u0003"}

// Lytics' default, conflicts=true, may erase other people: it is only sent if it
// was asked for. The request is followed to its end, and the look-ups of a
// profile that is gone say so though their status is 200.
func TestAnErasureIsNarrowUnlessAskedAndIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	for conflicts, want := range map[bool]string{false: "conflicts=false", true: "conflicts=true"} {
		b := open(t, lyticstest.Options{Switches: lyticstest.Switches{ErasureLooks: 3}})
		b.profiles(5)
		ctx := t.Context()

		dry, err := b.RequestErasure(ctx, jobs.ErasureRequest{Identity: user3, DryRun: true, Conflicts: conflicts})
		b.must(nil, err)
		wantDry := jobs.Erasure{Account: dry.Account, Found: true, Identities: []jobs.Identity{user3}, Streams: []jobs.ErasedEvents{}}
		if d := cmp.Diff(wantDry, dry); d != "" || !strings.Contains(dry.Account, "4f7b525bdba058fc096757a64f7b525b") {
			t.Errorf("dry run in account %q: want and got:\n%s", dry.Account, d)
		}
		if asked := b.asked(http.MethodDelete, "/api/entity/"); len(asked) != 0 {
			t.Fatalf("the dry run asked for %v", asked)
		}

		e, err := b.RequestErasure(ctx, jobs.ErasureRequest{Identity: user3, Conflicts: conflicts})
		b.must(nil, err)
		if !e.Found || e.Done || e.RequestID == "" {
			t.Errorf("got %+v, want a request that is not done", e)
		}
		asked := b.asked(http.MethodDelete, "/api/entity/")
		if len(asked) != 1 || asked[0].Path != "/api/entity/user/id/u0003" || asked[0].Query != want {
			t.Errorf("asked for %+v, want one erasure of u0003 with %s", asked, want)
		}
		for look, wantDone := range []bool{false, false, true, true} {
			if done, err := b.ErasureDone(ctx, e.RequestID); err != nil || done != wantDone {
				t.Errorf("look %d: got %t, %v; want %t", look, done, err, wantDone)
			}
		}
		_, err = b.Profile(ctx, user3)
		refused(t, "the erased profile", err, jobs.CodeNotFound, "value")
		if rows, err := b.scanned("id"); err != nil || len(rows) != 4 {
			t.Errorf("profiles after the erasure: got %v, %v; want 4", rows, err)
		}
		if wrong := b.server.Wrong(); len(wrong) != 0 {
			t.Errorf("not as documented: %v", wrong)
		}

		// Lytics keeps no list of erased users.
		b.must(nil, b.send("s", events(3, 1)))
		if rows, err := b.scanned("id"); err != nil || len(rows) != 5 {
			t.Errorf("profiles after another import: got %v, %v; want 5", rows, err)
		}
	}
}

// Both answers have status 200 and a profile with segments; neither is a user.
func TestAProfileThatLyticsDoesNotFindIsNotErased(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	b.profiles(2)
	e, err := b.RequestErasure(t.Context(), jobs.ErasureRequest{Identity: user3})
	b.must(nil, err)
	if e.Found || e.Done || e.RequestID != "" {
		t.Errorf("of a user who is not there: got %+v, want nobody found and nothing asked for", e)
	}

	slow := open(t, lyticstest.Options{Switches: lyticstest.Switches{EntityTimesOut: true}})
	slow.profiles(5)
	_, err = slow.RequestErasure(t.Context(), jobs.ErasureRequest{Identity: user3})
	refused(t, "a look-up that timed out", err, jobs.CodeTimeout, "")
	_, err = slow.Profile(t.Context(), user3)
	refused(t, "a profile whose look-up timed out", err, jobs.CodeTimeout, "")
	for _, b := range []*fixture{b, slow} {
		if asked := b.asked(http.MethodDelete, "/api/entity/"); len(asked) != 0 {
			t.Errorf("asked for %v, want nothing", asked)
		}
	}
}

func TestErasureErrorsTellNoPersonalData(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	b.profiles(5)
	_, err := b.RequestErasure(t.Context(), jobs.ErasureRequest{Identity: jobs.Identity{Field: "n", Value: "1"}})
	refused(t, "a field that is no identifier", err, jobs.CodeInvalid, "field", `"id"`)
	b.server.Inject(lyticstest.Fault{Method: http.MethodDelete, Path: "/api/entity/", Status: http.StatusForbidden})
	_, err = b.RequestErasure(t.Context(), jobs.ErasureRequest{Identity: user3})
	refused(t, "a token without the right", err, jobs.CodeForbidden, "platform.lytics.token", "delete profiles")
	if strings.Contains(err.Error(), user3.Value) {
		t.Errorf("the error repeats the identifier: %v", err)
	}
	_, err = b.ErasureDone(t.Context(), "none")
	refused(t, "a request that Lytics does not know", err, jobs.CodeNotFound, "")
}
