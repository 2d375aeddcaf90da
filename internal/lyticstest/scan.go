package lyticstest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Profiles of a page of a scan: by default, and at most.
const (
	defaultPage = 10
	maxPage     = 100
)

// scan is a scan that a client pages through.
type scan struct {
	segment  string
	profiles []map[string]any
	// offsets holds the first profile of each page token that was given out.
	offsets map[string]int
}

// buildProfiles evaluates the events that arrived since the last call.
func (s *Server) buildProfiles(ctx context.Context) error {
	if !s.stale {
		return nil
	}
	_, err := s.users.BuildProfiles(ctx, nil)
	s.stale = err != nil
	return err
}

// scan answers GET /api/segment/{id}/scan.
func (s *Server) scan(r *request, id string) reply {
	if err := r.expects("", "limit", "start", "fields", "sortfield", "sortorder", "meta"); err != nil {
		return s.reject(r, "%v", err)
	}
	limit := defaultPage
	if text := r.query.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxPage {
			return s.reject(r, "limit is %s, at most %d is allowed", text, maxPage)
		}
	}
	if _, ok := s.segments[id]; !ok {
		return s.refuse(r, http.StatusNotFound, "", "segment not found")
	}
	start := r.query.Get("start")
	at, offset := s.scans[start], 0
	switch {
	case start == "":
		var err error
		if at, err = s.beginScan(r.Context(), id); err != nil {
			return s.refuse(r, http.StatusBadRequest, "", err.Error())
		}
	case at == nil || at.segment != id || r.fault.Expire:
		delete(s.scans, start)
		return s.refuse(r, http.StatusBadRequest, "", "invalid start token")
	default:
		offset = at.offsets[start]
	}
	return s.scanPage(r, at, start, offset, limit)
}

func (s *Server) scanPage(r *request, at *scan, start string, offset, limit int) reply {
	offset = max(0, offset-r.fault.Back)
	end := min(offset+limit, len(at.profiles))
	page := []map[string]any{}
	keep := strings.Split(r.query.Get("fields"), ",")
	for _, p := range at.profiles[offset:max(offset, end-r.fault.Miss)] {
		if r.query.Get("fields") != "" {
			narrow := map[string]any{}
			for k, v := range p {
				if k == "_id" || slices.Contains(keep, k) {
					narrow[k] = v
				}
			}
			p = narrow
		}
		page = append(page, p)
	}
	next := ""
	if end < len(at.profiles) {
		next = s.newID()
		if r.fault.Loop {
			next = start
		}
		at.offsets[next] = end
		s.scans[next] = at
	}
	a := s.success(r, http.StatusOK, page)
	body, _ := a.body.(map[string]any)
	body["total"] = len(at.profiles)
	name := "_next"
	if s.options.ScanNext {
		name = "next"
	}
	body[name] = next
	return a
}

// beginScan reads the profiles of a segment as they are now.
func (s *Server) beginScan(ctx context.Context, id string) (*scan, error) {
	if err := s.buildProfiles(ctx); err != nil {
		return nil, err
	}
	columns, rows, err := s.users.Scan(ctx, id, nil)
	if err != nil {
		return nil, err
	}
	at := &scan{segment: id, offsets: map[string]int{}}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		at.profiles = append(at.profiles, s.profileJSON(columns, row, len(at.profiles)%2 == 0))
	}
	return at, nil
}

// profileJSON writes a profile with the keys that have a value. asText writes
// numbers and booleans as strings: Lytics does both.
func (s *Server) profileJSON(columns []jobs.Field, row []jobs.Value, asText bool) map[string]any {
	p := map[string]any{}
	id := sha256.New()
	for i, c := range columns {
		v := row[i]
		if v.Null {
			continue
		}
		if c.IsIdentifier {
			id.Write([]byte(c.ID + "=" + v.Text + "\n"))
		}
		t, known := typeOf(c.Type)
		switch {
		case !known || t.shape == scalar && (asText || t.element == "string" || t.element == "date"):
			p[c.ID] = v.Text
		case asText && t.shape == mapping:
			p[c.ID] = textValues(v.Text)
		default:
			p[c.ID] = json.RawMessage(v.Text)
		}
	}
	if !s.options.HideIDs {
		p["_id"] = hex.EncodeToString(id.Sum(nil)[:16])
	}
	p["_modified"] = s.options.Now().UTC()
	return p
}

// textValues writes the numbers and booleans of a map as strings.
func textValues(text string) any {
	var values map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &values) != nil {
		return json.RawMessage(text)
	}
	out := map[string]any{}
	for k, v := range values {
		out[k] = v
		if len(v) > 0 && v[0] != '"' {
			out[k] = string(v)
		}
	}
	return out
}
