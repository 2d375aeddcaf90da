package lytics

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
)

// fieldOf converts a field of the API.
func fieldOf(r raw) (jobs.Field, error) {
	var f struct {
		ID           string `json:"id"`
		Type         string `json:"type"`
		Description  string `json:"shortdesc"`
		IsIdentifier bool   `json:"is_identifier"`
		IsPII        bool   `json:"is_pii"`
		Merge        string `json:"mergeop"`
		Capacity     int64  `json:"capacity"`
		KeepDays     int64  `json:"keep_days"`
	}
	text, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		return jobs.Field{}, &jobs.Error{
			Code: jobs.CodeUnreachable, Summary: fmt.Sprintf("Field %q cannot be read", r.text("id")),
			Detail: "it is not what the API describes: " + err.Error(), Next: "This release may be too old for the API", Err: err,
		}
	}
	if f.IsIdentifier {
		// Lytics fills in an operation that a field cannot be written with.
		f.Merge = ""
	}
	return platform.NormalizeField(jobs.Field{
		ID: f.ID, Description: f.Description, Type: f.Type, IsIdentifier: f.IsIdentifier, IsPII: f.IsPII,
		MergeOperation: f.Merge, Capacity: f.Capacity, KeepDays: f.KeepDays,
	}), nil
}

// over returns the field of the API with the declared attributes written over it. It
// keeps attributes that this program does not know.
func over(r raw, f jobs.Field) raw {
	// keep_duration has to agree with keep_days, and says the same.
	r = r.without(append(serverKeys, "keep_duration", "mergeop")...)
	if r == nil {
		r = raw{}
	}
	r.set("id", f.ID)
	r.set("type", f.Type)
	r.set("shortdesc", f.Description)
	r.set("is_identifier", f.IsIdentifier)
	r.set("is_pii", f.IsPII)
	// Lytics refuses a field with both: "Identifier Field cannot define a Merge
	// Operation."
	if !f.IsIdentifier {
		r.set("mergeop", f.MergeOperation)
	}
	r.set("capacity", f.Capacity)
	r.set("keep_days", f.KeepDays)
	return r
}

// CreateField defines a field. It refuses an id that is taken, in the draft of the
// schema too.
func (p *Platform) CreateField(ctx context.Context, f jobs.Field) (jobs.Field, error) {
	if err := platform.ValidateField(f); err != nil {
		return jobs.Field{}, err
	}
	f = platform.NormalizeField(f)
	summary := "Cannot create field " + f.ID
	p.schema.Lock()
	defer p.schema.Unlock()
	s, err := p.loadSchema(ctx, summary)
	if err != nil {
		return jobs.Field{}, err
	}
	if r, ok := s.field(f.ID); ok {
		old, err := fieldOf(r)
		switch {
		case err != nil:
			return jobs.Field{}, err
		case old.ID != f.ID:
			return jobs.Field{}, &jobs.Error{
				Code: jobs.CodeConflict, Attribute: "id", Summary: fmt.Sprintf("Field %q cannot be created beside field %q", f.ID, old.ID),
				Detail: "ids are columns of exported tables, where names that differ only by case are one", Next: "Choose another id",
			}
		}
		return jobs.Field{}, platform.FieldExists(old)
	}
	return p.writeField(ctx, s, summary, nil, f)
}

// writeField writes a field over what the API has of it, and compares what Lytics
// keeps of it before that is published.
func (p *Platform) writeField(ctx context.Context, s *schemaState, summary string, r raw, f jobs.Field) (jobs.Field, error) {
	kept := func(out raw) error {
		if _, shown := out["id"]; !shown {
			return nil // the answer does not show the field
		}
		got, err := fieldOf(out)
		if err != nil || got == f {
			return err
		}
		return &jobs.Error{
			Code: jobs.CodeFailed, Summary: summary,
			Detail: fmt.Sprintf("Lytics keeps another field than the one it was sent: %+v in place of %+v. Nothing was published.", got, f),
			Next:   "Write the field as Lytics keeps it",
		}
	}
	_, err := p.changeSchema(ctx, schemaChange{summary: summary, kind: "field", id: f.ID, state: s, body: over(r, f), kept: kept})
	return f, err
}

