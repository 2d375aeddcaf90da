package provider

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// attributeTarget is the object whose attributes a diagnostic can point to.
type attributeTarget struct {
	// objectType is the object's type. An attribute that it does not have belongs
	// to another object.
	objectType attr.Type
	// via maps an attribute of another object to the attribute of this one that
	// refers to that object.
	via map[string]string
}

// attributeOfReference maps the attributes of a job's authorization and audience
// to the job's attribute that refers to them.
var attributeOfReference = map[string]string{
	"host": "authorization_id", "port": "authorization_id", "http_path": "authorization_id",
	"token_wo": "authorization_id", "token_wo_version": "authorization_id", "token_env": "authorization_id",
	"client_secret_wo": "authorization_id", "auth_type": "authorization_id", "ca_file": "authorization_id",
	"filter": "audience_id", "slug": "audience_id",
}

// noAttribute is for errors that concern no attribute.
var noAttribute = attributeTarget{}

// toJobsError returns the *jobs.Error in err, or makes one. doing completes "Could not".
func toJobsError(err error, doing string) *jobs.Error {
	if e, ok := errors.AsType[*jobs.Error](err); ok {
		return e
	}
	return &jobs.Error{Code: jobs.CodeFailed, Summary: "Could not " + doing, Detail: err.Error(), Err: err}
}

// addError adds an error as a diagnostic at the attribute it names. doing
// completes "Could not" for errors that have no summary of their own.
func addError(diags *diag.Diagnostics, at attributeTarget, doing string, err error) {
	e := toJobsError(err, doing)
	at.add(diags, diag.SeverityError, e.Attribute, e.Summary, paragraphs(e.Detail, e.Next))
}

// addWarnings adds a warning for each failure.
func addWarnings(diags *diag.Diagnostics, at attributeTarget, failures []jobs.Failure) {
	for _, f := range failures {
		at.add(diags, diag.SeverityWarning, f.Attribute, f.Summary, paragraphs(f.Detail, f.Next))
	}
}

// addErrors adds a diagnostic for each of the errors that errors.Join joined.
func addErrors(diags *diag.Diagnostics, at attributeTarget, doing string, err error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		addError(diags, at, doing, err)
		return
	}
	for _, e := range joined.Unwrap() {
		addErrors(diags, at, doing, e)
	}
}

// add adds a diagnostic at a dotted attribute name.
func (at attributeTarget) add(diags *diag.Diagnostics, severity diag.Severity, attribute, summary, detail string) {
	p, ok := at.find(attribute)
	if attribute != "" && p.String() != attribute {
		detail = paragraphs(detail, fmt.Sprintf("The attribute at fault is %s.", attribute))
	}
	if !ok {
		p, ok = at.find(at.via[attribute])
	}
	switch {
	case ok && severity == diag.SeverityWarning:
		diags.AddAttributeWarning(p, summary, detail)
	case ok:
		diags.AddAttributeError(p, summary, detail)
	case severity == diag.SeverityWarning:
		diags.AddWarning(summary, detail)
	default:
		diags.AddError(summary, detail)
	}
}

// find returns the path of a dotted attribute name ("schedule.time_of_day",
// "fields.2"), if the object has it. The path ends at a nested object: for a
// longer path Terraform finds no line, and shows the resource's first line.
func (at attributeTarget) find(attribute string) (path.Path, bool) {
	if attribute == "" || at.objectType == nil {
		return path.Path{}, false
	}
	t := at.objectType
	p, deep := path.Empty(), false
	for _, name := range strings.Split(attribute, ".") {
		switch c := t.(type) {
		case attr.TypeWithAttributeTypes:
			inner, ok := c.AttributeTypes()[name]
			if !ok {
				return path.Path{}, false
			}
			t = inner
			if len(p.Steps()) == 0 {
				p = p.AtName(name)
			} else {
				deep = true
			}
		case attr.TypeWithElementType:
			t = c.ElementType()
			if deep {
				continue
			}
			if i, err := strconv.Atoi(name); err == nil {
				p = p.AtListIndex(i)
			} else {
				p = p.AtMapKey(name)
			}
		default:
			return path.Path{}, false
		}
	}
	return p, true
}

// paragraphs joins the parts that are not empty.
func paragraphs(parts ...string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "\n\n")
}
