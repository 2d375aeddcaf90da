package embedded_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
)

// defineShop defines two identifiers, and one field for each merge operation.
func defineShop(b testPlatform, t checker) {
	for _, f := range []jobs.Field{
		{ID: "email", Type: "string", IsIdentifier: true},
		{ID: "phone", Type: "[]string", IsIdentifier: true},
		{ID: "name", Type: "string"},
		{ID: "first_name", Type: "string", MergeOperation: "oldest"},
		{ID: "spend", Type: "number", MergeOperation: "sum"},
		{ID: "orders", Type: "int", MergeOperation: "count"},
		{ID: "biggest", Type: "number", MergeOperation: "max"},
		{ID: "seen", Type: "date", MergeOperation: "max"},
		{ID: "tags", Type: "[]string", MergeOperation: "capped", Capacity: 3},
		{ID: "by_shop", Type: "map[string]number", MergeOperation: "sum"},
		{ID: "vip", Type: "bool"},
	} {
		b.mustField(t, f)
	}
	for field, expression := range map[string]string{
		"email": "email(email)", "phone": "phone", "name": "name", "first_name": "name", "spend": "price", "orders": "price", "biggest": "price",
		"seen": "todate(at)", "tags": "tags", "by_shop": "map(shop, price)", "vip": "price > 100",
	} {
		b.mustMap(t, "shop", field, expression, "")
	}
	b.mustAudience(t, "All", "*")
}

func TestProfilesAreBuiltByTheMapping(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		defineShop(b, t)
		b.mustAppend(t, "shop", secondsApart(
			`{"email":"Ann@Example.com","name":"Ann","price":0.10,"shop":"a","tags":["x","y"],"at":"2024-01-01T00:00:00.000001Z"}`,
			`{"email":"bob@example.com","phone":["1","2"],"name":"Bob","price":9007199254740993,"shop":"a"}`,
			`{"email":"ann@example.com","name":"Anna","price":0.20,"shop":"b","tags":["z","w"],"at":"2023-01-01"}`,
			`{"name":"nobody","price":5}`,
			`{"email":"ann@example.com","price":"oops","at":"never","extra":{"deep":[1,2]}}`,
		))
		stats := b.mustBuild(t)
		if want := (platform.ProfileStats{Events: 5, Rebuilt: true, Profiles: 2, Unidentified: 1, Unfit: 2}); stats != want {
			t.Errorf("stats %+v, want %+v", stats, want)
		}
		// x and y have the same time; the capped set keeps the lesser text.
		got := b.rows(t, "all", "email", "phone", "name", "first_name", "spend", "orders", "biggest", "seen", "tags", "by_shop", "vip")
		want := []string{
			`ann@example.com|NULL|Anna|Ann|0.3|3|0.2|2024-01-01T00:00:00.000001Z|["w","x","z"]|{"a":0.1,"b":0.2}|false`,
			`bob@example.com|["1","2"]|Bob|Bob|9007199254740993|1|9007199254740993|NULL|NULL|{"a":9007199254740993}|true`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("profiles\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		// The next build merges no event again; the one after it merges one new event.
		if stats := b.mustBuild(t); stats.Events != 0 || stats.Rebuilt || stats.Profiles != 2 {
			t.Errorf("built again: %+v", stats)
		}
		b.mustAppend(t, "shop", []jobs.Event{event("late", day0.Add(time.Hour), `{"email":"ann@example.com","price":1}`)})
		if stats := b.mustBuild(t); stats.Events != 1 || stats.Rebuilt || stats.Profiles != 2 || stats.Unidentified != 1 {
			t.Errorf("built on: %+v", stats)
		}
		if got := b.rows(t, "all", "spend", "orders"); got[0] != "1.3|4" {
			t.Errorf("spend and orders are %s", got[0])
		}
	})
}

func TestNothingToBuildIsNoError(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		ctx := t.Context()
		b := t.open()
		b.mustAppend(t, "s", secondsApart(`{"a":1}`))
		b.mustAudience(t, "All", "*")
		if stats := b.mustBuild(t); stats != (platform.ProfileStats{}) {
			t.Errorf("without fields: %+v", stats)
		}
		if got := b.rows(t, "all"); len(got) != 0 {
			t.Errorf("profiles %v", got)
		}
		b.mustField(t, jobs.Field{ID: "a", Type: "int"})
		m := b.mustMap(t, "s", "a", "a", "")
		b.mustMap(t, "not there", "a", "a", "")
		if stats := b.mustBuild(t); stats.Profiles != 0 || stats.Unidentified != 1 {
			t.Errorf("without identifiers: %+v", stats)
		}
		check(t, b.DeleteMapping(ctx, m.ID))
		mappings, err := b.Mappings(ctx)
		check(t, err)
		check(t, b.DeleteMapping(ctx, mappings[0].ID))
		if stats := b.mustBuild(t); stats != (platform.ProfileStats{}) {
			t.Errorf("after the mappings: %+v", stats)
		}
	})
}

