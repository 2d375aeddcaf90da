package embedded_test

import (
	"slices"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// A store is copied with its events from a data directory to a fleet and back. Each
// copy builds the same profiles, and goes on with appends and erasures.
func TestAPlatformIsCopiedWithItsStore(t *testing.T) {
	t.Parallel()
	fleet := newFleetTest(t)
	home := &deploymentTest{t, deployment{dir: t.TempDir()}}
	back := &deploymentTest{t, deployment{dir: t.TempDir() + "/back"}}
	b := home.openUnmanaged()
	importPeople(b, t)
	b.mustBuild(t)
	want, events := b.rows(t, "all"), b.stored(t, "shop")
	b.close(t)

	files := embedded.ObjectFiles(t.Context(), fleet.objects())
	_, err := store.Copy(t.Context(), home.location(), fleet.location(), store.CopyOptions{To: files})
	check(t, err)
	b = fleet.openUnmanaged()
	if s := b.mustBuild(t); !s.Rebuilt || s.Profiles != 3 {
		t.Errorf("the build in the fleet: %+v", s)
	}
	if got := b.rows(t, "all"); !slices.Equal(got, want) || !slices.Equal(b.stored(t, "shop"), events) {
		t.Errorf("in the fleet there are\n%v\nwant\n%v", got, want)
	}
	b.mustAppend(t, "shop", secondsApart(`{"email":"dan@x.io","price":5}`))
	b.mustErase(t, "email", "ann@x.io", false)
	if left := fleet.filesWith(b, "ann@x.io"); left != nil {
		t.Errorf("found after the erasure: %v", left)
	}
	want = b.rows(t, "all")
	b.close(t)

	_, err = store.Copy(t.Context(), fleet.location(), back.location(), store.CopyOptions{From: files})
	check(t, err)
	b = back.open()
	if s := b.mustBuild(t); s.Profiles != 3 {
		t.Errorf("the build at home: %+v", s)
	}
	if got := b.rows(t, "all"); len(got) != 3 || !slices.Equal(got, want) {
		t.Errorf("back home there are\n%v\nwant\n%v", got, want)
	}
	b.mustAppend(t, "crm", secondsApart(`{"mail":"ann@x.io"}`))
	if got := b.stored(t, "crm"); len(got) != 1 {
		t.Errorf("an event of an erased user was appended: %v", got)
	}
}
