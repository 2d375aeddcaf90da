package embedded_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
)

// A placeholder in an identifier would make one user of many. Past the limit
// they are no profile, whatever the order, and the build tells.
func TestTooManyIdentitiesAreAConflict(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *trial) {
		for _, order := range []string{"forward", "backward", "joined late"} {
			t.Run(order, func(sub *testing.T) {
				sub.Parallel()
				t := (&trial{sub, t.place}).again()
				b := t.open()
				embedded.LimitIdentities(b.Platform, 10)
				shop(b, t)
				var events []jobs.Event
				for i := range 20 {
					phone := `"unknown"`
					if order == "joined late" {
						phone = fmt.Sprintf(`"p%d"`, i)
					}
					events = append(events, event(fmt.Sprintf("e%d", i), day0, fmt.Sprintf(`{"email":"u%d@x.io","phone":%s,"price":1}`, i, phone)))
				}
				events = append(events, event("fine", day0, `{"email":"fine@x.io","phone":"7","price":3}`))
				switch order {
				case "backward":
					slices.Reverse(events)
				case "joined late":
					var all []string
					for i := range 20 {
						all = append(all, fmt.Sprintf("%q", fmt.Sprintf("p%d", i)))
					}
					events = append(events, event("join", day0, `{"phone":[`+strings.Join(all, ",")+`]}`))
				}
				for chunk := range slices.Chunk(events, 7) {
					b.mustAppend(t, "shop", chunk)
					b.mustBuild(t)
				}
				b.mustAppend(t, "shop", []jobs.Event{event("more", day0, `{"email":"u3@x.io","price":1}`), event("new", day0, `{"email":"new@x.io","phone":"`+map[bool]string{true: "p1", false: "unknown"}[order == "joined late"]+`"}`)})
				stats := b.mustBuild(t)
				if stats.Profiles != 1 || stats.Conflicts != 1 {
					t.Errorf("stats %+v", stats)
				}
				if got := b.rows(t, "all", "email", "spend"); !slices.Equal(got, []string{"fine@x.io|3"}) {
					t.Errorf("profiles %v", got)
				}
			})
		}
	})
}

func TestTheBuildTellsAnExampleOfAConflict(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *trial) {
		b := t.open()
		embedded.LimitIdentities(b.Platform, 2)
		shop(b, t)
		b.mustAppend(t, "shop", facts(`{"email":"a@x.io","phone":["1","2"]}`))
		if stats := b.mustBuild(t); stats.Conflicts != 1 || !strings.Contains(stats.ConflictExample, "=") {
			t.Errorf("stats %+v", stats)
		}
	})
}

// The example goes into states and logs, where no personal data belongs.
func TestTheExampleOfAConflictIsNoPersonalData(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *trial) {
		b := t.open()
		embedded.LimitIdentities(b.Platform, 1)
		b.mustField(t, jobs.Field{ID: "phone", Type: "[]string", IsIdentifier: true, IsPII: true})
		b.mustMap(t, "shop", "phone", "phone", "")
		b.mustAppend(t, "shop", facts(`{"phone":["1","2"]}`))
		if stats := b.mustBuild(t); stats.Conflicts != 1 || stats.ConflictExample != "phone" {
			t.Errorf("stats %+v", stats)
		}
	})
}
