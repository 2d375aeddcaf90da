package lyticstest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// The keys that a client may send in a field, a mapping and a publication.
var (
	fieldKeys = []string{
		"id", "type", "shortdesc", "longdesc", "mergeop", "is_identifier", "is_pii", "capacity", "keep_days", "keep_duration",
		"disable_indexing", "tags", "assertions", "id_config",
	}
	mappingKeys     = []string{"id", "field", "stream", "expr", "guard_expr"}
	publicationKeys = []string{"tag", "description", "name"}
)

// objects are the fields or the mappings of a version, by id.
type objects map[string]object

// version is one state of the schema: the live one, the shared draft, or a patch.
type version struct {
	id, tag          string
	fields, mappings objects
}

func (v *version) of(kind string) objects {
	if kind == "field" {
		return v.fields
	}
	return v.mappings
}

func (v *version) clone(id string) *version {
	c := &version{id: id, fields: objects{}, mappings: objects{}}
	for k, o := range v.fields {
		c.fields[k] = maps.Clone(o)
	}
	for k, o := range v.mappings {
		c.mappings[k] = maps.Clone(o)
	}
	return c
}

// schema is the schema of the table user with its history.
type schema struct {
	live, draft *version
	patches     map[string]*version
	// tags are the tags of the versions that were published, in order.
	tags []string
	// builtMappings holds the embedded platform's id of each live mapping.
	builtMappings map[string]string
	// builtFields are the live fields that the embedded platform builds.
	builtFields map[string]object
}

func newSchema() schema {
	live := &version{fields: objects{}, mappings: objects{}}
	return schema{
		live: live, draft: live.clone(""), patches: map[string]*version{}, builtMappings: map[string]string{}, builtFields: map[string]object{},
	}
}

// Versions lists the tags of the published versions of the schema.
func (s *Server) Versions() []string {
	s.account.Lock()
	defer s.account.Unlock()
	return slices.Clone(s.schema.tags)
}

// Patches returns the number of patches that are neither applied nor deleted.
func (s *Server) Patches() int {
	s.account.Lock()
	defer s.account.Unlock()
	return len(s.schema.patches)
}

// Draft changes a field in the shared draft as a colleague does in the Lytics
// UI. With nil attributes it deletes the field.
func (s *Server) Draft(id string, attributes map[string]any) {
	s.account.Lock()
	defer s.account.Unlock()
	if attributes == nil {
		s.schema.draft.fields[id]["edit_status"] = "deleted"
		return
	}
	o := object{"id": id}
	maps.Copy(o, attributes)
	s.put(s.schema.draft, "field", o)
}

// Edit changes a live field, as a colleague does who publishes the change.
func (s *Server) Edit(id string, attributes map[string]any) {
	s.account.Lock()
	defer s.account.Unlock()
	for _, v := range []*version{s.schema.live, s.schema.draft} {
		o := object{"id": id}
		maps.Copy(o, attributes)
		s.put(v, "field", o)["edit_status"] = "unmodified"
	}
}

// FieldAttributes returns all attributes of a live field, or nil.
func (s *Server) FieldAttributes(id string) map[string]any {
	s.account.Lock()
	defer s.account.Unlock()
	return maps.Clone(s.schema.live.fields[id])
}

// put writes an object into a version and returns it with the server's keys.
func (s *Server) put(v *version, kind string, o object) object {
	id := o.text("id")
	o["modified"] = s.timestamp()
	o["created"] = o["modified"]
	if old, ok := v.of(kind)[id]; ok {
		o["created"] = old["created"]
	}
	o["edit_status"] = "new"
	if _, ok := s.schema.live.of(kind)[id]; ok {
		o["edit_status"] = "modified"
	}
	if kind == "field" {
		fillField(o)
	}
	v.of(kind)[id] = o
	return o
}

// fillField adds what Lytics adds to a field: a merge operation, for identifiers
// too, and the retention as a duration whose fraction drifts.
func fillField(o object) {
	if o.text("mergeop") == "" {
		o["mergeop"] = "latest"
		if t, ok := typeOf(o.text("type")); ok && t.shape != scalar {
			o["mergeop"] = "merge"
		}
	}
	if days, err := o.integer("keep_days"); err == nil && days > 0 {
		o["keep_duration"] = fmt.Sprintf("%dh59m59.999999999s", days*24-1)
	}
}

// serveSchema answers /v2/schema.
func (s *Server) serveSchema(r *request, path []string) reply {
	switch {
	case path[0] == "patch":
		return s.servePatches(r, path[1:])
	case matches(path, "expression", "evaluate"):
		return s.evaluateExpression(r)
	case path[0] != "user":
		return s.refuse(r, http.StatusNotFound, "NOTFOUND-003", "table not found")
	}
	path = path[1:]
	if r.Method != http.MethodGet && s.options.Patches {
		return s.reject(r, "this account changes its schema by patches")
	}
	switch {
	case matches(path, "publish") && r.Method == http.MethodPost:
		return s.publish(r, s.schema.draft)
	case matches(path, "revert") && r.Method == http.MethodPost:
		s.schema.draft = s.schema.live.clone("")
		return s.success(r, http.StatusOK, nil)
	case matches(path, "compare") && r.Method == http.MethodGet:
		return s.compare(r)
	}
	return s.serveVersion(r, s.schema.draft, path)
}

