package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// readLookback parses a duration. It refuses one that is finer than a timestamp,
// which has microseconds.
func readLookback(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not a duration: write for example \"24h\", \"90m\" or \"0s\"", text)
	case d < 0:
		return 0, fmt.Errorf("%q is negative: give at least \"0s\"", text)
	case d%time.Microsecond != 0:
		return 0, fmt.Errorf("%q is finer than a microsecond, which timestamps cannot show", text)
	}
	return d, nil
}

func lookback() validator.String {
	return stringRule{rule: "a duration such as 24h", check: func(s string) error {
		_, err := readLookback(s)
		return err
	}}
}

// readExpectedEvery parses a duration in whole seconds.
func readExpectedEvery(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not a duration: write for example \"26h\" or \"90m\"", text)
	case d < jobs.MinExpectedEvery || d > jobs.MaxExpectedEvery:
		return 0, fmt.Errorf("%q is too short or too long: give \"%s\" to \"%s\"", text, jobs.ShortDuration(jobs.MinExpectedEvery),
			jobs.ShortDuration(jobs.MaxExpectedEvery))
	case d%time.Second != 0:
		return 0, fmt.Errorf("%q is not in whole seconds", text)
	}
	return d, nil
}

func expectedEvery() validator.String {
	return stringRule{rule: "a duration such as 26h", check: func(s string) error {
		_, err := readExpectedEvery(s)
		return err
	}}
}

// expectedEveryValue shows the stored duration; 0 is null.
func expectedEveryValue(written types.String, d time.Duration) types.String {
	if d == 0 {
		return types.StringNull()
	}
	return durationValue(written, d)
}

// durationValue shows a duration, and keeps the written text if it means the same.
func durationValue(written types.String, d time.Duration) types.String {
	if was, err := time.ParseDuration(written.ValueString()); err == nil && was == d {
		return written
	}
	return types.StringValue(jobs.ShortDuration(d))
}

// sameDuration keeps the value in state if the configuration writes the same
// duration in another way. The store has the duration, not its text.
type sameDuration struct{}

func (sameDuration) Description(context.Context) string {
	return "the same duration written in another way is no change"
}

func (s sameDuration) MarkdownDescription(ctx context.Context) string { return s.Description(ctx) }

func (sameDuration) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.StateValue.IsNull() || req.PlanValue.IsNull() || req.PlanValue.IsUnknown() {
		return
	}
	was, err := time.ParseDuration(req.StateValue.ValueString())
	if planned, other := time.ParseDuration(req.PlanValue.ValueString()); err == nil && other == nil && was == planned {
		resp.PlanValue = req.StateValue
	}
}
