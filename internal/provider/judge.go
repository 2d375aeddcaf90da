package provider

import (
	"context"
	"fmt"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
)

// maxQuestions bounds how many texts a process asks the platform about at a time.
const maxQuestions = 4

// judgements are the answers of a platform about filters and expressions. A
// process asks about each text once, and stops asking when the platform gives no
// answer: a plan of many objects must not wait for each of them.
type judgements struct {
	once  sync.Once
	slots chan struct{}

	mu      sync.Mutex
	answers map[jobs.Draft]*judgement
	// noAnswer is why the platform is not asked any more.
	noAnswer error
	warned   bool
}

// judgement is the answer for one text. done is closed when it is there.
type judgement struct {
	done   chan struct{}
	answer jobs.Judgement
	err    error
}

// judge asks the platform about a text, or returns the answer of before.
func (s *session) judge(ctx context.Context, d jobs.Draft) (jobs.Judgement, error) {
	js := &s.judgements
	js.once.Do(func() { js.slots, js.answers = make(chan struct{}, maxQuestions), map[jobs.Draft]*judgement{} })
	js.mu.Lock()
	j, asked := js.answers[d]
	if !asked {
		j = &judgement{done: make(chan struct{})}
		js.answers[d] = j
	}
	js.mu.Unlock()
	if asked {
		select {
		case <-j.done:
			return j.answer, j.err
		case <-ctx.Done():
			return jobs.Judgement{}, context.Cause(ctx)
		}
	}
	defer close(j.done)
	select {
	case js.slots <- struct{}{}:
		defer func() { <-js.slots }()
	case <-ctx.Done():
		j.err = context.Cause(ctx)
		return j.answer, j.err
	}
	if j.err = js.silence(); j.err != nil {
		return j.answer, j.err
	}
	api, err := s.connect(ctx)
	if err == nil {
		j.answer, err = api.JudgeDraft(ctx, d)
	}
	if err != nil {
		js.stopAsking(err)
	}
	j.err = err
	return j.answer, err
}

func (js *judgements) silence() error {
	js.mu.Lock()
	defer js.mu.Unlock()
	return js.noAnswer
}

func (js *judgements) stopAsking(err error) {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.noAnswer = err
}

// warnNoAnswer warns once that texts were not judged.
func (js *judgements) warnNoAnswer(err error, diags *diag.Diagnostics) {
	js.mu.Lock()
	defer js.mu.Unlock()
	if js.warned {
		return
	}
	js.warned = true
	e := toJobsError(err, "ask the platform about filters and expressions")
	diags.AddWarning("Filters and expressions were not checked by the platform", paragraphs(
		jobs.FailureOf(e).String(),
		"This plan goes on without the check. The platform decides when the objects are written."))
}

// text is the value of an attribute that holds a filter or an expression.
type text struct {
	attribute string
	value     types.String
}

func (t text) equal(other text) bool {
	return t.attribute == other.attribute && t.value.Equal(other.value)
}

// draft is what there is to judge. An unknown value is judged when it is known.
func (t text) draft() (d jobs.Draft, ok bool) {
	if t.value.IsNull() || t.value.IsUnknown() || t.attribute == "guard_expression" && platform.EveryEventPasses(t.value.ValueString()) {
		return jobs.Draft{}, false
	}
	return jobs.Draft{Attribute: t.attribute, Text: t.value.ValueString()}, true
}

// judgeText checks a text that this plan creates or changes. It is an error if the
// platform refuses the text.
func (s *session) judgeText(ctx context.Context, at attributeTarget, t text, diags *diag.Diagnostics) {
	d, ok := t.draft()
	if !ok {
		return
	}
	if !s.known() {
		// It is not known which platform decides.
		warnByOurReading(at, d, diags)
		return
	}
	j, err := s.judge(ctx, d)
	if err != nil {
		s.judgements.warnNoAnswer(err, diags)
		warnByOurReading(at, d, diags)
		return
	}
	if f := j.Refusal; !f.IsZero() {
		at.add(diags, diag.SeverityError, d.Attribute, f.Summary, paragraphs(f.Detail, f.Next))
	}
	for _, f := range j.Doubts {
		at.add(diags, diag.SeverityWarning, d.Attribute, f.Summary, paragraphs(f.Detail, f.Next))
	}
}

// warnUnjudged warns about a text by our reading, before it is known which
// platform decides.
func warnUnjudged(at attributeTarget, t text, diags *diag.Diagnostics) {
	if d, ok := t.draft(); ok {
		warnByOurReading(at, d, diags)
	}
}

// warnByOurReading warns about a text that the provider's parsers cannot read,
// where the platform that decides cannot be asked.
func warnByOurReading(at attributeTarget, d jobs.Draft, diags *diag.Diagnostics) {
	j, err := platform.JudgeDraft(d)
	if err != nil || j.Refusal.IsZero() {
		return
	}
	at.add(diags, diag.SeverityWarning, d.Attribute, j.Refusal.Summary, paragraphs(j.Refusal.Detail,
		"The embedded platform refuses it. A Lytics account decides by its own rules and may take it."))
}

// fitsField checks that the result of an expression can become a value of the
// field. It is an error where the embedded platform decides, else a warning.
func (s *session) fitsField(ctx context.Context, at attributeTarget, m jobs.Mapping, f jobs.Field, diags *diag.Diagnostics) {
	if platform.ValidateMappingExpression(m.Expression) != nil {
		return
	}
	err := platform.ValidateExpressionType(m.Expression, f)
	if err == nil {
		return
	}
	if s.known() {
		if j, judgeErr := s.judge(
			ctx,
			jobs.Draft{Attribute: "expression", Text: m.Expression},
		); judgeErr == nil &&
			j.Arbiter == jobs.ArbiterEmbedded {
			addError(diags, at, "use the mapping", err)
			return
		}
	}
	e := toJobsError(err, "use the mapping")
	at.add(diags, diag.SeverityWarning, e.Attribute, e.Summary, paragraphs(e.Detail, e.Next,
		fmt.Sprintf("This is how the provider reads the expression. A Lytics account decides by its own rules what field %s gets.", f.ID)))
}
