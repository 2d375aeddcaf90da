package jobs

import (
	"fmt"
	"strconv"
	"strings"
)

// ObjectKind is a kind of object of the platform: field, mapping or audience.
type ObjectKind string

// The kinds.
const (
	KindField    ObjectKind = "field"
	KindMapping  ObjectKind = "mapping"
	KindAudience ObjectKind = "audience"
)

// Owner names the resource that a call is made for: a random text that the
// resource keeps in its private state. It is empty for a caller that keeps none,
// such as a provider of an earlier release; such a caller changes only what belongs
// to no resource.
type Owner string

// Object is the definition of one object of the platform. One of its fields is set.
type Object struct {
	Field    *Field
	Mapping  *Mapping
	Audience *Audience
}

// ClaimReason says why a resource claims an object.
type ClaimReason string

// The reasons.
const (
	// ClaimByOwner: a state file holds the object, and this owner with it.
	ClaimByOwner ClaimReason = "owner"
	// ClaimByState: a state file of an earlier release holds the object, without an
	// owner. The owner is new.
	ClaimByState ClaimReason = "state"
	// ClaimByImport: the object is imported. The owner is new.
	ClaimByImport ClaimReason = "import"
)

// Claim asks to whom an object belongs, and takes it where the reason allows that.
type Claim struct {
	Kind   ObjectKind  `json:"kind" doc:"field, mapping or audience."`
	ID     string      `json:"id" doc:"The object's id."`
	Owner  Owner       `json:"owner" doc:"The resource that claims it."`
	Reason ClaimReason `json:"reason" doc:"owner: a state file holds the owner. state: a state file of an earlier release holds the object. import: the object is imported."`
}

// Ownership answers a Claim.
type Ownership string

// The answers.
const (
	// OwnershipOwn: the object belongs to the resource that asks. If it asks with a
	// new owner, that is so once it asks again: until then no state file is known to
	// hold the new owner.
	OwnershipOwn Ownership = "own"
	// OwnershipTaken is OwnershipOwn of an object that another resource of this store
	// owned until now.
	OwnershipTaken Ownership = "taken"
	// OwnershipOther: the object belongs to another resource of this store.
	OwnershipOther Ownership = "other"
)

// ExistsError refuses to create an object that is there already: only an import
// takes over what a resource did not create. otherwise completes "or" in the advice.
func ExistsError(kind ObjectKind, id, attribute, summary, detail, otherwise string) *Error {
	return &Error{
		Code:      CodeConflict,
		Attribute: attribute,
		Summary:   summary,
		Detail:    detail,
		Next: fmt.Sprintf(
			"To manage the existing %s with this resource, add this block, with the name of the resource, and apply again; or %s\n\n"+
				"  import {\n    to = lytics_%s.NAME\n    id = %s\n  }",
			kind,
			otherwise,
			kind,
			hclString(id),
		),
	}
}

// hclString quotes a text as a literal of Terraform's language.
func hclString(text string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(strconv.Quote(text))
}

// NotOwnedError refuses a change of an object that belongs to another resource.
func NotOwnedError(kind ObjectKind, id, doing string) *Error {
	return &Error{
		Code: CodeNotOwned, Attribute: "id",
		Summary: fmt.Sprintf("The %s %s belongs to another resource and was not %s", kind, id, doing),
		Detail: "Another resource of this store owns it: it created or imported it, in this configuration or in another workspace. " +
			"Two resources for one object would undo each other's changes.",
		Next: fmt.Sprintf("Remove the %s from this state with terraform state rm and from this configuration; or take it over: "+
			"terraform state rm, then an import block with id = %s", kind, hclString(id)),
	}
}
