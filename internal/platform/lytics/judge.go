package lytics

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
)

// judgePatience is how long a question about a text is repeated. It is short:
// without an answer, the plan goes on with a warning.
const judgePatience = 10 * time.Second

// JudgeDraft asks Lytics whether it takes a text. The error means that Lytics
// gave no answer.
func (p *Platform) JudgeDraft(ctx context.Context, d jobs.Draft) (jobs.Judgement, error) {
	j := jobs.Judgement{Arbiter: jobs.ArbiterLytics}
	switch {
	case d.Attribute == "filter":
		return p.judgeFilter(ctx, j, d)
	case d.Attribute == "guard_expression" && platform.EveryEventPasses(d.Text):
		return j, nil
	case d.Attribute == "expression" || d.Attribute == "guard_expression":
		return p.judgeExpression(ctx, j, d)
	}
	// The attribute holds no text that can be judged, and this says so.
	return platform.JudgeDraft(d)
}

// validateFilter is the call that checks a filter.
func (p *Platform) validateFilter(summary, filter string) call {
	c := p.get(summary, "/api/segment/validate")
	c.method, c.contentType, c.body, c.attribute = http.MethodPost, "text/plain", []byte(segmentQL(filter)), "filter"
	return c
}

func (p *Platform) judgeFilter(ctx context.Context, j jobs.Judgement, d jobs.Draft) (jobs.Judgement, error) {
	c := p.validateFilter("Lytics refuses the filter", d.Text)
	c.patience = judgePatience
	_, err := p.do(ctx, c)
	switch {
	case err == nil:
		return j, nil
	case !isRefusal(err):
		return j, err
	}
	refusal := jobs.FailureOf(err)
	if missing := p.missingNames(ctx, d.Text); len(missing) > 0 {
		refusal.Summary = "Lytics does not take the filter yet"
		refusal.Next = fmt.Sprintf("The account does not have %s. If this apply creates them first, nothing has to change: Lytics is asked "+
			"again when the audience is written. Refer to them (lytics_audience.NAME.slug) or use depends_on, so that they come first.",
			strings.Join(missing, ", "))
		j.Doubts = append(j.Doubts, refusal)
		return j, nil
	}
	j.Refusal = refusal
	return j, nil
}

// isRefusal tells that Lytics answered, and does not take what it was given.
func isRefusal(err error) bool {
	return jobs.IsCode(err, jobs.CodeInvalid) && hasStatus(err, http.StatusBadRequest, http.StatusUnprocessableEntity)
}

// includeWord finds the audiences that a filter includes where the filter cannot
// be parsed.
var includeWord = regexp.MustCompile("(?i)\\bINCLUDE\\s+(`[^`]+`|[\\w-]+)")

// missingNames lists the audiences and fields that a filter names and the account
// does not have. If the account cannot be read, it lists nothing.
func (p *Platform) missingNames(ctx context.Context, filter string) (missing []string) {
	var audiences, fields []string
	if f, err := platform.ParseFilter(filter); err == nil {
		audiences, fields = f.Includes(), f.Fields()
	} else {
		for _, m := range includeWord.FindAllStringSubmatch(filter, -1) {
			audiences = append(audiences, strings.Trim(m[1], "`"))
		}
	}
	for _, name := range audiences {
		if _, err := p.segment(ctx, "Cannot read audience "+name, name, nil); jobs.IsCode(err, jobs.CodeNotFound) {
			missing = append(missing, "the audience "+name)
		}
	}
	if len(fields) == 0 {
		return missing
	}
	known, err := p.Fields(ctx)
	if err != nil {
		return missing
	}
	for _, name := range fields {
		has := func(f jobs.Field) bool {
			return strings.EqualFold(f.ID, name) || strings.HasPrefix(strings.ToLower(f.ID), strings.ToLower(name)+".")
		}
		if !slices.ContainsFunc(known, has) {
			missing = append(missing, "the field "+name)
		}
	}
	return missing
}

// judgeExpression evaluates an expression in Lytics for an event with values of
// no meaning. It chooses an event for which the expression has a value by our
// reading; a refusal then concerns the text. If there is no such event, a refusal
// is a doubt: Lytics may refuse the missing value.
func (p *Platform) judgeExpression(ctx context.Context, j jobs.Judgement, d jobs.Draft) (jobs.Judgement, error) {
	e, parseErr := platform.ParseMappingExpression(d.Text)
	events, hasValue := sampleEvents(columnsOf(d.Text)), false
	if parseErr == nil {
		var event map[string]any
		event, hasValue = sampleFor(e)
		events = []map[string]any{event}
	}
	var refusal jobs.Failure
	for _, event := range events {
		err := p.evaluate(ctx, d, event)
		if err == nil {
			return j, nil
		}
		if !isRefusal(err) {
			return j, err
		}
		if refusal.IsZero() {
			refusal = jobs.FailureOf(err)
		}
	}
	if parseErr == nil && !hasValue {
		refusal.Summary = "Lytics could not evaluate the expression for a sample event"
		refusal.Next = "Check the expression. Lytics may need values that the sample does not have; it is asked again when it is given " +
			"the mapping."
		j.Doubts = append(j.Doubts, refusal)
		return j, nil
	}
	j.Refusal = refusal
	return j, nil
}

// evaluate asks Lytics for the value of an expression for one event.
func (p *Platform) evaluate(ctx context.Context, d jobs.Draft, event map[string]any) error {
	c, err := p.send("Lytics refuses the expression", http.MethodPost, "/v2/schema/expression/evaluate",
		map[string]any{"expression": d.Text, "data": event})
	if err != nil {
		return err
	}
	c.attribute, c.repeatable, c.patience = d.Attribute, true, judgePatience
	_, err = p.do(ctx, c)
	return err
}

// checkExpressions refuses a mapping whose texts Lytics refuses. Without an answer
// it refuses nothing: Lytics decides when it is given the mapping.
func (p *Platform) checkExpressions(ctx context.Context, m jobs.Mapping) error {
	for _, d := range []jobs.Draft{{Attribute: "expression", Text: m.Expression}, {Attribute: "guard_expression", Text: m.GuardExpression}} {
		j, err := p.JudgeDraft(ctx, d)
		if err == nil && !j.Refusal.IsZero() {
			return &jobs.Error{
				Code: j.Refusal.Code, Attribute: d.Attribute, Summary: j.Refusal.Summary, Detail: j.Refusal.Detail, Next: j.Refusal.Next,
			}
		}
	}
	return ctx.Err()
}
