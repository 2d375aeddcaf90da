package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Deferred actions are an experiment of Terraform: a client that allows them asks again
// in a later plan. Here they take the place of the error that there is while the
// provider's configuration is not known. Resources are planned without the store, so they
// need none.

// deferRead defers the read of a data source, if the client allows it.
func deferRead(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) bool {
	if !req.ClientCapabilities.DeferralAllowed {
		return false
	}
	resp.Deferred = &datasource.Deferred{Reason: datasource.DeferredReasonProviderConfigUnknown}
	resp.State.Raw = tftypes.NewValue(resp.State.Schema.Type().TerraformType(ctx), tftypes.UnknownValue)
	return true
}

// deferImport defers an import, if the client allows it.
func deferImport(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) bool {
	if !req.ClientCapabilities.DeferralAllowed {
		return false
	}
	resp.Deferred = &resource.Deferred{Reason: resource.DeferredReasonProviderConfigUnknown}
	resp.State.Raw = tftypes.NewValue(resp.State.Schema.Type().TerraformType(ctx), tftypes.UnknownValue)
	return true
}
