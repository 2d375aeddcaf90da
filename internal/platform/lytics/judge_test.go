package lytics_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
)

// judge opens a platform without a store, as a plan does before there is one.
func judge(t *testing.T, o lyticstest.Options) *fixture {
	t.Helper()
	b := &fixture{t: t, server: start(t, o)}
	b.reopen()
	return b
}

// verdict is a judgement in short: accepted, or what refuses or doubts the text.
func (b *fixture) verdict(attribute, text string) (kind, says string) {
	b.t.Helper()
	j, err := b.JudgeDraft(b.t.Context(), jobs.Draft{Attribute: attribute, Text: text})
	switch {
	case err != nil:
		b.t.Fatalf("%s: no answer: %v", text, err)
	case j.Arbiter != jobs.ArbiterLytics:
		b.t.Errorf("%s: got arbiter %q, want Lytics", text, j.Arbiter)
	case !j.Refusal.IsZero():
		if j.Refusal.Attribute != attribute || j.Refusal.Next == "" {
			b.t.Errorf("%s: got %+v, want a refusal of %s with a next step", text, j.Refusal, attribute)
		}
		return "refused", j.Refusal.String()
	case len(j.Doubts) > 0:
		return "doubted", j.Doubts[0].String()
	}
	return "accepted", ""
}

func TestLyticsJudgesFiltersAndExpressions(t *testing.T) {
	t.Parallel()
	b := judge(t, lyticstest.Options{})
	b.server.Understand("timebucket.sum(visits)")
	for _, c := range []struct{ attribute, text, kind, says string }{
		{"filter", `FILTER AND (EXISTS email, country = "US")`, "accepted", ""},
		{"filter", `country = "US"`, "accepted", ""},
		{"filter", `FILTER AND (country = `, "refused", "expected a value"},
		{"filter", `FILTER timebucket.sum(visits) > 3`, "accepted", ""},
		{"expression", "tolower(email)", "accepted", ""},
		{"expression", "emaildomain(email)", "accepted", ""},
		{"expression", `todate("01/02/2006", x)`, "doubted", "could not evaluate"},
		{"expression", "map(order_id, total)", "accepted", ""},
		{"expression", "emial(email)", "refused", "there is no function emial"},
		{"expression", "timebucket.sum(visits)", "accepted", ""},
		{"guard_expression", `eq(country, "US")`, "accepted", ""},
		{"guard_expression", "", "accepted", ""},
		{"guard_expression", "eq(country", "refused", "expected"},
	} {
		if kind, says := b.verdict(c.attribute, c.text); kind != c.kind || !strings.Contains(says, c.says) {
			t.Errorf("%s %s: got %s, %q; want %s, %q", c.attribute, c.text, kind, says, c.kind, c.says)
		}
	}
	// A text that Lytics takes costs one call, and nothing else is asked.
	for _, r := range b.server.Requests() {
		if r.Path != "/api/segment/validate" && r.Path != "/v2/schema/expression/evaluate" {
			t.Errorf("got a request of %s %s, want questions about texts only", r.Method, r.Path)
		}
	}
}

// Lytics refuses what it does not know yet. What the same apply may create first
// is no error.
func TestAFilterThatNamesWhatIsNotThereYetIsDoubted(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{Switches: lyticstest.Switches{ValidateFields: true}})
	const includes, fields = "FILTER AND (INCLUDE vip, EXISTS email)", `FILTER scores.momentum > 3`
	kind, says := b.verdict("filter", includes)
	if kind != "doubted" || !strings.Contains(says, "audience vip, the field email") || !strings.Contains(says, "segment vip to include not found") {
		t.Errorf("%s: got %s, %q; want a doubt that names the audience and the field, with Lytics's message", includes, kind, says)
	}
	if kind, says := b.verdict("filter", fields); kind != "doubted" || !strings.Contains(says, "the field scores") {
		t.Errorf("%s: got %s, %q; want a doubt that names the field", fields, kind, says)
	}
	// A fault in the text is a refusal all the same.
	if kind, says := b.verdict("filter", "FILTER AND (EXISTS email,"); kind != "refused" {
		t.Errorf("got %s, %q; want a refusal", kind, says)
	}
	b.must(b.CreateField(t.Context(), jobs.Field{ID: "email", Type: "string"}))
	b.must(b.CreateField(t.Context(), jobs.Field{ID: "scores", Type: "map[string]number"}))
	b.must(b.CreateAudience(t.Context(), jobs.Audience{Name: "VIP", Filter: "EXISTS email"}))
	for _, text := range []string{includes, fields} {
		if kind, says := b.verdict("filter", text); kind != "accepted" {
			t.Errorf("%s: got %s, %q; want it accepted once everything is there", text, kind, says)
		}
	}
}