// compare lists the unpublished changes of the shared draft.
func (s *Server) compare(r *request) reply {
	changes := map[string]any{}
	for _, kind := range []string{"field", "mapping"} {
		list := []object{}
		all := s.schema.draft.of(kind)
		for _, id := range slices.Sorted(maps.Keys(all)) {
			if status := all[id].text("edit_status"); status != "" && status != "unmodified" {
				list = append(list, all[id])
			}
		}
		changes[kind+"s"] = list
	}
	return s.success(r, http.StatusOK, changes)
}

// serveVersion answers for the fields and mappings of one version.
func (s *Server) serveVersion(r *request, v *version, path []string) reply {
	if len(path) == 0 || len(path) > 2 || path[0] != "field" && path[0] != "mapping" {
		return s.unrouted(r)
	}
	kind := path[0]
	switch {
	case len(path) == 1 && r.Method == http.MethodGet:
		if err := r.expects(""); err != nil {
			return s.reject(r, "%v", err)
		}
		list := []object{}
		for _, id := range slices.Sorted(maps.Keys(v.of(kind))) {
			list = append(list, v.of(kind)[id])
		}
		return s.success(r, http.StatusOK, list)
	case len(path) == 1 && r.Method == http.MethodPost:
		return s.writeObject(r, v, kind, "")
	case len(path) == 1:
		return s.unrouted(r)
	case r.Method == http.MethodPost:
		return s.writeObject(r, v, kind, path[1])
	}
	o, ok := v.of(kind)[path[1]]
	if !ok || o.text("edit_status") == "deleted" && r.Method == http.MethodGet {
		return s.refuse(r, http.StatusNotFound, "NOTFOUND-003", kind+" not found")
	}
	if err := r.expects(""); err != nil {
		return s.reject(r, "%v", err)
	}
	switch r.Method {
	case http.MethodGet:
		return s.success(r, http.StatusOK, o)
	case http.MethodDelete:
		// A live object is marked until the next publication. One that is only in the
		// draft is gone at once.
		if _, live := s.schema.live.of(kind)[path[1]]; live {
			o["edit_status"] = "deleted"
		} else {
			delete(v.of(kind), path[1])
		}
		return s.deleted(r)
	}
	return s.unrouted(r)
}

// writeObject creates or replaces a field or a mapping. id is that of the path,
// or empty.
func (s *Server) writeObject(r *request, v *version, kind, id string) reply {
	if err := r.expects("application/json"); err != nil {
		return s.reject(r, "%v", err)
	}
	if kind == "field" {
		return s.writeField(r, v, id)
	}
	return s.writeMapping(r, v, id)
}

// writeField replaces the whole field: what is left out is unset.
func (s *Server) writeField(r *request, v *version, id string) reply {
	o, err := r.object(fieldKeys...)
	if err != nil {
		return s.reject(r, "%v", err)
	}
	if id != "" && o["id"] == nil {
		o["id"] = id
	}
	if id != "" && o.text("id") != id {
		return s.reject(r, "the id of the path is %q, that of the body %q", id, o.text("id"))
	}
	if err := checkField(o); err != nil {
		return s.refuse(r, http.StatusBadRequest, "SCHEMA-INVALID-018", err.Error())
	}
	_, exists := v.fields[o.text("id")]
	if id != "" && !exists {
		return s.refuse(r, http.StatusNotFound, "NOTFOUND-003", "field not found")
	}
	status := http.StatusCreated
	if exists {
		status = http.StatusOK
	}
	return s.success(r, status, s.put(v, "field", o))
}

// writeMapping creates a mapping, or changes the one with the id. The stream of
// a mapping cannot change.
func (s *Server) writeMapping(r *request, v *version, id string) reply {
	o, err := r.object(mappingKeys...)
	if err != nil {
		return s.reject(r, "%v", err)
	}
	byPath := id != ""
	switch {
	case byPath && s.options.MappingByCollection:
		return s.refuse(r, http.StatusNotFound, "NOTFOUND-003", "not found")
	case !byPath && o.text("id") != "" && !s.options.MappingByCollection:
		return s.refuse(r, http.StatusBadRequest, "BADREQ-001", "a new mapping has no id")
	case byPath && o["id"] != nil && o.text("id") != id:
		return s.reject(r, "the id of the path is %q, that of the body %q", id, o.text("id"))
	case !byPath:
		id = o.text("id")
	}
	for _, key := range []string{"field", "stream", "expr"} {
		if o.text(key) == "" {
			return s.reject(r, "attribute %s is required", key)
		}
	}
	if target, ok := v.fields[o.text("field")]; !ok || target.text("edit_status") == "deleted" {
		return s.refuse(r, http.StatusBadRequest, "SCHEMA-INVALID-018", "field "+o.text("field")+" not found")
	}
	status := http.StatusOK
	if id == "" {
		id, status = s.newID(), http.StatusCreated
	} else {
		old, ok := v.mappings[id]
		if !ok {
			return s.refuse(r, http.StatusNotFound, "NOTFOUND-003", "mapping not found")
		}
		if old.text("stream") != o.text("stream") {
			return s.refuse(r, http.StatusBadRequest, "BADREQ-001", "the stream of a mapping cannot be changed")
		}
	}
	o["id"] = id
	o["expr"], o["guard_expr"] = respace(o.text("expr")), respace(o.text("guard_expr"))
	return s.success(r, status, s.put(v, "mapping", o))
}