func TestIdentifiersJoinProfiles(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		defineShop(b, t)
		events := secondsApart(
			`{"email":"a@example.com","price":1}`,
			`{"phone":"1","price":2}`,
			`{"email":"c@example.com","phone":["2","3"],"price":4}`,
			`{"email":"other@example.com","price":100}`,
			`{"email":"a@example.com","phone":"1","price":8}`,
			`{"phone":["3","1"],"price":16}`,
			`{"email":"","phone":[""],"price":32}`,
			`{"email":" ","phone":["\t "],"price":64}`,
		)
		for _, e := range events {
			b.mustAppend(t, "shop", []jobs.Event{e})
			b.mustBuild(t)
		}
		stats := b.mustBuild(t)
		if stats.Profiles != 2 || stats.Unidentified != 2 {
			t.Errorf("stats %+v", stats)
		}
		got := b.rows(t, "all", "email", "phone", "spend", "orders")
		slices.Sort(got)
		want := []string{`c@example.com|["1","2","3"]|31|5`, `other@example.com|NULL|100|1`}
		// The latest email is the email of the last event that has one.
		want[0] = strings.Replace(want[0], "c@", "a@", 1)
		if !slices.Equal(got, want) {
			t.Errorf("profiles %v, want %v", got, want)
		}
	})
}

// checklist 63: the profiles do not depend on the order of events, on the sizes of
// appends, on the number of builds, or on the memory limit.
func TestTheOrderOfEventsNeverMatters(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		// The definitions are created once, and copied. A database takes longer to
		// create, so a fleet runs fewer builds.
		template, builds := t.withNewDeployment(), 0
		made := template.openUnmanaged()
		defineShop(made, t)
		made.close(t)
		rapid.Check(t.T, func(rt *rapid.T) {
			if t.fleet() && builds >= 24 {
				return
			}
			var events []jobs.Event
			for i := range rapid.IntRange(1, 40).Draw(rt, "events") {
				pick := func(what string, from ...string) string { return rapid.SampledFrom(from).Draw(rt, what) }
				data := fmt.Sprintf(`{"email":%s,"phone":%s,"name":%s,"price":%s,"shop":%s,"tags":%s,"at":%s}`,
					pick("email", `null`, `null`, `"a@x.io"`, `"b@x.io"`, `"c@x.io"`, `"d@x.io"`, `"e@x.io"`),
					pick("phone", `null`, `"1"`, `"2"`, `["2","3"]`, `["4"]`, `["5","1"]`),
					pick("name", `null`, `"n"`, `"m"`, `""`), pick("price", `null`, `0.1`, `1.50`, `-2`, `1e2`, `"3"`, `"x"`),
					pick("shop", `null`, `"p"`, `"q"`), pick("tags", `null`, `["t"]`, `["u","v"]`, `["w"]`), pick("at", `null`, `"2024-01-01"`, `"2024-01-02T03:04:05Z"`))
				events = append(events, event(fmt.Sprintf("e%d", i), day0.Add(time.Duration(rapid.IntRange(0, 3).Draw(rt, "second"))*time.Second), data))
			}
			build := func(events []jobs.Event) []string {
				builds++
				copied := t.withNewDeployment()
				if !t.fleet() {
					check(t, os.CopyFS(copied.dir, os.DirFS(template.dir)))
				}
				b := copied.openUnmanaged()
				defer b.close(t)
				if t.fleet() {
					defineShop(b, t)
				}
				if rapid.Bool().Draw(rt, "little memory") {
					embedded.LimitMemory(b.Platform, rapid.IntRange(1, 10).Draw(rt, "batch"))
				}
				for len(events) > 0 {
					n := rapid.IntRange(1, len(events)).Draw(rt, "append")
					b.mustAppend(rt, "shop", events[:n])
					events = events[n:]
					if rapid.Bool().Draw(rt, "build between") {
						b.mustBuild(rt)
					}
				}
				b.mustBuild(rt)
				got := b.rows(rt, "all")
				slices.Sort(got)
				return got
			}
			straight := build(events)
			shuffled := build(rapid.Permutation(events).Draw(rt, "order"))
			if !slices.Equal(straight, shuffled) {
				rt.Fatalf("in one order\n%s\nin another\n%s", strings.Join(straight, "\n"), strings.Join(shuffled, "\n"))
			}
		})
	})
}

