package lyticstest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// tagForm is the form of a patch's tag.
var tagForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// publish makes the shared draft the live schema, with everybody's changes.
func (s *Server) publish(r *request, v *version) reply {
	if err := r.expects("application/json"); err != nil {
		return s.reject(r, "%v", err)
	}
	o, err := r.object(publicationKeys...)
	if err != nil {
		return s.reject(r, "%v", err)
	}
	if o.text("tag") == "" || o.text("description") == "" {
		return s.reject(r, "tag and description are required")
	}
	if strings.Contains(o.text("tag"), ":") {
		return s.reject(r, "the tag holds a colon")
	}
	return s.makeLive(r, v, o.text("tag"))
}

func (s *Server) makeLive(r *request, v *version, tag string) reply {
	next := v.clone(s.newID())
	for _, all := range []objects{next.fields, next.mappings} {
		maps.DeleteFunc(all, func(_ string, o object) bool { return o.text("edit_status") == "deleted" })
		for _, o := range all {
			o["edit_status"] = "unmodified"
		}
	}
	for _, o := range next.mappings {
		if _, ok := next.fields[o.text("field")]; !ok {
			return s.refuse(r, http.StatusBadRequest, "SCHEMA-INVALID-018", "mapping "+o.text("id")+" feeds no field")
		}
	}
	if err := s.rebuild(r.Context(), next); err != nil {
		return s.refuse(r, http.StatusBadRequest, "SCHEMA-INVALID-018", err.Error())
	}
	s.schema.live, s.schema.draft = next, next.clone("")
	s.schema.tags = append(s.schema.tags, tag)
	s.stale = true
	return s.success(r, http.StatusOK, map[string]any{"id": next.id, "status": "live", "table": "user", "tag": tag})
}

// servePatches answers /v2/schema/patch. The list answers 200 in every account;
// only the setting tells whether patches are used.
func (s *Server) servePatches(r *request, path []string) reply {
	if len(path) == 0 || path[0] != "user" {
		return s.refuse(r, http.StatusNotFound, "NOTFOUND-003", "table not found")
	}
	if len(path) == 1 && r.Method == http.MethodGet {
		list := []any{}
		for _, id := range slices.Sorted(maps.Keys(s.schema.patches)) {
			list = append(list, map[string]any{"id": id, "is_patch": true, "tag": s.schema.patches[id].tag})
		}
		return s.success(r, http.StatusOK, list)
	}
	if !s.options.Patches {
		return s.reject(r, "this account does not use schema patches")
	}
	if len(path) == 1 && r.Method == http.MethodPost {
		return s.createPatch(r)
	}
	if len(path) == 1 {
		return s.unrouted(r)
	}
	v, ok := s.schema.patches[path[1]]
	if !ok {
		return s.refuse(r, http.StatusNotFound, "NOTFOUND-003", "patch not found")
	}
	switch {
	case len(path) == 2 && r.Method == http.MethodDelete:
		delete(s.schema.patches, path[1])
		return s.deleted(r)
	case len(path) == 3 && path[2] == "apply" && r.Method == http.MethodPost:
		if v.tag == "" {
			return s.refuse(r, http.StatusBadRequest, "BADREQ-001", "the patch has no tag")
		}
		a := s.makeLive(r, s.merged(v), v.tag)
		if a.status == http.StatusOK {
			delete(s.schema.patches, path[1])
		}
		return a
	}
	return s.serveVersion(r, v, path[2:])
}

func (s *Server) createPatch(r *request) reply {
	if err := r.expects("application/json"); err != nil {
		return s.reject(r, "%v", err)
	}
	o, err := r.object(publicationKeys...)
	if err != nil {
		return s.reject(r, "%v", err)
	}
	if tag := o.text("tag"); tag != "" && !tagForm.MatchString(tag) {
		return s.reject(r, "the tag %q is not lower-case words with hyphens", tag)
	}
	if o.text("description") == "" {
		return s.reject(r, "description is required")
	}
	v := s.schema.live.clone(s.newID())
	v.tag = o.text("tag")
	s.schema.patches[v.id] = v
	return s.success(r, http.StatusCreated, map[string]any{"id": v.id, "is_patch": true, "table": "user", "status": "draft", "tag": v.tag})
}

