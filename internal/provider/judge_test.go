package provider_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// judgedByLytics makes the environment's platform a Lytics account that refuses
// texts with the word REFUSED and takes all others. It counts the questions.
func judgedByLytics(env *providertest.Environment, asked *[]string) {
	env.Judge = func(d jobs.Draft) (jobs.Judgement, error) {
		*asked = append(*asked, d.Attribute+": "+d.Text)
		j := jobs.Judgement{Arbiter: jobs.ArbiterLytics}
		if strings.Contains(d.Text, "REFUSED") {
			j.Refusal = jobs.FailureOf(jobs.Invalid(d.Attribute, "Lytics refuses it", `Lytics says: unexpected token "REFUSED".`, "Correct it"))
		}
		return j, nil
	}
}

func audienceNamed(name, filter string) map[string]any {
	return map[string]any{"name": name, "filter": filter}
}

func TestALyticsAccountDecidesAboutTexts(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	var asked []string
	judgedByLytics(env, &asked)
	c := newClient(t, env)
	// Neither text can be read by the provider's parsers.
	for resource, given := range map[string]map[string]any{
		"lytics_audience": audienceNamed("A", "FILTER later.function(x"),
		"lytics_mapping":  {"stream": "s", "field": "f", "expression": "later.function(x", "guard_expression": "later.guard(x"},
	} {
		if diags := c.validateAndPlan(resource, given); len(diags) != 0 {
			t.Errorf("%s: got %q, want nothing: Lytics takes the text", resource, messages(diags))
		}
	}
	const says = `unexpected token "REFUSED"`
	checkError(t, c.validateAndPlan("lytics_audience", audienceNamed("A", "EXISTS REFUSED")), "filter", says)
	mapping := map[string]any{"stream": "s", "field": "f", "expression": "REFUSED"}
	checkError(t, c.validateAndPlan("lytics_mapping", mapping), "expression", says)
	mapping = map[string]any{"stream": "s", "field": "f", "expression": "x", "guard_expression": "REFUSED"}
	checkError(t, c.validateAndPlan("lytics_mapping", mapping), "guard_expression", says)
}

// The expression's type is a matter of our reading, so it is a warning.
func TestAnExpressionThatDoesNotFitItsFieldIsAWarningWithALyticsAccount(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	judgedByLytics(env, new([]string))
	c := newClient(t, env)
	if diags := c.validateAndPlan("lytics_field", map[string]any{"id": "visits", "type": "int"}); len(diags) != 0 {
		t.Fatalf("the field gives %q", messages(diags))
	}
	diags := c.validateAndPlan("lytics_mapping", map[string]any{"stream": "s", "field": "visits", "expression": "tolower(visits)"})
	if failed(diags) || len(diags) != 1 || !strings.Contains(diags[0].Summary, `does not fit field "visits"`) {
		t.Errorf("got %q, want one warning", messages(diags))
	}
}

func TestAPlanAsksOnlyAboutWhatChanges(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	var asked []string
	judgedByLytics(env, &asked)
	c := newClient(t, env)
	given := audienceNamed("A", "EXISTS email")
	state := c.create("lytics_audience", given)

	c, asked = newClient(t, env), nil
	typ := c.typ("lytics_audience")
	if got, diags := c.read("lytics_audience", state); failed(diags) || !got.value.Equal(state.value) {
		t.Fatalf("a refresh gives %s, %q", got.value, messages(diags))
	}
	for _, given := range []map[string]any{given, audienceNamed("B", "EXISTS email")} {
		if plan := c.plan("lytics_audience", state, build(typ, given)); failed(plan.Diagnostics) {
			t.Fatal(messages(plan.Diagnostics))
		}
	}
	if len(asked) != 0 {
		t.Errorf("without a changed text, got the questions %q, want none", asked)
	}
	for range 3 {
		c.plan("lytics_audience", state, build(typ, audienceNamed("A", "EXISTS phone")))
	}
	if len(asked) != 1 {
		t.Errorf("three plans of one text asked %q, want one question", asked)
	}
}

// A text that is unknown at plan is judged by the apply, before it is written.
func TestAnUnknownTextIsJudgedAtApply(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	var asked []string
	judgedByLytics(env, &asked)
	c := newClient(t, env)
	typ := c.typ("lytics_audience")
	unknown := build(typ, map[string]any{"name": "A", "filter": tftypes.UnknownValue})
	if diags := c.plan("lytics_audience", nil, unknown).Diagnostics; len(diags) != 0 || len(asked) != 0 {
		t.Errorf("at plan, got %q and the questions %q; want none", messages(diags), asked)
	}
	// Terraform plans again when it applies, with the value.
	_, diags := c.apply(t.Context(), "lytics_audience", nil, build(typ, audienceNamed("A", "REFUSED")))
	checkError(t, diags, "filter", `unexpected token`)
	if env.Only() != nil {
		t.Error("a refused text was written")
	}
}