// A changed mapping causes a rebuild from the events. Until the rebuild is complete,
// audiences read the old profiles.
func TestAChangedMappingRebuilds(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		ctx := t.Context()
		b := t.open()
		defineShop(b, t)
		b.mustAppend(t, "shop", secondsApart(`{"email":"a@x.io","price":1}`, `{"email":"a@x.io","price":2}`))
		b.mustBuild(t)
		m := mappingOf(t, b, "spend")
		m.Expression = "price * 10"
		_, err := b.PutMapping(ctx, m)
		check(t, err)
		if got := b.rows(t, "all", "spend"); got[0] != "3" {
			t.Errorf("before the rebuild spend is %s", got[0])
		}
		cancelled, cancel := context.WithCancel(ctx)
		if _, err := b.BuildProfiles(cancelled, func(_, total int64) {
			if total != 2 {
				t.Errorf("%d events to do", total)
			}
			cancel()
		}); err == nil {
			t.Error("a cancelled build succeeds")
		}
		if got := b.rows(t, "all", "spend"); got[0] != "3" {
			t.Errorf("after a cancelled rebuild spend is %s", got[0])
		}
		if stats := b.mustBuild(t); !stats.Rebuilt || stats.Events != 2 {
			t.Errorf("rebuilt: %+v", stats)
		}
		if got := b.rows(t, "all", "spend"); got[0] != "30" {
			t.Errorf("after the rebuild spend is %s", got[0])
		}
		if list := t.generations(b); len(list) != 1 {
			t.Errorf("generations of profiles: %v", list)
		}
		if !t.fleet() {
			checkPrivate(t.T, t.dir)
		}
		// A change that affects no value causes no rebuild.
		f, err := b.Field(ctx, "spend")
		check(t, err)
		f.Description, f.IsPII = "total of all orders", true
		_, err = b.PutField(ctx, f)
		check(t, err)
		if stats := b.mustBuild(t); stats.Rebuilt || stats.Events != 0 {
			t.Errorf("for a description: %+v", stats)
		}
	})
}

// checkPrivate checks that only the owner can read the files in a directory.
// checklist 53
func checkPrivate(t *testing.T, dir string) {
	t.Helper()
	check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && path != dir && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	}))
}

func mappingOf(t checker, b testPlatform, field string) jobs.Mapping {
	t.Helper()
	list, err := b.Mappings(context.Background())
	check(t, err)
	i := slices.IndexFunc(list, func(m jobs.Mapping) bool { return m.Field == field })
	return list[i]
}

// Profiles are derived from events: if their file is missing, they are built again.
func TestMissingProfilesAreBuiltAgain(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		defineShop(b, t)
		b.mustAppend(t, "shop", secondsApart(`{"email":"a@x.io","price":1}`))
		b.mustBuild(t)
		for _, g := range t.generations(b) {
			t.removeProfiles(b, g)
		}
		if _, err := b.AudienceSize(t.Context(), "all"); !jobs.IsCode(err, jobs.CodeStore) {
			t.Errorf("a scan without the file: %v", err)
		}
		if stats := b.mustBuild(t); stats.Profiles != 1 || !stats.Rebuilt {
			t.Errorf("built again: %+v", stats)
		}
		if got := b.rows(t, "all", "spend"); !slices.Equal(got, []string{"1"}) {
			t.Errorf("profiles %v", got)
		}
	})
}

// checklist 59: several platforms on one store append, build and scan at the same time.
// Each event is counted once, and each scan reads a snapshot.
func TestManyAppendBuildAndScanAtOnce(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		first := t.open()
		defineShop(first, t)
		var wg sync.WaitGroup
		for w := range 3 {
			b := t.open()
			wg.Go(func() {
				for i := range 15 {
					var events []jobs.Event
					for j := range 10 {
						events = append(events, event(fmt.Sprintf("%d-%d-%d", w, i, j), day0, fmt.Sprintf(`{"email":"u%d@x.io","price":1}`, j)))
					}
					if _, err := b.Append(t.Context(), "shop", events, nil); err != nil {
						t.Errorf("append: %v", err)
					}
					if _, err := b.BuildProfiles(t.Context(), nil); err != nil {
						t.Errorf("build: %v", err)
					}
					if n, err := b.AudienceSize(t.Context(), "all"); err != nil || n != 10 {
						t.Errorf("size %d, %v", n, err)
					}
				}
			})
		}
		wg.Wait()
		for _, line := range first.rows(t, "all", "orders", "spend") {
			if line != "45|45" {
				t.Errorf("a profile counts %s, want 45", line)
			}
		}
	})
}
