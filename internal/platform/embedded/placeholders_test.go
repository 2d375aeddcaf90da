package embedded_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
)

// reopen opens the platform as a process with a list of placeholders does; nil is a
// process without one.
func (t *deploymentTest) reopen(b testPlatform, placeholders []string) testPlatform {
	t.Helper()
	c := t.config(b.db)
	c.Placeholders = placeholders
	p, err := embedded.Open(c)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return testPlatform{p, b.db}
}

// checklist 82: blank and placeholder identifiers join nobody. The list is the
// store's: a process without one uses it, and a changed one rebuilds.
func TestPlaceholdersIdentifyNobody(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		defineShop(b, t)
		b.mustAppend(t, "shop", secondsApart(
			`{"email":"a@x.io","phone":"N/A","price":1}`,
			`{"email":"b@x.io","phone":" n/a ","price":2}`,
			`{"email":"c@x.io","phone":["7","0000",""],"price":4}`,
			`{"email":"d@x.io","phone":["0000"," "],"price":8}`,
			`{"phone":"n/A","price":16}`,
		))
		profiles := func(b testPlatform, want int64, rebuilt bool) {
			t.Helper()
			if stats := b.mustBuild(t); stats.Profiles != want || stats.Rebuilt != rebuilt {
				t.Errorf("got %d profiles, rebuilt %t; want %d, %t", stats.Profiles, stats.Rebuilt, want, rebuilt)
			}
		}
		profiles(b, 4, true) // "N/A", " n/a " and "n/A" are three, "0000" joins c and d
		listed := t.reopen(b, []string{"unknown", "n/a", " N/A", "0000"})
		profiles(listed, 4, true)
		want := []string{"a@x.io|1", "b@x.io|2", "c@x.io|4", "d@x.io|8"}
		if d := cmp.Diff(want, listed.rows(t, "all", "email", "spend")); d != "" {
			t.Errorf("profiles: want and got:\n%s", d)
		}
		for _, value := range []string{"N/A", "0000", "n/a"} {
			if _, err := listed.Profile(t.Context(), jobs.Identity{Field: "phone", Value: value}); !jobs.IsCode(err, jobs.CodeNotFound) {
				t.Errorf("the profile of %q: got %v, want code %s", value, err, jobs.CodeNotFound)
			}
		}

		// Another order and a process without a list change nothing.
		profiles(t.reopen(b, []string{"0000", "UNKNOWN", "N/A"}), 4, false)
		profiles(t.reopen(b, nil), 4, false)

		// An erasure of one of them leaves the others.
		if _, err := t.reopen(b, nil).Erase(t.Context(), jobs.Identity{Field: "email", Value: "a@x.io"}, false); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want[1:], listed.rows(t, "all", "email", "spend")); d != "" {
			t.Errorf("profiles after an erasure: want and got:\n%s", d)
		}
		// An empty list is a list: "n/A" is a user again, and "0000" joins c and d.
		profiles(t.reopen(b, []string{}), 3, true)
	})
}
