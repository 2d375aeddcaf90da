package lytics

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// row converts a profile of a page. A profile only has the fields that it has values
// for.
func (s *scan) row(profile gjson.Result) (profileRow, error) {
	fields := map[string]gjson.Result{}
	profile.ForEach(func(k, v gjson.Result) bool {
		if s.wanted[k.Str] {
			fields[k.Str] = v
		}
		return true
	})
	r := profileRow{cells: make([]jobs.Value, len(s.columns))}
	var err error
	if r.key, err = s.key(fields); err != nil {
		return r, err
	}
	for i, f := range s.columns {
		v, ok := fields[f.ID]
		if !ok || v.Type == gjson.Null {
			r.cells[i].Null = true
			continue
		}
		if r.cells[i], ok = render(v, f.Type); !ok {
			return r, &jobs.Error{
				Code:    jobs.CodeFailed,
				Summary: s.summary,
				Detail:  fmt.Sprintf("a profile has a value in field %q that is not of type %s", f.ID, f.Type),
				Next:    "Correct the type of the field, or leave the field out",
			}
		}
	}
	return r, nil
}

// key identifies the profile: by its _id, or by its identifiers.
func (s *scan) key(fields map[string]gjson.Result) (string, error) {
	if id := fields["_id"]; id.Type == gjson.String && id.Str != "" {
		return "id " + id.Str, nil
	}
	h := sha256.New()
	hasIdentifier := false
	for _, name := range s.identifiers {
		v := value.FromJSON(fields[name])
		if v.IsNull() {
			continue
		}
		hasIdentifier = true
		text := v.AppendJSON(value.AppendJSONString(nil, name))
		h.Write(append(text, '\n'))
	}
	if !hasIdentifier {
		return "", &jobs.Error{
			Code: jobs.CodeFailed, Summary: s.summary,
			Detail: "a profile has neither an _id nor a value in an identifier, so it cannot be identified",
			Next:   "Narrow the filter to profiles with an identifier, such as EXISTS email",
		}
	}
	return "of " + hex.EncodeToString(h.Sum(nil)), nil
}

// render returns the exact text of a value. Lytics may write numbers and booleans as
// strings. A value of a type that this package does not know keeps its JSON.
func render(v gjson.Result, typeName string) (jobs.Value, bool) {
	t, ok := value.ParseType(typeName)
	if !ok {
		if v.Type == gjson.String {
			return jobs.Value{Text: v.Str}, true
		}
		return jobs.Value{Text: v.Raw}, true
	}
	out, failed := t.Convert(value.FromJSON(v))
	if failed {
		return jobs.Value{}, false
	}
	return jobs.Value{Text: out.Text(), Null: out.IsNull()}, true
}
