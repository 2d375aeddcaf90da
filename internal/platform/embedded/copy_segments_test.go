package embedded_test

import (
	"slices"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// A store moves from a data directory to a fleet and back with its events: the
// profiles that are built from them, and what comes after, are the same.
func TestAPlatformMovesWithItsStore(t *testing.T) {
	t.Parallel()
	fleet := inFleet(t)
	home := &trial{t, place{dir: t.TempDir()}}
	back := &trial{t, place{dir: t.TempDir() + "/back"}}
	b := home.quietly()
	people(b, t)
	b.mustBuild(t)
	want, events := b.rows(t, "all"), b.stored(t, "shop")
	b.close(t)

	files := embedded.BucketFiles(t.Context(), *fleet.s3)
	_, err := store.Copy(t.Context(), home.location(), fleet.location(), store.CopyOptions{To: files})
	check(t, err)
	b = fleet.quietly()
	if s := b.mustBuild(t); !s.Rebuilt || s.Profiles != 3 {
		t.Errorf("the build in the fleet: %+v", s)
	}
	if got := b.rows(t, "all"); !slices.Equal(got, want) || !slices.Equal(b.stored(t, "shop"), events) {
		t.Errorf("in the fleet there are\n%v\nwant\n%v", got, want)
	}
	b.mustAppend(t, "shop", facts(`{"email":"dan@x.io","price":5}`))
	b.mustErase(t, "email", "ann@x.io", false)
	if left := fleet.found(b, "ann@x.io"); left != nil {
		t.Errorf("erased, and still there: %v", left)
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
	b.mustAppend(t, "crm", facts(`{"mail":"ann@x.io"}`))
	if got := b.stored(t, "crm"); len(got) != 1 {
		t.Errorf("an erased user came back: %v", got)
	}
}
