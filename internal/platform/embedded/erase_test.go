package embedded_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

func (b testPlatform) mustErase(t checker, field, value string, dryRun bool) jobs.Erasure {
	t.Helper()
	e, err := b.Erase(context.Background(), jobs.Identity{Field: field, Value: value}, dryRun)
	if err != nil {
		t.Fatalf("erase: %v", err)
	}
	return e
}

// importPeople defines three streams whose events are joined by email and phone, and appends
// events of three users: Ann, Bob and Cid.
func importPeople(b testPlatform, t checker) {
	b.mustField(t, jobs.Field{ID: "email", Type: "string", IsIdentifier: true, IsPII: true})
	b.mustField(t, jobs.Field{ID: "phone", Type: "[]string", IsIdentifier: true})
	b.mustField(t, jobs.Field{ID: "spend", Type: "number", MergeOperation: "sum"})
	b.mustMap(t, "shop", "email", "email(email)", "")
	b.mustMap(t, "shop", "spend", "price", "")
	b.mustMap(t, "crm", "email", "email(mail)", "")
	b.mustMap(t, "crm", "phone", "phone", "")
	b.mustMap(t, "calls", "phone", "number", "")
	b.mustAudience(t, "All", "*")
	b.mustAppend(t, "shop", secondsApart(`{"email":"Ann@x.io","price":1}`, `{"email":"bob@x.io","price":2}`, `{"email":"ann@x.io","price":3}`))
	b.mustAppend(t, "shop", []jobs.Event{event("e9", day0, `{"email":"bob@x.io","price":4}`)})
	b.mustAppend(t, "crm", secondsApart(`{"mail":"ann@x.io","phone":["555-ann"]}`, `{"mail":"bob@x.io","phone":["555-bob"]}`))
	b.mustAppend(t, "calls", secondsApart(`{"number":"555-ann"}`, `{"number":"555-cid"}`))
}

func TestErasureRemovesAUserEverywhere(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		importPeople(b, t)
		b.mustBuild(t)
		want := []jobs.ErasedEvents{{Stream: "calls", Events: 1}, {Stream: "crm", Events: 1}, {Stream: "shop", Events: 2}}

		// A dry run reports what an erasure would remove, and removes nothing.
		e := b.mustErase(t, "phone", "555-ann", true)
		if !e.Found || e.Done || !slices.Equal(e.Streams, want) || len(e.Identities) != 2 {
			t.Fatalf("the dry run reports %+v", e)
		}
		if n := len(b.rows(t, "all")); n != 3 || len(b.stored(t, "shop")) != 4 {
			t.Fatalf("the dry run left %d profiles", n)
		}

		e = b.mustErase(t, "email", "ann@x.io", false)
		if !e.Found || !e.Done || !slices.Equal(e.Streams, want) {
			t.Fatalf("erased %+v", e)
		}
		got := b.rows(t, "all", "email", "spend")
		slices.Sort(got)
		if want := []string{"NULL|NULL", "bob@x.io|6"}; !slices.Equal(got, want) {
			t.Errorf("after the erasure: got the profiles %v, want %v", got, want)
		}
		for stream, n := range map[string]int64{"shop": 2, "crm": 1, "calls": 1} {
			info, err := b.StreamInfo(t.Context(), stream)
			check(t, err)
			if info.Events != n || int64(len(b.stored(t, stream))) != n {
				t.Errorf("%s has %d events, and StreamInfo counts %d, want %d", stream, len(b.stored(t, stream)), info.Events, n)
			}
		}
		if left := t.filesWith(b, "ann@x.io", "555-ann"); left != nil {
			t.Errorf("still on disk: %v", left)
		}

		// The next build, and a rebuild from the first event on, change nothing.
		if s := b.mustBuild(t); s.Profiles != 2 || s.Events != 0 || s.Rebuilt {
			t.Errorf("the next build: %+v", s)
		}
		m := mappingOf(t, b, "spend")
		m.Expression = "price * 10"
		_, err := b.PutMapping(t.Context(), m)
		check(t, err)
		if s := b.mustBuild(t); s.Profiles != 2 || !s.Rebuilt {
			t.Errorf("the rebuild: %+v", s)
		}
		if e := b.mustErase(t, "email", "ann@x.io", false); e.Found || len(e.Streams) != 0 {
			t.Errorf("erased again: %+v", e)
		}
	})
}

// Later events of an erased user are left out, by any of the user's identities, even
// if the mapping of the identity is created after the event.
func TestAnErasedUserStaysErased(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		importPeople(b, t)
		b.mustErase(t, "email", "ann@x.io", false)
		ctx, committed := t.Context(), false
		again := []jobs.Event{event("n1", day0, `{"mail":"new@x.io","phone":["555-ann"]}`), event("n2", day0, `{"mail":"dan@x.io"}`)}
		got, err := b.Append(ctx, "crm", again, nil)
		if want := (jobs.AppendResult{Written: 1, Erased: 1}); err != nil || got != want {
			t.Errorf("append to crm: got %+v, %v, want %+v", got, err, want)
		}
		got, err = b.Append(ctx, "calls", []jobs.Event{event("n3", day0, `{"number":"555-ann"}`)}, func(*store.Tx, []jobs.RejectedEvent) error { committed = true; return nil })
		if want := (jobs.AppendResult{Erased: 1}); err != nil || got != want || !committed {
			t.Errorf("append to calls: got %+v, %v, committed %v, want %+v, committed", got, err, committed, want)
		}
		if got := t.filesWith(b, "555-ann", "new@x.io"); got != nil {
			t.Errorf("on disk: %v", got)
		}
		// No mapping shows yet that the event belongs to Ann.
		b.mustAppend(t, "newsletter", []jobs.Event{event("n4", day0, `{"to":"ann@x.io"}`), event("n5", day0, `{"to":"eve@x.io"}`)})
		b.mustMap(t, "newsletter", "email", "to", "")
		b.mustBuild(t)
		rows := b.rows(t, "all", "email")
		slices.Sort(rows)
		if want := []string{"NULL", "bob@x.io", "dan@x.io", "eve@x.io"}; !slices.Equal(rows, want) {
			t.Errorf("profiles %v", rows)
		}
		// Another erasure removes those events as well.
		e := b.mustErase(t, "email", "ann@x.io", false)
		if e.Found || len(e.Streams) != 1 || e.Streams[0] != (jobs.ErasedEvents{Stream: "newsletter", Events: 1}) {
			t.Errorf("erased %+v", e)
		}
		if got := t.filesWith(b, "ann@x.io"); got != nil {
			t.Errorf("on disk: %v", got)
		}
	})
}