func TestAnExpressionWithoutAValueIsAcceptedWhereLyticsAnswersNothing(t *testing.T) {
	t.Parallel()
	b := judge(t, lyticstest.Options{Switches: lyticstest.Switches{EvaluateToNothing: true}})
	if kind, says := b.verdict("expression", `todate("01/02/2006", x)`); kind != "accepted" {
		t.Errorf("got %s, %q; want it accepted", kind, says)
	}
}

// The error means that there was no answer, and it tells no secret.
//
// checklist 43
func TestAnAccountThatGivesNoAnswerJudgesNothing(t *testing.T) {
	t.Parallel()
	for status, code := range map[int]jobs.Code{
		http.StatusUnauthorized: jobs.CodeUnauthorized, http.StatusForbidden: jobs.CodeForbidden,
		http.StatusTooManyRequests: jobs.CodeFailed, http.StatusServiceUnavailable: jobs.CodeUnreachable,
	} {
		b := judge(t, lyticstest.Options{})
		b.server.Inject(lyticstest.Fault{Status: status, Times: -1})
		for attribute, text := range map[string]string{"filter": "EXISTS email", "expression": "email"} {
			j, err := b.JudgeDraft(t.Context(), jobs.Draft{Attribute: attribute, Text: text})
			if !jobs.IsCode(err, code) || strings.Contains(err.Error(), canary) {
				t.Errorf("status %d: got %+v, %v; want code %s", status, j, err, code)
			}
		}
		if waited := b.clock.Total(); waited > 30*1e9 {
			t.Errorf("status %d: waited %s for two questions, want at most 30s", status, waited)
		}
	}
}

// With a Lytics account our parsers refuse nothing, at apply neither.
func TestWhatOnlyLyticsCanReadIsCreated(t *testing.T) {
	t.Parallel()
	b := open(t, lyticstest.Options{})
	ctx := t.Context()
	b.server.Understand("timebucket.sum(visits)")
	b.must(b.CreateField(ctx, jobs.Field{ID: "visits", Type: "int"}))
	m, err := b.CreateMapping(ctx, jobs.Mapping{Stream: "s", Field: "visits", Expression: "timebucket.sum(visits)"})
	b.must(m, err)
	m.GuardExpression = "timebucket.sum(visits)"
	b.must(b.PutMapping(ctx, m))
	a, err := b.CreateAudience(ctx, jobs.Audience{Name: "Busy", Filter: "timebucket.sum(visits) > 3"})
	b.must(a, err)
	a.Description = "changed"
	b.must(b.PutAudience(ctx, a))

	_, err = b.CreateMapping(ctx, jobs.Mapping{Stream: "t", Field: "visits", Expression: "emial(x)"})
	refused(t, "an expression that Lytics refuses", err, jobs.CodeInvalid, "expression", "there is no function emial")
	_, err = b.CreateMapping(ctx, jobs.Mapping{Stream: "t", Field: "visits", Expression: "x", GuardExpression: "emial(x)"})
	refused(t, "a guard that Lytics refuses", err, jobs.CodeInvalid, "guard_expression", "there is no function emial")
	if n := len(b.asked(http.MethodPost, "/v2/schema/user/mapping")); n != 2 {
		t.Errorf("got %d writes of mappings, want 2: none with a refused text", n)
	}
}