// merged returns the live schema with the changes of a patch.
func (s *Server) merged(patch *version) *version {
	v := s.schema.live.clone("")
	for _, kind := range []string{"field", "mapping"} {
		for id, o := range patch.of(kind) {
			if status := o.text("edit_status"); status != "" && status != "unmodified" {
				v.of(kind)[id] = maps.Clone(o)
			}
		}
	}
	return v
}

// rebuild brings the embedded platform, which builds the profiles, to a version
// of the schema.
func (s *Server) rebuild(ctx context.Context, v *version) error {
	for id, built := range s.schema.builtMappings {
		if _, stays := v.mappings[id]; !stays {
			if err := s.users.DeleteMapping(ctx, built); err != nil {
				return err
			}
			delete(s.schema.builtMappings, id)
		}
	}
	for id := range s.schema.builtFields {
		if _, stays := v.fields[id]; !stays {
			if err := s.users.DeleteField(ctx, id); err != nil {
				return err
			}
			delete(s.schema.builtFields, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(v.fields)) {
		if err := s.rebuildField(ctx, id, v.fields[id]); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(v.mappings)) {
		o := v.mappings[id]
		if _, ok := s.schema.builtFields[o.text("field")]; !ok || s.understands(o.text("expr")+"\n"+o.text("guard_expr")) {
			continue
		}
		if err := s.rebuildMapping(ctx, id, o); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) rebuildField(ctx context.Context, id string, o object) error {
	if old, ok := s.schema.builtFields[id]; ok && maps.Equal(definitionOf(old), definitionOf(o)) {
		return nil
	}
	f := jobs.Field{
		ID:           id,
		Description:  o.text("shortdesc"),
		Type:         o.text("type"),
		IsIdentifier: o.boolean("is_identifier"),
		IsPII:        o.boolean("is_pii"),
	}
	// Identifiers have no merge operation of their own; the one that is read back
	// means nothing.
	if !f.IsIdentifier {
		f.MergeOperation = o.text("mergeop")
	}
	// Both were checked when the field was written.
	f.Capacity, _ = o.integer("capacity")
	f.KeepDays, _ = o.integer("keep_days")
	write := s.users.CreateField
	if _, ok := s.schema.builtFields[id]; ok {
		write = s.users.PutField
	}
	if _, err := write(ctx, f); jobs.IsCode(err, jobs.CodeInvalid) && s.schema.builtFields[id] == nil {
		// The embedded platform does not build this type; its values stay absent.
		return nil
	} else if err != nil {
		return err
	}
	s.schema.builtFields[id] = maps.Clone(o)
	return nil
}

// definitionOf leaves out what changes without a change of the definition.
func definitionOf(o object) map[string]string {
	out := map[string]string{}
	for k, v := range o {
		if k != "modified" && k != "created" && k != "edit_status" {
			out[k] = fmt.Sprint(v)
		}
	}
	return out
}

func (s *Server) rebuildMapping(ctx context.Context, id string, o object) error {
	m := jobs.Mapping{Stream: o.text("stream"), Field: o.text("field"), Expression: o.text("expr"), GuardExpression: o.text("guard_expr")}
	write := s.users.CreateMapping
	if built, ok := s.schema.builtMappings[id]; ok {
		old, err := s.users.Mapping(ctx, built)
		if err != nil {
			return err
		}
		m.ID = built
		if old == m {
			return nil
		}
		write = s.users.PutMapping
	}
	made, err := write(ctx, m)
	if err != nil {
		return err
	}
	s.schema.builtMappings[id] = made.ID
	return nil
}
