package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

var parsedFilterType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{
	"normalized": tftypes.String, "fields": tftypes.List{ElementType: tftypes.String}, "includes": tftypes.List{ElementType: tftypes.String},
	"alias": tftypes.String, "from": tftypes.String, "limit": tftypes.Number,
}}

func TestParseFilter(t *testing.T) {
	t.Parallel()
	c := newClient(t, providertest.New())
	list := func(names ...string) tftypes.Value {
		elements := []tftypes.Value{}
		for _, n := range names {
			elements = append(elements, tftypes.NewValue(tftypes.String, n))
		}
		return tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, elements)
	}
	text := func(s any) tftypes.Value { return tftypes.NewValue(tftypes.String, s) }
	for filter, want := range map[string]map[string]tftypes.Value{
		"filter and (\n  exists email -- known\n  include vip\n)": {
			"normalized": text("FILTER AND (EXISTS email INCLUDE vip)"), "fields": list("email"), "includes": list("vip"),
			"alias": text(nil), "from": text("user"), "limit": tftypes.NewValue(tftypes.Number, nil),
		},
		`b>1 AND a="x" FROM user LIMIT 5 ALIAS Big;`: {
			"normalized": text(`FILTER b > 1 AND a = "x" FROM user LIMIT 5 ALIAS Big`), "fields": list("a", "b"), "includes": list(),
			"alias": text("big"), "from": text("user"), "limit": tftypes.NewValue(tftypes.Number, 5),
		},
	} {
		got, err := c.callFunction("parse_filter", parsedFilterType, filter)
		if err != nil {
			t.Errorf("%q: %s", filter, err.Text)
			continue
		}
		if w := tftypes.NewValue(parsedFilterType, want); !got.Equal(w) {
			t.Errorf("%q: got %s, want %s", filter, got, w)
		}
	}
	if _, err := c.callFunction("parse_filter", parsedFilterType, "FILTER AND (a >"); err == nil || *err.FunctionArgument != 0 {
		t.Errorf("a filter that ends early: got %v, want an error of the first argument", err)
	}
}

func TestScheduleNext(t *testing.T) {
	t.Parallel()
	c := newClient(t, providertest.New())
	unknown := tftypes.NewValue(tftypes.String, tftypes.UnknownValue)
	for _, test := range []struct {
		name     string
		schedule map[string]any
		after    string
		want     any
	}{
		{"daily", map[string]any{"frequency": "daily"}, noon, "2026-02-01T00:00:00Z"},
		{"at a time of day in a zone", map[string]any{"frequency": "daily", "time_of_day": "02:30", "timezone": "America/New_York"},
			"2026-03-08T00:00:00Z", "2026-03-08T07:30:00Z"},
		{"weekly", map[string]any{"frequency": "weekly", "day_of_week": "friday", "day_of_month": nil}, noon, "2026-02-06T00:00:00Z"},
		{"monthly, at the end", map[string]any{"frequency": "monthly", "day_of_month": number("31")}, noon, "2026-02-28T00:00:00Z"},
		{"hourly", map[string]any{"frequency": "hourly", "time_of_day": "00:15"}, noon, "2026-01-31T12:15:00Z"},
		{"as a job's resource has it", map[string]any{"frequency": "daily", "start_immediately": true, "catch_up": "one", "paused": false,
			"time_of_day": "00:00", "timezone": "UTC", "day_of_week": nil}, noon, "2026-02-01T00:00:00Z"},
		{"paused", map[string]any{"frequency": "daily", "paused": true}, noon, nil},
		{"paused, as a map has it", map[string]any{"frequency": "daily", "paused": "true"}, noon, nil},
		{"not paused, as a map has it", map[string]any{"frequency": "daily", "paused": "false"}, noon, "2026-02-01T00:00:00Z"},
		{"not known yet", map[string]any{"frequency": unknown}, noon, tftypes.UnknownValue},
	} {
		got, err := c.callFunction("schedule_next", tftypes.String, test.schedule, test.after)
		if err != nil {
			t.Errorf("%s: %s", test.name, err.Text)
			continue
		}
		if want := tftypes.NewValue(tftypes.String, test.want); !got.Equal(want) {
			t.Errorf("%s: got %s, want %s", test.name, got, want)
		}
	}
	for says, call := range map[string]struct {
		schedule any
		after    string
		argument int64
	}{
		"no frequency":                              {map[string]any{"time_of_day": "01:00"}, noon, 0},
		"has no hour":                               {map[string]any{"frequency": "daily", "hour": "01:00"}, noon, 0},
		"has to be a whole number":                  {map[string]any{"frequency": "monthly", "day_of_month": number("1.5")}, noon, 0},
		"an object is needed":                       {"daily", noon, 0},
		"not a time as RFC 3339":                    {map[string]any{"frequency": "daily"}, "noon", 1},
		`schedule.paused is "yes"`:                  {map[string]any{"frequency": "daily", "paused": "yes"}, noon, 0},
		`schedule.paused is ""`:                     {map[string]any{"frequency": "daily", "paused": ""}, noon, 0},
		"schedule.start_immediately is \"1\"":       {map[string]any{"frequency": "daily", "start_immediately": number("1")}, noon, 0},
		`schedule.frequency: The frequency "dayly"`: {map[string]any{"frequency": "dayly"}, noon, 0},
		`"yearly" is not known`:                     {map[string]any{"frequency": "yearly", "paused": true}, noon, 0},
		"schedule.day_of_week: ":                    {map[string]any{"frequency": "weekly", "day_of_week": "mon"}, noon, 0},
		"schedule.catch_up: ":                       {map[string]any{"frequency": "weekly", "catch_up": "all"}, noon, 0},
		"schedule.time_of_day: ":                    {map[string]any{"frequency": "daily", "time_of_day": "late"}, noon, 0},
		"schedule.day_of_month is 0":                {map[string]any{"frequency": "monthly", "day_of_month": number("0")}, noon, 0},
		`schedule.paused is "maybe"`:                {map[string]any{"frequency": unknown, "paused": "maybe"}, noon, 0},
		"Mars":                                      {map[string]any{"frequency": "daily", "timezone": "Mars/Base"}, noon, 0},
	} {
		_, err := c.callFunction("schedule_next", tftypes.String, call.schedule, call.after)
		if err == nil || !strings.Contains(err.Text, says) || *err.FunctionArgument != call.argument {
			t.Errorf("%v: got %v, want an error of argument %d with %q", call.schedule, err, call.argument, says)
		}
	}
}
