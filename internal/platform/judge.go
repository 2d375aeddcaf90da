package platform

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// JudgeDraft checks a text as the embedded platform does. The error means that
// the draft has no language.
func JudgeDraft(d jobs.Draft) (jobs.Judgement, error) {
	var err error
	switch d.Attribute {
	case "filter":
		err = ValidateFilter(d.Text)
	case "expression":
		err = ValidateMappingExpression(d.Text)
	case "guard_expression":
		err = ValidateGuardExpression(d.Text)
	default:
		return jobs.Judgement{}, jobs.Invalid("attribute", fmt.Sprintf("The attribute %q holds no filter and no expression", d.Attribute),
			"only the attributes filter, expression and guard_expression are checked", "Give one of them")
	}
	j := jobs.Judgement{Arbiter: jobs.ArbiterEmbedded}
	if err != nil {
		j.Refusal = jobs.FailureOf(err)
	}
	return j, nil
}

// EveryEventPasses tells that a guard is empty, so that there is nothing to check.
func EveryEventPasses(guard string) bool { return strings.TrimSpace(guard) == "" }
