package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// jobStateVersion is the version of the schema of both jobs. Version 0 had all
// attributes of a run in last_run, and null for no triggers.
const jobStateVersion = 1

var _ resource.ResourceWithUpgradeState = (*jobResource)(nil)

// UpgradeState reads state of earlier versions of the schema.
func (r *jobResource) UpgradeState(ctx context.Context) map[int64]resource.StateUpgrader {
	upgrade := func(_ context.Context, req resource.UpgradeStateRequest, resp *resource.UpgradeStateResponse) {
		upgraded, err := r.upgradeFromVersion0(ctx, req.RawState)
		if err != nil {
			resp.Diagnostics.AddError("The state of an earlier release cannot be read",
				fmt.Sprintf("%v. Restore the state from a backup, or remove the job from state and import it again by its id: nothing is lost "+
					"in the store.", err))
			return
		}
		resp.DynamicValue = upgraded
	}
	return map[int64]resource.StateUpgrader{0: {StateUpgrader: upgrade}}
}

// upgradeFromVersion0 reads what both versions have. Attributes that only version 0
// had are left out.
func (r *jobResource) upgradeFromVersion0(ctx context.Context, raw *tfprotov6.RawState) (*tfprotov6.DynamicValue, error) {
	state := map[string]any{}
	numbers := json.NewDecoder(bytes.NewReader(raw.JSON))
	numbers.UseNumber()
	if err := numbers.Decode(&state); err != nil {
		return nil, err
	}
	if state["triggers"] == nil {
		state["triggers"] = map[string]any{}
	}
	document, err := json.Marshal(state)
	if err != nil {
		return nil, err
	}
	typ := r.kind.schema(ctx).Type().TerraformType(ctx)
	v, err := (&tfprotov6.RawState{JSON: document}).UnmarshalWithOpts(typ, tfprotov6.UnmarshalOpts{
		ValueFromJSONOpts: tftypes.ValueFromJSONOpts{IgnoreUndefinedAttributes: true},
	})
	if err != nil {
		return nil, err
	}
	d, err := tfprotov6.NewDynamicValue(typ, v)
	return &d, err
}
