package embedded_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
)

// A placeholder value in an identifier joins many users. Above the limit of
// identities they become a conflict, in any order of the events.
func TestTooManyIdentitiesAreAConflict(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		for _, order := range []string{"forward", "backward", "joined late"} {
			t.Run(order, func(sub *testing.T) {
				sub.Parallel()
				t := (&deploymentTest{sub, t.deployment}).withNewDeployment()
				b := t.open()
				embedded.LimitIdentities(b.Platform, 10)
				defineShop(b, t)
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

func TestABuildReportsAnExampleOfAConflict(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		embedded.LimitIdentities(b.Platform, 2)
		defineShop(b, t)
		b.mustAppend(t, "shop", secondsApart(`{"email":"a@x.io","phone":["1","2"]}`))
		if stats := b.mustBuild(t); stats.Conflicts != 1 || !strings.Contains(stats.ConflictExample, "=") {
			t.Errorf("stats %+v", stats)
		}
	})
}

// The example gets into state files and logs, which must not contain personal data.
func TestTheExampleOfAConflictHasNoPersonalData(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		embedded.LimitIdentities(b.Platform, 1)
		b.mustField(t, jobs.Field{ID: "phone", Type: "[]string", IsIdentifier: true, IsPII: true})
		b.mustMap(t, "shop", "phone", "phone", "")
		b.mustAppend(t, "shop", secondsApart(`{"phone":["1","2"]}`))
		if stats := b.mustBuild(t); stats.Conflicts != 1 || stats.ConflictExample != "phone" {
			t.Errorf("stats %+v", stats)
		}
	})
}
