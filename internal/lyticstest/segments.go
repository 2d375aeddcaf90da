package lyticstest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// The keys of a segment that a client may send, and those that a new one needs.
var (
	segmentKeys = []string{
		"name",
		"slug_name",
		"description",
		"segment_ql",
		"kind",
		"table",
		"is_public",
		"save_hist",
		"tags",
		"groups",
		"expires_at",
		"emit_trigger",
		"schedule_exit",
	}
	requiredSegmentKeys = []string{"name", "slug_name", "description", "segment_ql", "kind", "table", "is_public", "save_hist"}
	segmentKinds        = []string{"segment", "aspect", "goal", "list", "conversion", "metric", "managed", "candidate"}
)

// segment is a stored segment: the attributes that clients send, with its slug.
type segment struct {
	id         string
	attributes object
}

func (g *segment) slug() string { return g.attributes.text("slug_name") }

// serveSegments answers /v2/segment.
func (s *Server) serveSegments(r *request, path []string) reply {
	switch {
	case len(path) == 0 && r.Method == http.MethodGet:
		return s.listSegments(r)
	case len(path) == 0 && r.Method == http.MethodPost:
		return s.createSegment(r)
	case len(path) != 1:
		return s.unrouted(r)
	}
	g := s.findSegment(path[0])
	if g == nil {
		return s.refuse(r, http.StatusNotFound, "NOTFOUND-003", "segment not found")
	}
	switch r.Method {
	case http.MethodGet:
		return s.readSegment(r, g)
	case http.MethodPut:
		return s.changeSegment(r, g)
	case http.MethodDelete:
		if err := r.expects(""); err != nil {
			return s.reject(r, "%v", err)
		}
		if err := s.users.DeleteAudience(r.Context(), g.id); err != nil {
			return s.refuse(r, http.StatusBadRequest, "BADREQ-001", err.Error())
		}
		delete(s.segments, g.id)
		return s.deleted(r)
	}
	return s.unrouted(r)
}

// findSegment finds a segment by id or slug.
func (s *Server) findSegment(idOrSlug string) *segment {
	if g, ok := s.segments[idOrSlug]; ok {
		return g
	}
	for _, g := range s.segments {
		if g.slug() == idOrSlug {
			return g
		}
	}
	return nil
}

func (s *Server) listSegments(r *request) reply {
	if err := r.expects("", "table", "valid", "kind", "sizes"); err != nil {
		return s.reject(r, "%v", err)
	}
	list := []any{}
	for _, id := range slices.Sorted(maps.Keys(s.segments)) {
		if kind := r.query.Get("kind"); kind == "" || kind == s.segments[id].attributes.text("kind") {
			list = append(list, s.segmentJSON(s.segments[id]))
		}
	}
	return s.success(r, http.StatusOK, list)
}

func (s *Server) readSegment(r *request, g *segment) reply {
	if err := r.expects("", "sizes", "inline"); err != nil {
		return s.reject(r, "%v", err)
	}
	o := s.segmentJSON(g)
	if r.query.Get("sizes") == "true" {
		if err := s.buildProfiles(r.Context()); err != nil {
			return s.failed(r, err)
		}
		if n, err := s.users.AudienceSize(r.Context(), g.id); err == nil {
			o["size"] = n
			return s.success(r, http.StatusOK, o)
		}
	}
	if _, _, err := s.users.Scan(r.Context(), g.id, nil); err != nil {
		o["invalid"], o["invalid_reason"] = true, err.Error()
	}
	return s.success(r, http.StatusOK, o)
}

func (s *Server) segmentJSON(g *segment) map[string]any {
	o := map[string]any{
		"id": g.id, "aid": 1000, "account_id": s.options.AccountID, "author_id": "a0", "fields": []string{}, "includes": []string{},
		"invalid": false, "invalid_reason": "", "deleted": false, "public_name": "", "created": s.timestamp(), "updated": s.timestamp(),
	}
	maps.Copy(o, g.attributes)
	if g.attributes.boolean("is_public") {
		o["public_name"] = g.slug()
	}
	return o
}

var (
	fromClause  = regexp.MustCompile(`(?i)\sFROM\s+(\w+)`)
	aliasClause = regexp.MustCompile(`(?i)\sALIAS\s+([\w-]+)\s*$`)
)