// A plan of many objects asks once, warns once, and is no error.
func TestAnAccountThatGivesNoAnswerIsOneWarning(t *testing.T) {
	t.Parallel()
	for _, code := range []jobs.Code{jobs.CodeUnreachable, jobs.CodeUnauthorized, jobs.CodeForbidden, jobs.CodeFailed} {
		env := providertest.New()
		asked := 0
		env.Judge = func(jobs.Draft) (jobs.Judgement, error) {
			asked++
			return jobs.Judgement{}, &jobs.Error{Code: code, Summary: "Lytics gives no answer", Detail: "it answers 429", Next: "Try later"}
		}
		c := newClient(t, env)
		var diags []*tfprotov6.Diagnostic
		for i := range 20 {
			diags = append(diags, c.validateAndPlan("lytics_audience", audienceNamed(fmt.Sprint("A", i), fmt.Sprintf("age > %d", i)))...)
		}
		if failed(diags) || len(diags) != 1 || asked != 1 || !strings.Contains(diags[0].Detail, "it answers 429") {
			t.Errorf("%s: got %d questions and %q, want one of each, with the reason", code, asked, messages(diags))
		}
		diags = c.validateAndPlan("lytics_audience", audienceNamed("B", "SELECT"))
		if failed(diags) || len(diags) != 1 || !strings.Contains(diags[0].Detail, "A Lytics account decides by its own rules") {
			t.Errorf("%s: got %q, want one warning by our reading", code, messages(diags))
		}
	}
}

// While the provider block is unknown, nobody can be asked.
func TestAnUnknownPlatformJudgesNothing(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c := newConfiguredClient(t, env, map[string]any{"data_dir": tftypes.UnknownValue})
	diags := c.validateAndPlan("lytics_audience", audienceNamed("A", "SELECT"))
	if failed(diags) || len(diags) != 1 || !strings.Contains(diags[0].Detail, "A Lytics account decides") {
		t.Errorf("got %q, want one warning", messages(diags))
	}
}

// terraform validate has no provider block, so it cannot know who decides.
func TestValidationWithoutAConfiguredProviderWarns(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c := newClient(t, env)
	server, err := env.Server()
	if err != nil {
		t.Fatal(err)
	}
	for resource, given := range map[string]map[string]any{
		"lytics_audience": audienceNamed("A", "SELECT"),
		"lytics_mapping":  {"stream": "s", "field": "f", "expression": "f("},
	} {
		typ := c.typ(resource)
		resp, err := server.ValidateResourceConfig(t.Context(),
			&tfprotov6.ValidateResourceConfigRequest{TypeName: resource, Config: dynamic(t, typ, build(typ, given))})
		if err != nil {
			t.Fatal(err)
		}
		if d := resp.Diagnostics; failed(d) || len(d) != 1 || !strings.Contains(d[0].Detail, "A Lytics account decides") {
			t.Errorf("%s: got %q, want one warning", resource, messages(d))
		}
	}
}

// busyJudge notes how many questions it answers at a time. It answers when as many
// wait as may.
type busyJudge struct {
	*jobstest.Fake
	enough chan struct{}

	mu        sync.Mutex
	now, most int
	answering bool
}

func (b *busyJudge) JudgeDraft(context.Context, jobs.Draft) (jobs.Judgement, error) {
	b.mu.Lock()
	b.now++
	b.most = max(b.most, b.now)
	if b.now == 4 && !b.answering {
		b.answering = true
		close(b.enough)
	}
	b.mu.Unlock()
	<-b.enough
	b.mu.Lock()
	b.now--
	b.mu.Unlock()
	return jobs.Judgement{Arbiter: jobs.ArbiterLytics}, nil
}

func TestFewQuestionsAreAskedAtATime(t *testing.T) {
	t.Parallel()
	b := &busyJudge{Fake: jobstest.New(), enough: make(chan struct{})}
	open := func(context.Context, config.Target) (jobs.API, error) { return b, nil }
	server, err := providerserver.NewProtocol6WithError(provider.New("test", provider.Dependencies{
		Open: open, LookupEnv: func(string) (string, bool) { return "", false },
	})())()
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, providertest.New())
	providerType := c.schema.Provider.ValueType()
	if _, err := server.ConfigureProvider(t.Context(),
		&tfprotov6.ConfigureProviderRequest{Config: dynamic(t, providerType, build(providerType, nil))}); err != nil {
		t.Fatal(err)
	}
	c.server = server
	typ := c.typ("lytics_audience")
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			resp := c.plan("lytics_audience", nil, build(typ, audienceNamed(fmt.Sprint("A", i), fmt.Sprintf("age > %d", i))))
			if len(resp.Diagnostics) != 0 {
				t.Errorf("got %q, want nothing", messages(resp.Diagnostics))
			}
		})
	}
	all.Wait()
	if b.most != 4 {
		t.Errorf("got %d questions at a time, want 4", b.most)
	}
}
