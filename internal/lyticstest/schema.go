package lyticstest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
)

// The attributes of a field and of a mapping, as the API describes them.
var (
	fieldKeys = []string{
		"id", "type", "shortdesc", "longdesc", "is_identifier", "is_pii", "mergeop", "capacity", "keep_days", "keep_duration", "tags",
		"assertions", "disable_indexing", "id_config", "managed_by", "created", "modified", "edit_status",
	}
	mappingKeys = []string{"id", "field", "stream", "expr", "guard_expr", "managed_by", "created", "modified", "edit_status"}
	versionKeys = []string{"tag", "description"}
)

// object is a field or a mapping.
type object map[string]any

func (o object) text(key string) string {
	s, _ := o[key].(string)
	return s
}

// objects are fields or mappings by id.
type objects map[string]object

// version is a state of the schema: live, a draft of it, or a patch.
type version struct {
	id               string
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

type schema struct {
	live, draft *version
	patches     map[string]*version
	// tags are the versions that were published.
	tags []string
	// twins are the ids that the embedded platform has given to mappings.
	twins map[string]string
}

func (c *schema) reset() {
	c.live = &version{fields: objects{}, mappings: objects{}}
	c.draft = c.live.clone("")
	c.patches, c.twins = map[string]*version{}, map[string]string{}
}

// Versions lists the tags of the published versions of the schema.
func (s *Server) Versions() []string {
	s.account.Lock()
	defer s.account.Unlock()
	return slices.Clone(s.schema.tags)
}

// Draft changes the draft as somebody at Lytics's own pages would: a field, or
// its removal when attributes are nil.
func (s *Server) Draft(id string, attributes map[string]any) {
	s.account.Lock()
	defer s.account.Unlock()
	if attributes == nil {
		s.schema.draft.fields[id]["edit_status"] = "deleted"
		return
	}
	o := object{"id": id}
	maps.Copy(o, attributes)
	s.schema.put(s.schema.draft, "field", o)
}

// FieldAttributes gives all that the live schema has of a field.
func (s *Server) FieldAttributes(id string) map[string]any {
	s.account.Lock()
	defer s.account.Unlock()
	return maps.Clone(s.schema.live.fields[id])
}

// put writes an object into a version, and gives it as it is then.
func (c *schema) put(v *version, kind string, o object) object {
	id := o.text("id")
	o["modified"] = time.Now().UTC().Format(time.RFC3339Nano)
	o["edit_status"] = "new"
	if _, ok := c.live.of(kind)[id]; ok {
		o["edit_status"] = "modified"
	}
	v.of(kind)[id] = o
	return o
}

// serveSchema answers /v2/schema.
func (s *Server) serveSchema(r *request, path []string) reply {
	if path[0] == "patch" {
		return s.servePatches(r, path[1:])
	}
	if path[0] != "user" {
		return s.refuse(r, http.StatusNotFound, "TABLE-NOTFOUND-009", "table not found")
	}
	path = path[1:]
	if len(path) == 1 && path[0] == "publish" && r.Method == http.MethodPost {
		return s.publish(r, s.schema.draft)
	}
	if r.Method != http.MethodGet && s.options.Patches {
		return s.wrongly(r, "the account's schema is changed by patches")
	}
	return s.serveVersion(r, s.schema.draft, path)
}

// serveVersion answers for the fields and mappings of a version.
func (s *Server) serveVersion(r *request, v *version, path []string) reply {
	if len(path) == 0 || len(path) > 2 || path[0] != "field" && path[0] != "mapping" {
		return s.wrongly(r, "there is no such call of schemas")
	}
	kind, all := path[0], v.of(path[0])
	switch {
	case len(path) == 1 && r.Method == http.MethodPost:
		return s.upsert(r, v, kind)
	case len(path) == 1 && r.Method == http.MethodGet:
		if err := r.expects("", "version_id", "filter"); err != nil {
			return s.wrongly(r, "%v", err)
		}
		list := []object{}
		for _, id := range slices.Sorted(maps.Keys(all)) {
			list = append(list, all[id])
		}
		return s.good(r, http.StatusOK, list)
	case len(path) == 1:
		return s.wrongly(r, "there is no such call of schemas")
	}
	if err := r.expects("", "version_id"); err != nil {
		return s.wrongly(r, "%v", err)
	}
	o, ok := all[path[1]]
	if !ok || o.text("edit_status") == "deleted" && r.Method == http.MethodGet {
		return s.notFound(r, kind+" not found")
	}
	switch r.Method {
	case http.MethodGet:
		return s.good(r, http.StatusOK, o)
	case http.MethodDelete:
		// What is only in the draft goes; what is live is marked.
		if _, live := s.schema.live.of(kind)[path[1]]; live {
			o["edit_status"] = "deleted"
		} else {
			delete(all, path[1])
		}
		return s.good(r, http.StatusOK, nil)
	}
	return s.wrongly(r, "there is no such call of schemas")
}

func (s *Server) upsert(r *request, v *version, kind string) reply {
	if err := r.expects("application/json"); err != nil {
		return s.wrongly(r, "%v", err)
	}
	keys := fieldKeys
	if kind == "mapping" {
		keys = mappingKeys
	}
	if _, err := r.object(keys...); err != nil {
		return s.wrongly(r, "%v", err)
	}
	var o object
	if err := json.Unmarshal(r.body, &o); err != nil {
		return s.wrongly(r, "%v", err)
	}
	for _, key := range []string{"created", "modified", "edit_status"} {
		if _, ok := o[key]; ok {
			return s.wrongly(r, "%s is the server's to write", key)
		}
	}
	status := http.StatusOK
	if kind == "mapping" {
		for _, key := range []string{"field", "stream", "expr"} {
			if o.text(key) == "" {
				return s.wrongly(r, "attribute %s is required", key)
			}
		}
		if o.text("id") == "" {
			o["id"], status = s.newID(), http.StatusCreated
		} else if _, ok := v.mappings[o.text("id")]; !ok {
			return s.notFound(r, "mapping not found")
		}
		o["expr"], o["guard_expr"] = rewrite(o.text("expr")), rewrite(o.text("guard_expr"))
	}
	if kind == "field" && (o.text("id") == "" || o.text("type") == "") {
		return s.wrongly(r, "attributes id and type are required")
	}
	if err := checkObject(v, kind, o); err != nil {
		return s.refuse(r, http.StatusBadRequest, "SCHEMA-INVALID-018", err.Error())
	}
	return s.good(r, status, s.schema.put(v, kind, o))
}
