package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// resourceBase is the part that all resources share.
type resourceBase struct {
	session  *session
	identity resourceIdentity
}

// Configure receives the session. There is none while Terraform validates.
func (m *resourceBase) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if s, ok := req.ProviderData.(*session); ok {
		m.session = s
	}
}

// ImportState sets the id, which it finds by the identity if the import block has one.
// The Read that follows sets the rest, and remembers the store.
func (m *resourceBase) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if !m.session.known() && deferImport(ctx, req, resp) {
		return
	}
	id, given := req.ID, givenIdentity(req.Identity)
	api, err := m.session.connect(ctx)
	if err == nil && id == "" {
		id, err = m.identity.find(ctx, api, given)
	}
	if err == nil && strings.HasPrefix(id, jobs.LyticsIDPrefix) {
		// The object is in Lytics, whether or not there is a store yet.
		_, err = api.Store(ctx, true)
	}
	if err != nil {
		addError(&resp.Diagnostics, noAttribute, "import "+valueOr(req.ID, describeIdentity(given)), err)
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id)...)
}

// openForRead returns the API for a refresh, and whether the object was just
// imported. The API is nil if state has to stay as it is: after an error, and
// while it is not known which store is meant.
func (m *resourceBase) openForRead(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) (api jobs.API,
	imported bool) {
	m.keepIdentity(ctx, req, resp)
	if !m.session.known() {
		return nil, false
	}
	was, _ := req.Private.GetKey(ctx, privateStoreKey)
	var found diag.Diagnostics
	api, info := m.session.openForExisting(ctx, req.Private, &found)
	m.session.showOnce(found, &resp.Diagnostics)
	if api != nil {
		rememberStore(ctx, resp.Private, info.ID, &resp.Diagnostics)
	}
	return api, was == nil
}

// addReadError handles an error of a read. Only "not found" in the right store
// removes an object from state.
func addReadError(ctx context.Context, resp *resource.ReadResponse, what string, err error) {
	if jobs.IsCode(err, jobs.CodeNotFound) {
		resp.State.RemoveResource(ctx)
		return
	}
	addError(&resp.Diagnostics, attributeTarget{objectType: resp.State.Schema.Type()}, "read "+what, err)
}

// addDeleteError handles an error of a delete. An object that does not exist
// counts as deleted.
func addDeleteError(resp *resource.DeleteResponse, what string, err error) {
	if err == nil || jobs.IsCode(err, jobs.CodeNotFound) {
		return
	}
	addError(&resp.Diagnostics, noAttribute, "delete "+what, err)
}

// idFromState reads the object's id.
func idFromState(ctx context.Context, s tfsdk.State, diags *diag.Diagnostics) string {
	var v types.String
	diags.Append(s.GetAttribute(ctx, path.Root("id"), &v)...)
	return v.ValueString()
}

// nounWithID names an object in messages.
func nounWithID(noun, id string) string { return fmt.Sprintf("%s %s", noun, id) }

// confirmInState tells the store that state has an object. A runner's token with the role
// read may plan, and not confirm: the next apply does that.
func confirmInState(ctx context.Context, api jobs.API, id string) error {
	err := api.Confirm(ctx, id)
	if jobs.IsCode(err, jobs.CodeForbidden) {
		return nil
	}
	return err
}
