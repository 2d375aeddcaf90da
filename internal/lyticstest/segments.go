package lyticstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
)

// segmentKeys are the attributes that a request may have.
var segmentKeys = []string{
	"id", "name", "slug_name", "description", "segment_ql", "kind", "table", "tags", "groups", "category", "is_public", "public_name",
	"save_hist", "schedule_exit", "forward_datemath", "expires_at", "emit_trigger",
}

// segmentMark is what a segment has besides its definition.
type segmentMark map[string]json.RawMessage

// serveSegments answers /v2/segment.
func (s *Server) serveSegments(r *request, path []string) reply {
	switch {
	case len(path) == 0 && r.Method == http.MethodGet:
		return s.segmentList(r)
	case len(path) == 0 && r.Method == http.MethodPost:
		return s.createSegment(r)
	case len(path) != 1:
		return s.wrongly(r, "there is no such call of segments")
	}
	a, err := s.users.Audience(r.Context(), path[0])
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return s.notFound(r, "segment not found")
	}
	if err != nil {
		return s.internal(r, err)
	}
	switch r.Method {
	case http.MethodGet:
		return s.readSegment(r, a)
	case http.MethodPut:
		return s.changeSegment(r, a)
	case http.MethodDelete:
		if err := r.expects(""); err != nil {
			return s.wrongly(r, "%v", err)
		}
		if err := s.users.DeleteAudience(r.Context(), a.ID); err != nil {
			return s.refuse(r, http.StatusBadRequest, "BADREQ-001", err.Error())
		}
		delete(s.marks, a.ID)
		return s.good(r, http.StatusOK, nil)
	}
	return s.wrongly(r, "there is no such call of segments")
}

func (s *Server) segmentList(r *request) reply {
	if err := r.expects("", "table", "valid", "kind", "sizes"); err != nil {
		return s.wrongly(r, "%v", err)
	}
	all, err := s.users.Audiences(r.Context())
	if err != nil {
		return s.internal(r, err)
	}
	list := []any{}
	for _, a := range all {
		list = append(list, s.segmentJSON(a))
	}
	return s.good(r, http.StatusOK, list)
}

func (s *Server) readSegment(r *request, a jobs.Audience) reply {
	if err := r.expects("", "sizes", "inline"); err != nil {
		return s.wrongly(r, "%v", err)
	}
	o := s.segmentJSON(a)
	if r.query.Get("sizes") == "true" {
		if err := s.build(r.Context()); err != nil {
			return s.internal(r, err)
		}
		n, err := s.users.AudienceSize(r.Context(), a.ID)
		if err != nil {
			o["invalid"], o["invalid_reason"] = true, err.Error()
		} else {
			o["size"] = n
		}
		return s.good(r, http.StatusOK, o)
	}
	if _, _, err := s.users.Scan(r.Context(), a.ID, nil); err != nil {
		o["invalid"], o["invalid_reason"] = true, err.Error()
	}
	return s.good(r, http.StatusOK, o)
}

func (s *Server) segmentJSON(a jobs.Audience) map[string]any {
	o := map[string]any{
		"id": a.ID, "account_id": "4f7b525bdba058fc096757a6", "name": a.Name, "slug_name": a.Slug, "description": a.Description,
		"segment_ql": a.Filter, "kind": "segment", "table": "user", "invalid": false, "deleted": false,
		"created": "2024-08-04T21:18:20.124Z", "updated": s.options.Now().UTC().Format(time.RFC3339Nano), "fields": []string{}, "tags": []string{},
	}
	for k, v := range s.marks[a.ID] {
		o[k] = v
	}
	return o
}

// segmentOf reads a segment from a request, and rewrites its filter with all
// clauses.
func (s *Server) segmentOf(r *request) (jobs.Audience, segmentMark, error) {
	if err := r.expects("application/json"); err != nil {
		return jobs.Audience{}, nil, err
	}
	o, err := r.object(segmentKeys...)
	if err != nil {
		return jobs.Audience{}, nil, err
	}
	text := func(key string) (t string) {
		if json.Unmarshal(o[key], &t) != nil && o[key] != nil {
			err = fmt.Errorf("attribute %s is no string", key)
		}
		return t
	}
	a := jobs.Audience{Name: text("name"), Slug: text("slug_name"), Description: text("description"), Filter: text("segment_ql")}
	switch {
	case err != nil:
	case text("table") != "user" || text("kind") != "segment":
		err = fmt.Errorf("the table is %q and the kind %q", text("table"), text("kind"))
	case !strings.HasPrefix(a.Filter, "FILTER"):
		err = fmt.Errorf("segment_ql does not begin with FILTER")
	}
	mark := segmentMark{}
	for _, key := range segmentKeys[7:] {
		if v, ok := o[key]; ok {
			mark[key] = v
		}
	}
	a = platform.NormalizeAudience(a)
	if !strings.Contains(a.Filter, " FROM ") {
		a.Filter += " FROM user"
	}
	if !strings.Contains(a.Filter, " ALIAS ") {
		a.Filter += " ALIAS " + a.Slug
	}
	a.Filter = rewrite(a.Filter)
	return a, mark, err
}

