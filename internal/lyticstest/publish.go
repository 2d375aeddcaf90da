package lyticstest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
)

// rewrite writes an expression as a parser and a printer would: with one space
// where there are several.
func rewrite(text string) string {
	if strings.ContainsAny(text, "\"'`") {
		return text
	}
	return strings.Join(strings.Fields(text), " ")
}

func (o object) field() (f jobs.Field, err error) {
	var j struct {
		ID           string `json:"id"`
		Type         string `json:"type"`
		Description  string `json:"shortdesc"`
		IsIdentifier bool   `json:"is_identifier"`
		IsPII        bool   `json:"is_pii"`
		Merge        string `json:"mergeop"`
		Capacity     int64  `json:"capacity"`
		KeepDays     int64  `json:"keep_days"`
	}
	text, err := json.Marshal(o)
	if err == nil {
		err = json.Unmarshal(text, &j)
	}
	return platform.NormalizeField(jobs.Field{
		ID: j.ID, Description: j.Description, Type: j.Type, IsIdentifier: j.IsIdentifier, IsPII: j.IsPII,
		MergeOperation: j.Merge, Capacity: j.Capacity, KeepDays: j.KeepDays,
	}), err
}

func (o object) mapping() jobs.Mapping {
	return jobs.Mapping{Stream: o.text("stream"), Field: o.text("field"), Expression: o.text("expr"), GuardExpression: o.text("guard_expr")}
}

// checkObject refuses what cannot work in a version.
func checkObject(v *version, kind string, o object) error {
	if kind == "field" {
		f, err := o.field()
		if err != nil {
			return err
		}
		return platform.ValidateField(f)
	}
	m := o.mapping()
	target, ok := v.fields[m.Field]
	if !ok || target.text("edit_status") == "deleted" {
		return fmt.Errorf("there is no field %s", m.Field)
	}
	return platform.ValidateMapping(m)
}

// publish makes a version the live one.
func (s *Server) publish(r *request, v *version) reply {
	if err := r.expects("application/json"); err != nil {
		return s.wrongly(r, "%v", err)
	}
	o, err := r.object(versionKeys...)
	if err != nil {
		return s.wrongly(r, "%v", err)
	}
	var tag, description string
	if json.Unmarshal(o["tag"], &tag) != nil || json.Unmarshal(o["description"], &description) != nil || tag == "" || description == "" {
		return s.wrongly(r, "tag and description are required")
	}
	return s.makeLive(r, v, tag)
}

func (s *Server) makeLive(r *request, v *version, tag string) reply {
	next := v.clone(s.newID())
	for _, all := range []objects{next.fields, next.mappings} {
		maps.DeleteFunc(all, func(_ string, o object) bool { return o.text("edit_status") == "deleted" })
		for _, o := range all {
			o["edit_status"] = "unmodified"
		}
	}
	if err := s.apply(r.Context(), next); err != nil {
		return s.refuse(r, http.StatusBadRequest, "SCHEMA-INVALID-018", err.Error())
	}
	s.schema.live, s.schema.draft = next, next.clone("")
	s.schema.tags = append(s.schema.tags, tag)
	s.dirty = true
	return s.good(r, http.StatusOK, map[string]any{"id": next.id, "status": "live", "table": "user", "tag": tag})
}

// apply brings the profiles' definitions to a version: what goes first, then
// fields, then what feeds them.
func (s *Server) apply(ctx context.Context, v *version) error {
	for id := range s.schema.live.mappings {
		if _, stays := v.mappings[id]; !stays {
			if err := s.users.DeleteMapping(ctx, s.schema.twins[id]); err != nil {
				return err
			}
			delete(s.schema.twins, id)
		}
	}
	for id := range s.schema.live.fields {
		if _, stays := v.fields[id]; !stays {
			if err := s.users.DeleteField(ctx, id); err != nil {
				return err
			}
		}
	}
	for id, o := range v.fields {
		f, err := o.field()
		if err != nil {
			return err
		}
		put := s.users.CreateField
		if old, was := s.schema.live.fields[id]; was {
			if same, err := old.field(); err == nil && same == f {
				continue
			}
			put = s.users.PutField
		}
		if _, err := put(ctx, f); err != nil {
			return err
		}
	}
	for id, o := range v.mappings {
		m := o.mapping()
		if old, was := s.schema.live.mappings[id]; was && old.mapping() == m {
			continue
		}
		m.ID = s.schema.twins[id]
		put := s.users.CreateMapping
		if m.ID != "" {
			put = s.users.PutMapping
		}
		made, err := put(ctx, m)
		if err != nil {
			return err
		}
		s.schema.twins[id] = made.ID
	}
	return nil
}

// servePatches answers /v2/schema/patch.
func (s *Server) servePatches(r *request, path []string) reply {
	if !s.options.Patches {
		return s.refuse(r, http.StatusNotFound, "NOTFOUND-003", "schema patches are not enabled")
	}
	if len(path) == 0 || path[0] != "user" {
		return s.refuse(r, http.StatusNotFound, "TABLE-NOTFOUND-009", "table not found")
	}
	if len(path) == 1 {
		return s.patchList(r)
	}
	v, ok := s.schema.patches[path[1]]
	if !ok {
		return s.refuse(r, http.StatusNotFound, "SCHEMAVERSION-NOTFOUND-011", "patch not found")
	}
	switch {
	case len(path) == 2 && r.Method == http.MethodDelete:
		delete(s.schema.patches, path[1])
		return s.good(r, http.StatusOK, nil)
	case len(path) == 3 && path[2] == "apply" && r.Method == http.MethodPost:
		a := s.makeLive(r, s.merged(v), "patch")
		if a.status == http.StatusOK {
			delete(s.schema.patches, path[1])
		}
		return a
	}
	return s.serveVersion(r, v, path[2:])
}

func (s *Server) patchList(r *request) reply {
	switch r.Method {
	case http.MethodGet:
		list := []any{}
		for id := range s.schema.patches {
			list = append(list, map[string]any{"id": id, "is_patch": true})
		}
		return s.good(r, http.StatusOK, list)
	case http.MethodPost:
		o, err := r.object(versionKeys...)
		if err != nil || o["tag"] == nil || o["description"] == nil {
			return s.wrongly(r, "tag and description are required: %v", err)
		}
		id := s.newID()
		s.schema.patches[id] = s.schema.live.clone(id)
		return s.good(r, http.StatusCreated, map[string]any{"id": id, "is_patch": true, "table": "user", "status": "draft"})
	}
	return s.wrongly(r, "there is no such call of patches")
}

// merged is the live schema with the changes of a patch.
func (s *Server) merged(patch *version) *version {
	v := s.schema.live.clone("")
	for _, kind := range []string{"field", "mapping"} {
		for id, o := range patch.of(kind) {
			if status := o.text("edit_status"); status == "new" || status == "modified" || status == "deleted" {
				v.of(kind)[id] = maps.Clone(o)
			}
		}
	}
	return v
}

// Patches is how many patches are open.
func (s *Server) Patches() int {
	s.account.Lock()
	defer s.account.Unlock()
	return len(s.schema.patches)
}
