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

// place says where in a configuration an error may point to.
type place struct {
	// schema is the object's type; an attribute that is not in it belongs to
	// another object.
	schema attr.Type
	// via names the attribute through which such an object is reached, by the
	// other object's attribute.
	via map[string]string
}

// others sends errors about a job's authorization or audience to the attribute
// that names it.
var others = map[string]string{
	"host": "authorization_id", "port": "authorization_id", "http_path": "authorization_id",
	"token_wo": "authorization_id", "token_wo_version": "authorization_id", "token_env": "authorization_id",
	"filter": "audience_id", "slug": "audience_id",
}

// nowhere is the place of errors that concern no attribute.
var nowhere = place{}

// asError gives err as a *jobs.Error, whatever it is.
func asError(err error, doing string) *jobs.Error {
	if e, ok := errors.AsType[*jobs.Error](err); ok {
		return e
	}
	return &jobs.Error{Code: jobs.CodeFailed, Summary: "Could not " + doing, Detail: err.Error(), Err: err}
}

// addError turns an error of the product into a diagnostic: its summary, why,
// and the next step, at the attribute it names.
func addError(diags *diag.Diagnostics, at place, doing string, err error) {
	e := asError(err, doing)
	at.add(diags, diag.SeverityError, e.Attribute, e.Summary, paragraphs(e.Detail, e.Next))
}

// addErrors adds a diagnostic for each of the errors that errors.Join joined.
func addErrors(diags *diag.Diagnostics, at place, doing string, err error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		addError(diags, at, doing, err)
		return
	}
	for _, e := range joined.Unwrap() {
		addErrors(diags, at, doing, e)
	}
}

// add makes a diagnostic at a dotted attribute name.
func (at place) add(diags *diag.Diagnostics, severity diag.Severity, attribute, summary, detail string) {
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

// find gives the path of a dotted attribute name ("schedule.time_of_day",
// "fields.2"), if the schema has it. Inside a nested object the path stops at
// the object: Terraform cannot show a line for more, and would show the
// resource's first line instead.
func (at place) find(attribute string) (path.Path, bool) {
	if attribute == "" || at.schema == nil {
		return path.Path{}, false
	}
	t := at.schema
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

// paragraphs joins what is not empty.
func paragraphs(parts ...string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "\n\n")
}
