package lytics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Profile gives the profile that has an identity, as Lytics has it now.
func (p *Platform) Profile(ctx context.Context, id jobs.Identity) (jobs.Profile, error) {
	fields, err := p.Fields(ctx)
	if err != nil {
		return nil, err
	}
	return p.lookUp(ctx, "Cannot look up a profile by "+id.Field, fields, id)
}

func (p *Platform) lookUp(ctx context.Context, summary string, fields []jobs.Field, id jobs.Identity) (jobs.Profile, error) {
	if !slices.ContainsFunc(fields, func(f jobs.Field) bool { return f.ID == id.Field && f.IsIdentifier }) {
		var identifiers []string
		for _, f := range fields {
			if f.IsIdentifier {
				identifiers = append(identifiers, f.ID)
			}
		}
		return nil, jobs.Invalid("field", fmt.Sprintf("Field %q is not an identifier", id.Field),
			fmt.Sprintf("the identifiers are %q", identifiers), "Name one of them")
	}
	if isDotSegment(id.Value) || id.Value == "" {
		return nil, noProfile(id)
	}
	c := p.get(summary, entityAddress(id))
	c.private, c.object = true, [2]string{"profile", id.Field}
	answer, err := p.do(ctx, c)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return nil, noProfile(id)
	}
	if err != nil {
		return nil, err
	}
	return profileOf(c, id, fields, answer)
}

// profileOf reads the answer. For a user that does not exist, Lytics may also
// answer 200 with a substitute profile, whose segments include "not_found".
// Nothing else means that there is none: an erasure would be taken for done.
func profileOf(c call, id jobs.Identity, fields []jobs.Field, answer []byte) (jobs.Profile, error) {
	summary := c.summary
	message := gjson.GetBytes(answer, "message").String()
	data := map[string]gjson.Result{}
	substitute := false
	gjson.GetBytes(answer, "data").ForEach(func(k, v gjson.Result) bool {
		data[k.Str] = v
		if k.Str == "segments" {
			substitute = slices.ContainsFunc(v.Array(), func(s gjson.Result) bool { return s.Str == "not_found" })
		}
		return true
	})
	if strings.EqualFold(message, "timed out") {
		return nil, &jobs.Error{Code: jobs.CodeTimeout, Summary: summary, Detail: "Lytics did not find it in its own time", Next: "Try it again"}
	}
	if substitute || strings.EqualFold(message, "not found") {
		return nil, noProfile(id)
	}
	if len(data) == 0 || !gjson.GetBytes(answer, "data").IsObject() {
		return nil, c.malformed(errors.New("it has no profile, and does not say that there is none"))
	}
	profile := jobs.Profile{}
	for _, f := range fields {
		v, ok := data[f.ID]
		if !ok || v.Type == gjson.Null {
			continue
		}
		cell, ok := render(v, f.Type)
		if !ok {
			return nil, &jobs.Error{
				Code: jobs.CodeFailed, Summary: summary, Detail: fmt.Sprintf("it has a value in field %q that is no %s", f.ID, f.Type),
				Next: "Correct the type of the field",
			}
		}
		if !cell.Null {
			profile[f.ID] = cell
		}
	}
	return profile, nil
}

// noProfile does not repeat the value, because it is personal data.
func noProfile(id jobs.Identity) error {
	return &jobs.Error{
		Code: jobs.CodeNotFound, Attribute: "value", Summary: fmt.Sprintf("There is no profile of that %s", id.Field),
		Detail: "values are compared as profiles have them, after the mapping", Next: "Check the value",
	}
}