func (s *Server) createSegment(r *request) reply {
	a, mark, err := s.segmentOf(r)
	if err != nil {
		return s.wrongly(r, "%v", err)
	}
	if _, err := s.users.Audience(r.Context(), a.Slug); err == nil {
		return s.refuse(r, http.StatusConflict, "BADREQ-001", "slug_name is taken")
	}
	made, err := s.users.CreateAudience(r.Context(), a)
	if err != nil {
		return s.refuse(r, http.StatusBadRequest, "BADREQ-001", err.Error())
	}
	s.marks[made.ID] = mark
	return s.good(r, http.StatusCreated, s.segmentJSON(made))
}

func (s *Server) changeSegment(r *request, old jobs.Audience) reply {
	a, mark, err := s.segmentOf(r)
	if err != nil {
		return s.wrongly(r, "%v", err)
	}
	a.ID = old.ID
	made, err := s.users.PutAudience(r.Context(), a)
	if jobs.IsCode(err, jobs.CodeConflict) {
		return s.refuse(r, http.StatusConflict, "BADREQ-001", "slug_name is taken")
	}
	if err != nil {
		return s.refuse(r, http.StatusBadRequest, "BADREQ-001", err.Error())
	}
	// A change is whole: what it leaves out is gone.
	s.marks[a.ID] = mark
	return s.good(r, http.StatusOK, s.segmentJSON(made))
}

// MarkSegment gives a segment attributes that were set at Lytics's own pages.
func (s *Server) MarkSegment(id, key, value string) {
	s.account.Lock()
	defer s.account.Unlock()
	if s.marks[id] == nil {
		s.marks[id] = segmentMark{}
	}
	s.marks[id][key] = json.RawMessage(value)
}

// SegmentMark gives one of those.
func (s *Server) SegmentMark(id, key string) string {
	s.account.Lock()
	defer s.account.Unlock()
	return string(s.marks[id][key])
}

// sizeEvery is how often a size may be asked for by a filter.
const sizeEvery = 10 * time.Second

// serveSegmentsV1 answers /api/segment.
func (s *Server) serveSegmentsV1(r *request, path []string) reply {
	switch {
	case len(path) == 2 && path[1] == "scan" && r.Method == http.MethodGet:
		return s.scan(r, path[0])
	case len(path) == 1 && path[0] == "validate" && r.Method == http.MethodPost:
		if err := r.expects("text/plain"); err != nil {
			return s.wrongly(r, "%v", err)
		}
		if _, err := s.tryFilter(r, false); err != nil {
			return s.refuse(r, http.StatusBadRequest, "", "Failed parsing segment QL: "+err.Error())
		}
		return s.good(r, http.StatusOK, nil)
	case len(path) == 1 && path[0] == "size" && r.Method == http.MethodPost:
		if now := s.options.Now(); now.Sub(s.sizeAt) < sizeEvery {
			return s.refuse(r, http.StatusTooManyRequests, "", "too many requests")
		}
		s.sizeAt = s.options.Now()
		n, err := s.tryFilter(r, true)
		if err != nil {
			return s.refuse(r, http.StatusBadRequest, "", "Failed parsing segment QL: "+err.Error())
		}
		return s.good(r, http.StatusOK, map[string]any{"id": "", "size": n})
	}
	return s.wrongly(r, "there is no such call of segments")
}

// tryFilter sees whether a filter works, under a name of its own; includes are
// looked at when it is saved.
func (s *Server) tryFilter(r *request, size bool) (n int64, err error) {
	text := string(r.body)
	if !strings.HasPrefix(text, "FILTER") {
		return 0, fmt.Errorf("unrecognized filter statement")
	}
	f, err := platform.ParseFilter(text)
	if err != nil {
		return 0, err
	}
	if len(f.Includes()) > 0 && !size {
		return 0, nil
	}
	a, err := s.users.CreateAudience(r.Context(), jobs.Audience{Name: "try " + s.newID(), Filter: text})
	if err != nil {
		return 0, err
	}
	if size {
		if err = s.build(r.Context()); err == nil {
			n, err = s.users.AudienceSize(r.Context(), a.ID)
		}
	}
	if removeErr := s.users.DeleteAudience(r.Context(), a.ID); err == nil {
		err = removeErr
	}
	return n, err
}
