package exporter

import (
	"context"
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// checkShrink refuses a replacement that would take away more of the target's rows than
// max_shrink_percent allows: the audience may have lost its profiles by mistake. rows is
// the number of new rows.
func (e *Export) checkShrink(ctx context.Context, rows int64, before existingTable) error {
	limit := e.Spec.MaxShrinkPercent
	if limit == nil || !before.exists {
		return nil
	}
	e.Progress.Phase("comparing the number of rows", 0)
	old, err := e.countRows(ctx, e.targetSQL)
	if err != nil || (old-rows)*100 <= *limit*old {
		return err
	}
	return &jobs.Error{
		Code: jobs.CodeFailed, Attribute: "max_shrink_percent",
		Summary: fmt.Sprintf("The export would shrink %s from %s to %s rows", e.target(), humanize.Comma(old), humanize.Comma(rows)),
		Detail: fmt.Sprintf("That takes away %.1f %% of the rows, and max_shrink_percent is %d. The table was not changed.",
			float64(old-rows)*100/float64(old), *limit),
		Next: "Look why the audience has so few profiles: its filter, and the imports and mappings that feed it. " +
			"If the small table is right, raise max_shrink_percent or remove it for this run",
	}
}
