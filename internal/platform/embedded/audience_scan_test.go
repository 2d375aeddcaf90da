package embedded_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func TestScanGivesTheChosenFieldsExactly(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		ctx := t.Context()
		b := t.open()
		defineShop(b, t)
		b.mustField(t, jobs.Field{ID: "unfed", Type: "int"})
		b.mustAppend(t, "shop", secondsApart(
			`{"email":"a@x.io","name":"","price":12345678901234567890.123456789,"tags":["b","\"q\"","a\nb"],"at":"2024-02-29T23:59:59.999999+01:00"}`,
			`{"email":"b@x.io","name":"Zoë 🎉","price":-0.50}`,
		))
		b.mustBuild(t)
		columns, _, err := b.Scan(ctx, "all", nil)
		check(t, err)
		var ids []string
		for _, c := range columns {
			ids = append(ids, c.ID)
		}
		if want := []string{"biggest", "by_shop", "email", "first_name", "name", "orders", "phone", "seen", "spend", "tags", "unfed", "vip"}; !slices.Equal(ids, want) {
			t.Errorf("all columns are %v", ids)
		}
		got := b.rows(t, "all", "name", "spend", "tags", "seen", "vip", "unfed")
		want := []string{
			`|12345678901234567890.123456789|["\"q\"","a\nb","b"]|2024-02-29T22:59:59.999999Z|true|NULL`,
			`Zoë 🎉|-0.5|NULL|NULL|false|NULL`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		_, _, err = b.Scan(ctx, "all", []string{"email", "e_mail"})
		wantError(t, "an unknown field", err, jobs.CodeInvalid, "fields", `"e_mail"`)
		_, _, err = b.Scan(ctx, "all", []string{"email", "email"})
		wantError(t, "one field twice", err, jobs.CodeInvalid, "fields", "twice")
		_, _, err = b.Scan(ctx, "missing", nil)
		wantError(t, "an unknown audience", err, jobs.CodeNotFound, "", "missing")
		b.mustAudience(t, "Undefined", `city = "Rome"`)
		_, _, err = b.Scan(ctx, "undefined", nil)
		wantError(t, "a filter on an undefined field", err, jobs.CodeInvalid, "filter", "city")
	})
}

func TestAudiencesFilterProfiles(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		ctx := t.Context()
		b := t.open()
		defineShop(b, t)
		recent := time.Now().UTC().Add(-time.Hour).Format(time.RFC3339Nano)
		b.mustAppend(t, "shop", secondsApart(
			`{"email":"rich@x.io","price":500,"at":"`+recent+`","tags":["vip"],"shop":"rome"}`,
			`{"email":"poor@x.io","price":5,"at":"2020-01-01","shop":"paris"}`,
			`{"email":"new@y.io","name":"New"}`,
		))
		b.mustBuild(t)
		b.mustAudience(t, "Rich", "spend > 100")
		for filter, want := range map[string]string{
			"*":                   "rich poor new",
			`seen > "now-1d"`:     "rich",
			`NOT seen > "now-1d"`: "poor new",
			`FILTER AND (EXISTS spend, NOT INCLUDE rich) FROM user ALIAS x`: "poor",
			`tags INTERSECTS ("vip", "x")`:                                  "rich",
			`by_shop.paris BETWEEN 1 AND 10`:                                "poor",
			`email LIKE "*@y.io"`:                                           "new",
			`spend != 5`:                                                    "rich new",
			`unfed_yet > 5`:                                                 "",
		} {
			if strings.HasPrefix(filter, "unfed") {
				b.mustField(t, jobs.Field{ID: "unfed_yet", Type: "int"})
			}
			a := b.mustAudience(t, "F"+fmt.Sprintf("%x", filter)[:min(40, 2*len(filter))], filter)
			var got []string
			for _, line := range b.rows(t, a.ID, "email") {
				name, _, _ := strings.Cut(line, "@")
				got = append(got, name)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s gives %v, want %s", filter, got, want)
			}
			if n, err := b.AudienceSize(ctx, a.Slug); err != nil || int(n) != len(got) {
				t.Errorf("%s has the size %d, %v", filter, n, err)
			}
		}
	})
}

// A scan reads one snapshot, even if a build changes the profiles or replaces the
// generation before the scan ends.
func TestAScanReadsOneSnapshot(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		ctx := t.Context()
		b := t.open()
		defineShop(b, t)
		var data []string
		for i := range 2000 {
			data = append(data, fmt.Sprintf(`{"email":"u%d@x.io","price":1}`, i))
		}
		b.mustAppend(t, "shop", secondsApart(data...))
		b.mustBuild(t)
		_, rows, err := b.Scan(ctx, "all", []string{"spend"})
		check(t, err)
		n := 0
		for row, err := range rows {
			check(t, err)
			if row[0].Text != "1" {
				t.Fatalf("row %d is %s", n, row[0].Text)
			}
			if n++; n == 10 {
				b.mustAppend(t, "shop", secondsApart(data...))
				b.mustBuild(t)
			}
			if n == 20 {
				m := mappingOf(t, b, "spend")
				m.Expression = "price * 7"
				_, err := b.PutMapping(ctx, m)
				check(t, err)
				b.mustBuild(t)
			}
		}
		if n != 2000 {
			t.Errorf("%d rows", n)
		}
		if got := b.rows(t, "all", "spend"); got[0] != "14" {
			t.Errorf("the next scan sees %s", got[0])
		}
	})
}

func TestAnAbandonedScanLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		defineShop(b, t)
		b.mustAppend(t, "shop", secondsApart(`{"email":"a@x.io"}`, `{"email":"b@x.io"}`))
		b.mustBuild(t)
		for range 50 {
			_, rows, err := b.Scan(t.Context(), "all", nil)
			check(t, err)
			for _, err := range rows {
				check(t, err)
				break
			}
		}
		if got := b.rows(t, "all", "email"); len(got) != 2 {
			t.Errorf("rows %v", got)
		}
	})
}
