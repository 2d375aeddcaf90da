package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// resourceBase is the part that all resources share.
type resourceBase struct{ session *session }

// Configure takes the session; it is nil while Terraform only validates.
func (m *resourceBase) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if s, ok := req.ProviderData.(*session); ok {
		m.session = s
	}
}

// ImportState takes the id; Read does the rest, and marks the store.
func (m *resourceBase) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if _, err := m.session.connect(ctx); err != nil {
		addError(&resp.Diagnostics, nowhere, "import "+req.ID, err)
		return
	}
	resource.ImportStatePassthroughID(ctx, path.Root("id"), req, resp)
}

// forRead gives the API for a refresh, and whether the object was imported just
// now. The API is nil when there is nothing to do: while the configuration is
// unknown, state is kept unread.
func (m *resourceBase) forRead(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) (api jobs.API, imported bool) {
	if !m.session.known() {
		return nil, false
	}
	was, _ := req.Private.GetKey(ctx, storeKey)
	api, info := m.session.forExisting(ctx, req.Private, &resp.Diagnostics)
	if api != nil {
		mark(ctx, resp.Private, info.ID, &resp.Diagnostics)
	}
	return api, was == nil
}

// readFailed deals with an error of a read: only "not found" in the right
// store removes an object from state.
func readFailed(ctx context.Context, resp *resource.ReadResponse, what string, err error) {
	if jobs.IsCode(err, jobs.CodeNotFound) {
		resp.State.RemoveResource(ctx)
		return
	}
	addError(&resp.Diagnostics, place{schema: resp.State.Schema.Type()}, "read "+what, err)
}

// deleteFailed deals with an error of a delete: what is gone already is deleted.
func deleteFailed(resp *resource.DeleteResponse, what string, err error) {
	if err == nil || jobs.IsCode(err, jobs.CodeNotFound) {
		return
	}
	addError(&resp.Diagnostics, nowhere, "delete "+what, err)
}

// idIn reads the id of a state.
func idIn(ctx context.Context, s tfsdk.State, diags *diag.Diagnostics) string {
	var v types.String
	diags.Append(s.GetAttribute(ctx, path.Root("id"), &v)...)
	return v.ValueString()
}

// describe names an object in messages.
func describe(noun, id string) string { return fmt.Sprintf("%s %s", noun, id) }