// decodeSegment reads the attributes of a request and writes the filter with all
// of its clauses, as Lytics does.
func (s *Server) decodeSegment(r *request) (object, error) {
	if err := r.expects("application/json"); err != nil {
		return nil, err
	}
	o, err := r.object(segmentKeys...)
	if err != nil {
		return nil, err
	}
	for _, key := range []string{"name", "slug_name", "description", "segment_ql", "kind", "table"} {
		if _, ok := o[key].(string); o[key] != nil && !ok {
			return nil, fmt.Errorf("attribute %s is not a string", key)
		}
	}
	if kind := o.text("kind"); kind != "" && !slices.Contains(segmentKinds, kind) {
		return nil, fmt.Errorf("there is no kind %q", kind)
	}
	if !strings.HasPrefix(strings.ToUpper(o.text("segment_ql")), "FILTER") {
		return nil, errors.New("segment_ql does not begin with FILTER")
	}
	return o, nil
}

// createSegment creates a segment. When the slug is taken, the new one gets the
// slug with _1, _2 and so on.
func (s *Server) createSegment(r *request) reply {
	o, err := s.decodeSegment(r)
	if err != nil {
		return s.reject(r, "%v", err)
	}
	for _, key := range requiredSegmentKeys {
		if _, ok := o[key]; !ok {
			return s.reject(r, "attribute %s is required", key)
		}
	}
	wanted := o.text("slug_name")
	for n := 1; s.findSegment(o.text("slug_name")) != nil; n++ {
		o["slug_name"] = fmt.Sprintf("%s_%d", wanted, n)
	}
	made, err := s.users.CreateAudience(r.Context(), s.evaluable(audienceOf(o)))
	if err != nil {
		return s.refuse(r, http.StatusBadRequest, "BADREQ-001", err.Error())
	}
	g := &segment{id: made.ID, attributes: o}
	s.segments[g.id] = g
	return s.success(r, http.StatusCreated, s.segmentJSON(g))
}

// changeSegment replaces a segment whole. The table is that of FROM, user
// without it; without slug_name, ALIAS renames the segment.
func (s *Server) changeSegment(r *request, g *segment) reply {
	o, err := s.decodeSegment(r)
	if err != nil {
		return s.reject(r, "%v", err)
	}
	if o.text("slug_name") == "" {
		o["slug_name"] = g.slug()
		if m := aliasClause.FindStringSubmatch(o.text("segment_ql")); m != nil {
			o["slug_name"] = strings.ToLower(m[1])
		}
	}
	if holder := s.findSegment(o.text("slug_name")); holder != nil && holder != g {
		return s.refuse(r, http.StatusBadRequest, "BADREQ-001", "Slug is already used.")
	}
	a := audienceOf(o)
	a.ID = g.id
	if _, err := s.users.PutAudience(r.Context(), s.evaluable(a)); err != nil {
		return s.refuse(r, http.StatusBadRequest, "BADREQ-001", err.Error())
	}
	g.attributes = o
	return s.success(r, http.StatusOK, s.segmentJSON(g))
}

// audienceOf completes the filter's clauses and returns the audience that the
// embedded platform evaluates.
func audienceOf(o object) jobs.Audience {
	filter := aliasClause.ReplaceAllString(o.text("segment_ql"), "")
	o["table"] = "user"
	if m := fromClause.FindStringSubmatch(filter); m != nil {
		o["table"] = m[1]
	} else {
		filter += " FROM user"
	}
	filter = respace(filter + " ALIAS " + o.text("slug_name"))
	o["segment_ql"] = filter
	return jobs.Audience{Name: cmp.Or(o.text("name"), o.text("slug_name")), Slug: o.text("slug_name"), Filter: filter}
}

// MarkSegment sets an attribute of a segment, given as JSON, as a colleague does
// in the Lytics UI.
func (s *Server) MarkSegment(id, key, value string) {
	s.account.Lock()
	defer s.account.Unlock()
	s.segments[id].attributes[key] = json.RawMessage(value)
}

// SegmentMark returns an attribute of a segment as JSON.
func (s *Server) SegmentMark(id, key string) string {
	s.account.Lock()
	defer s.account.Unlock()
	text, err := json.Marshal(s.segments[id].attributes[key])
	if err != nil {
		return err.Error()
	}
	return string(text)
}