func TestErasureRefusesConflictsAndOtherFields(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		embedded.LimitIdentities(b.Platform, 2)
		importPeople(b, t)
		b.mustAppend(t, "crm", []jobs.Event{event("x", day0, `{"mail":"ann@x.io","phone":["1","2"]}`)})
		_, err := b.Erase(t.Context(), jobs.Identity{Field: "email", Value: "ann@x.io"}, false)
		wantError(t, "a conflict", err, jobs.CodeFailed, "identifier", "guard_expression")
		_, err = b.Erase(t.Context(), jobs.Identity{Field: "spend", Value: "1"}, false)
		wantError(t, "no identifier", err, jobs.CodeInvalid, "field", "email")
		if n := len(b.stored(t, "shop")); n != 4 {
			t.Errorf("%d events", n)
		}
		// A user without a profile is added to the list as well.
		if e := b.mustErase(t, "email", "zoe@x.io", false); e.Found || !e.Done {
			t.Errorf("%+v", e)
		}
		b.mustAppend(t, "shop", []jobs.Event{event("z", day0, `{"email":"zoe@x.io"}`)})
		if n := len(b.stored(t, "shop")); n != 4 {
			t.Errorf("%d events", n)
		}
	})
}

// A process that appends during an erasure loses no event, and appends no event of an
// erased user.
func TestErasureDuringAnImport(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		eraser, importer := t.open(), t.open()
		importPeople(eraser, t)
		const batches = 60
		done := make(chan error, 1)
		go func() {
			for i := range batches {
				batch := []jobs.Event{
					event(fmt.Sprintf("a%d", i), day0, fmt.Sprintf(`{"email":"ann%d@x.io"}`, i%20)),
					event(fmt.Sprintf("b%d", i), day0, fmt.Sprintf(`{"email":"user%d@x.io"}`, i)),
				}
				if _, err := importer.Append(context.Background(), "shop", batch, nil); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		for i := range 20 {
			eraser.mustErase(t, "email", fmt.Sprintf("ann%d@x.io", i), false)
		}
		check(t, <-done)
		users := 0
		for _, line := range importer.stored(t, "shop") {
			if strings.Contains(line, "user") {
				users++
			} else if strings.Contains(line, `"ann1`) {
				t.Errorf("an event of an erased user: %s", line)
			}
		}
		if users != batches {
			t.Errorf("got %d events of other users, want %d", users, batches)
		}
		if s := eraser.mustBuild(t); s.Profiles != 3+batches {
			t.Errorf("%+v", s)
		}
	})
}

// eraseAll is the work of TestKilledWhileErasing's child process: it erases one user
// after the other.
func eraseAll(ctx context.Context, b testPlatform) error {
	for i := range 97 {
		if _, err := b.Erase(ctx, jobs.Identity{Field: "user", Value: fmt.Sprint(i)}, false); err != nil {
			return err
		}
	}
	select {}
}

// After a kill at any moment, all events of other users exist, and after the next build
// no byte of the users on the list is left.
func TestKilledWhileErasing(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		for range killRounds(t, 8) {
			t := t.withNewDeployment()
			b := t.openUnmanaged()
			b.mustField(t, jobs.Field{ID: "user", Type: "int", IsIdentifier: true})
			b.mustField(t, jobs.Field{ID: "events", Type: "int", MergeOperation: "count"})
			b.mustMap(t, "s", "user", "user", "")
			b.mustMap(t, "s", "events", "n", "")
			b.mustAudience(t, "All", "*")
			const events = 97 * 30
			for from := 0; from < events; from += 97 * 3 {
				check(t, appendBatch(t.Context(), b, 97*3))
			}
			b.mustBuild(t)
			b.close(t)
			t.kill("erase", time.Duration(30_000+rand.IntN(300_000))*time.Microsecond)

			b = t.openUnmanaged()
			var erased int
			// The build finishes the erasure of all users on the list.
			check(t, b.db.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM erased_identities`).Scan(&erased))
			stats := b.mustBuild(t)
			if stats.Profiles != int64(97-erased) {
				t.Fatalf("%d profiles with %d erased", stats.Profiles, erased)
			}
			for _, n := range b.rows(t, "all", "events") {
				if n != "30" {
					t.Fatalf("a user with %s events of 30", n)
				}
			}
			if n := len(b.stored(t, "s")); n != (97-erased)*30 {
				t.Fatalf("%d events with %d of 97 users erased", n, erased)
			}
			check(t, appendBatch(t.Context(), b, 1))
			if left := t.uncommittedBytes(b); left != "" {
				t.Fatalf("uncommitted bytes after a crash: %s", left)
			}
			if s := b.mustBuild(t); s.Events > 1 {
				t.Fatalf("events were built twice: %+v", s)
			}
			b.close(t)
		}
	})
}
