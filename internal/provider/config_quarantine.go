package provider

import (
	"context"
	"math"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
)

type quarantineModel struct {
	MaxRows  types.Int64 `tfsdk:"max_rows"`
	KeepDays types.Int64 `tfsdk:"keep_days"`
}

func quarantineSchema() schema.Attribute {
	positive := []validator.Int64{int64validator.Between(1, math.MaxInt32)}
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Bounds of the quarantine, which keeps the rows that the platform rejected: they are customer data. " +
			"See *Rejected rows* in the guide to exact imports.",
		Attributes: map[string]schema.Attribute{
			"max_rows": schema.Int64Attribute{
				Optional: true, Validators: positive,
				MarkdownDescription: "Maximum number of rows of one import; the oldest rows above it are removed, which the run reports. " +
					"Default 10000. Environment: `LYTICS_QUARANTINE_MAX_ROWS`.",
			},
			"keep_days": schema.Int64Attribute{
				Optional: true, Validators: positive,
				MarkdownDescription: "Days after which a row is removed. Default 30. Environment: `LYTICS_QUARANTINE_KEEP_DAYS`.",
			},
		},
	}
}

// quarantine reads the bounds of the quarantine.
func (r *configReader) quarantine(ctx context.Context, v types.Object) *config.Quarantine {
	if v.IsNull() {
		return nil
	}
	m := decode[quarantineModel](ctx, r, v)
	if v.IsUnknown() || m.MaxRows.IsUnknown() || m.KeepDays.IsUnknown() {
		r.unknown = append(r.unknown, "quarantine")
	}
	return &config.Quarantine{MaxRows: int(m.MaxRows.ValueInt64()), KeepDays: int(m.KeepDays.ValueInt64())}
}
