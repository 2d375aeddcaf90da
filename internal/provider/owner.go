package provider

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// privateOwnerKey is the key in private state of the owner that a resource is to the
// store. State of an earlier release has none.
const privateOwnerKey = "owner"

type ownerReference struct {
	ID jobs.Owner `json:"id"`
}

// newOwner makes an owner that no other resource has.
func newOwner() jobs.Owner { return jobs.Owner("own_" + strings.ToLower(rand.Text())) }

func rememberOwner(ctx context.Context, private privateWriter, owner jobs.Owner, diags *diag.Diagnostics) {
	raw, err := json.Marshal(ownerReference{ID: owner})
	if err != nil {
		diags.AddError("The owner of the object cannot be saved in state", err.Error())
		return
	}
	diags.Append(private.SetKey(ctx, privateOwnerKey, raw)...)
}

func ownerFromPrivate(ctx context.Context, private privateReader, diags *diag.Diagnostics) jobs.Owner {
	raw, d := private.GetKey(ctx, privateOwnerKey)
	diags.Append(d...)
	var o ownerReference
	if raw == nil {
		return ""
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		diags.AddError("The state does not say which resource owns the object",
			fmt.Sprintf("The provider's private state cannot be read: %v. Restore the state from a backup.", err))
	}
	return o.ID
}