// PutField changes the definition of a field.
func (p *Platform) PutField(ctx context.Context, f jobs.Field) (jobs.Field, error) {
	if err := platform.ValidateField(f); err != nil {
		return jobs.Field{}, err
	}
	f = platform.NormalizeField(f)
	summary := "Cannot change field " + f.ID
	p.schema.Lock()
	defer p.schema.Unlock()
	s, err := p.loadSchema(ctx, summary)
	if err != nil {
		return jobs.Field{}, err
	}
	r, ok := s.field(f.ID)
	if !ok || r.text("id") != f.ID {
		return jobs.Field{}, notFound("field", f.ID)
	}
	for _, m := range s.fedBy(f.ID) {
		if err := platform.ValidateExpressionType(m.text("expr"), f); err != nil && hasKnownFunctions(m) {
			return jobs.Field{}, jobs.Invalid(
				"type",
				fmt.Sprintf("Field %q cannot become %s", f.ID, f.Type),
				fmt.Sprintf(
					"mapping %s from stream %s feeds it %s: %v",
					m.text("id"),
					m.text("stream"),
					m.text("expr"),
					err,
				),
				"Change the mapping first",
			)
		}
	}
	return p.writeField(ctx, s, summary, r, f)
}

// hasKnownFunctions reports whether the embedded language has every function of
// the mapping. Lytics has more, and only Lytics can tell whether those fit.
func hasKnownFunctions(m raw) bool { return platform.ValidateMappingExpression(m.text("expr")) == nil }

// fedBy lists the mappings that feed a field.
func (s *schemaState) fedBy(id string) []raw {
	return slices.DeleteFunc(slices.Clone(s.mappings), func(r raw) bool { return r.deleted() || r.text("field") != id })
}

// Field gives a field's definition.
func (p *Platform) Field(ctx context.Context, id string) (jobs.Field, error) {
	c := p.get("Cannot read field "+id, schemaPath+"/field/"+url.PathEscape(id))
	c.object = [2]string{"field", id}
	var r raw
	if err := p.checked(ctx, c, &r, func() error { return fieldShape.checkID(r, id) }); err != nil {
		return jobs.Field{}, err
	}
	if r.deleted() || r.text("id") != id {
		return jobs.Field{}, notFound("field", id)
	}
	return fieldOf(r)
}

// Fields lists all fields by id.
func (p *Platform) Fields(ctx context.Context) ([]jobs.Field, error) {
	var all []raw
	c := p.get("Cannot read the fields", schemaPath+"/field")
	if err := p.checked(ctx, c, &all, func() error { return fieldShape.checkAll(all) }); err != nil {
		return nil, err
	}
	var list []jobs.Field
	for _, r := range all {
		if r.deleted() {
			continue
		}
		f, err := fieldOf(r)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b jobs.Field) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}

// DeleteField refuses while mappings feed the field. Deleting what is not there
// is no error.
func (p *Platform) DeleteField(ctx context.Context, id string) error {
	summary := "Cannot delete field " + id
	p.schema.Lock()
	defer p.schema.Unlock()
	s, err := p.loadSchema(ctx, summary)
	if err != nil {
		return err
	}
	if users := s.fedBy(id); len(users) > 0 {
		names := make([]string, len(users))
		for i, m := range users {
			names[i] = fmt.Sprintf("%s (stream %s)", m.text("id"), m.text("stream"))
		}
		return &jobs.Error{
			Code: jobs.CodeInUse, Summary: fmt.Sprintf("Field %q cannot be deleted", id),
			Detail: "mappings feed it: " + strings.Join(names, ", "), Next: "Delete the mappings first",
		}
	}
	return p.deleteObject(ctx, s, summary, "field", s.fields, id)
}

// deleteObject deletes an object, if the draft has it, and publishes the deletion. An
// object that is marked as deleted in the draft is published as well.
func (p *Platform) deleteObject(ctx context.Context, s *schemaState, summary, kind string, list []raw, id string) error {
	i := slices.IndexFunc(list, func(r raw) bool { return r.text("id") == id })
	if i < 0 {
		return nil
	}
	_, err := p.changeSchema(ctx, schemaChange{summary: summary, kind: kind, id: id, state: s})
	return err
}

func notFound(kind, id string) error {
	return &jobs.Error{Code: jobs.CodeNotFound, Summary: fmt.Sprintf("There is no %s %q", kind, id), Next: "Check the id"}
}
