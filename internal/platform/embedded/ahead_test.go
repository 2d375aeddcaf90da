package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
)

// visits returns the events from to to of users who come back after a number of events,
// each time with an identity more.
func visits(from, to, users int) []jobs.Event {
	events := make([]jobs.Event, 0, to-from)
	for i := from; i < to; i++ {
		data := fmt.Sprintf(`{"email":"u%d@x.io","phone":"%d-%d","price":%d.25,"shop":"s%d","name":"n%d"}`,
			i%users, i%users, i/users, i%7, i%3, i)
		events = append(events, event(fmt.Sprintf("e%08d", i), day0.Add(time.Duration(i)*time.Second), data))
	}
	return events
}

// A build that is split into many batches, which forget what they knew, and into many
// builds has the same profiles as one build in one batch. The users of the events are new,
// those of the batch before, and those of earlier builds.
func TestBatchesAndBuildsGiveTheSameProfiles(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		build := func(users int, splits ...int) []string {
			b := t.withNewDeployment().openUnmanaged()
			defer b.close(t)
			defineShop(b, t)
			if len(splits) > 1 {
				embedded.LimitMemory(b.Platform, 7)
			}
			from := 0
			for _, to := range splits {
				b.mustAppend(t, "shop", visits(from, to, users))
				if stats := b.mustBuild(t); stats.Profiles != int64(min(to, users)) || stats.Events != int64(to-from) {
					t.Fatalf("%d events of %d users: %+v", to, users, stats)
				}
				from = to
			}
			rows := b.rows(t, "all")
			slices.Sort(rows)
			return rows
		}
		for _, users := range []int{1, 5, 11, 50} {
			whole, parts := build(users, 60), build(users, 1, 23, 24, 60)
			if !slices.Equal(whole, parts) {
				t.Errorf("%d users in one batch\n%s\nin many\n%s", users, strings.Join(whole, "\n"), strings.Join(parts, "\n"))
			}
		}
	})
}

// A build stops at a damaged line, at the first event of a chunk and in a later one, with
// an error that names the place and not the line. After the repair it merges each event
// once.
func TestABuildStopsAtADamagedLine(t *testing.T) {
	t.Parallel()
	for _, damaged := range []int{0, 3000} {
		dir := t.TempDir()
		b := openPlatform(t, deployment{dir: dir})
		defineShop(b, t)
		b.mustAppend(t, "shop", visits(0, 5000, 100))
		files, err := filepath.Glob(filepath.Join(dir, "streams", "shop", "*.ndjson"))
		check(t, err)
		whole, err := os.ReadFile(files[0])
		check(t, err)
		lines := strings.SplitAfter(string(whole), "\n")
		lines[damaged] = strings.Replace(lines[damaged], `{"id"`, `["id"`, 1)
		check(t, os.WriteFile(files[0], []byte(strings.Join(lines, "")), 0o600))
		_, err = b.BuildProfiles(t.Context(), nil)
		if e, ok := errors.AsType[*jobs.Error](err); !ok || !strings.Contains(e.Summary, "Stream shop is damaged") || strings.Contains(e.Detail, "x.io") {
			t.Errorf("line %d is damaged: %v", damaged, err)
		}
		check(t, os.WriteFile(files[0], whole, 0o600))
		if stats := b.mustBuild(t); stats.Profiles != 100 || stats.Unidentified != 0 {
			t.Errorf("after the repair: %+v", stats)
		}
		for _, line := range b.rows(t, "all", "orders") {
			if line != "50" {
				t.Errorf("a profile counts %s events, want 50", line)
			}
		}
	}
}

// A build that is cancelled between two batches ends, and the next one merges each event
// once.
func TestACancelledBuildGoesOn(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		defineShop(b, t)
		b.mustAppend(t, "shop", visits(0, 30_000, 100))
		embedded.LimitMemory(b.Platform, 6000)
		embedded.CommitEachBatch(b.Platform)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := b.BuildProfiles(ctx, func(done, total int64) {
			if total != 30_000 {
				t.Errorf("%d events to merge", total)
			}
			if done >= 15_000 {
				cancel()
			}
		})
		if !jobs.IsCode(err, jobs.CodeCancelled) {
			t.Errorf("a cancelled build: %v", err)
		}
		if stats := b.mustBuild(t); stats.Events > 18_000 || stats.Events == 0 || stats.Profiles != 100 {
			t.Errorf("the next build: %+v", stats)
		}
		for _, line := range b.rows(t, "all", "orders") {
			if line != "300" {
				t.Errorf("a profile counts %s events, want 300", line)
			}
		}
	})
}

// Two mappings of one stream feed a field with each event.
func TestTwoMappingsFeedAField(t *testing.T) {
	t.Parallel()
	b := openPlatform(t, deployment{dir: t.TempDir()})
	defineShop(b, t)
	b.mustMap(t, "shop", "spend", "price * 10", "price > 1")
	b.mustMap(t, "shop", "tags", `"paid"`, "price > 1")
	b.mustMap(t, "shop", "phone", "other", "other != ''")
	b.mustAppend(t, "shop", secondsApart(
		`{"email":"a@x.io","phone":"1","other":"2","price":2,"tags":["x","paid"]}`,
		`{"email":"b@x.io","price":1}`, `{"email":"c@x.io","phone":"3","other":"3","price":3}`, `{"phone":"2","price":4}`,
	))
	b.mustBuild(t)
	got := b.rows(t, "all", "email", "phone", "spend", "tags")
	slices.Sort(got)
	want := []string{
		`a@x.io|["1","2"]|66|["paid","x"]`, `b@x.io|NULL|1|NULL`, `c@x.io|["3"]|33|["paid"]`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("profiles %q, want %q", got, want)
	}
}

// A value that an expression nests as deeply as a stored value can be read is kept, and a
// deeper one is left out and counted.
func TestAValueThatIsNestedTooDeeply(t *testing.T) {
	t.Parallel()
	nested := func(levels int) string {
		return strings.Repeat(`map("k", `, levels) + "price" + strings.Repeat(")", levels)
	}
	for levels, want := range map[int]string{64: strings.Repeat(`{"k":`, 64) + "7" + strings.Repeat("}", 64), 65: strings.Repeat(`{"k":`, 65) + "7" + strings.Repeat("}", 65), 66: "NULL", 90: "NULL"} {
		for _, operation := range []string{"latest", "merge"} {
			b := openPlatform(t, deployment{dir: t.TempDir()})
			b.mustField(t, jobs.Field{ID: "email", Type: "string", IsIdentifier: true})
			b.mustField(t, jobs.Field{ID: "deep", Type: "map[string]value", MergeOperation: operation})
			b.mustMap(t, "shop", "email", "email", "")
			b.mustMap(t, "shop", "deep", nested(levels), "")
			b.mustAudience(t, "All", "*")
			b.mustAppend(t, "shop", secondsApart(`{"email":"a@x.io","price":6}`, `{"email":"a@x.io","price":7}`, `{"email":"b@x.io","price":7}`))
			unfit := int64(0)
			if want == "NULL" {
				unfit = 3
			}
			if stats := b.mustBuild(t); stats.Unfit != unfit {
				t.Errorf("%d levels: %+v", levels, stats)
			}
			if got := b.rows(t, "all", "deep"); !slices.Equal(got, []string{want, want}) {
				t.Errorf("%d levels, %s: got %q", levels, operation, got)
			}
		}
	}
}
