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

// maxPage is the most profiles of a page.
const maxPage = 100

// snapshot is a scan on its way.
type snapshot struct {
	segment  string
	profiles []map[string]any
	// at is where the page of each token begins.
	at map[string]int
}

// build brings the profiles up to the events, as Lytics does all the time.
func (s *Server) build(ctx context.Context) error {
	if !s.dirty {
		return nil
	}
	_, err := s.users.BuildProfiles(ctx, nil)
	s.dirty = err != nil
	return err
}

func (s *Server) scan(r *request, id string) reply {
	if err := r.expects("", "limit", "start", "fields"); err != nil {
		return s.wrongly(r, "%v", err)
	}
	limit := 10
	if text := r.query.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxPage {
			return s.wrongly(r, "limit is %s, and at most %d", text, maxPage)
		}
	}
	a, err := s.users.Audience(r.Context(), id)
	if err != nil || a.ID != id {
		return s.refuse(r, http.StatusNotFound, "", "segment not found")
	}
	start := r.query.Get("start")
	snap, at := s.scans[start], 0
	switch {
	case start == "":
		if snap, err = s.snapshot(r.Context(), id); err != nil {
			return s.refuse(r, http.StatusBadRequest, "", err.Error())
		}
	case snap == nil || snap.segment != id || r.fault.Expire:
		delete(s.scans, start)
		return s.refuse(r, http.StatusBadRequest, "", "the start of the scan is not known any more")
	default:
		at = snap.at[start]
	}
	return s.page(r, snap, start, at, limit)
}

func (s *Server) page(r *request, snap *snapshot, start string, at, limit int) reply {
	at = max(0, at-r.fault.Back)
	end := min(at+limit, len(snap.profiles))
	page := snap.profiles[at:max(at, end-r.fault.Miss)]
	if list := r.query.Get("fields"); list != "" {
		keep := append(strings.Split(list, ","), "_id")
		var narrow []map[string]any
		for _, p := range page {
			n := map[string]any{}
			for k, v := range p {
				if slices.Contains(keep, k) {
					n[k] = v
				}
			}
			narrow = append(narrow, n)
		}
		page = narrow
	}
	next := ""
	if end < len(snap.profiles) {
		next = s.newID()
		if r.fault.Loop {
			next = start
		}
		snap.at[next] = end
		s.scans[next] = snap
	}
	if page == nil {
		page = []map[string]any{}
	}
	return reply{status: http.StatusOK, body: map[string]any{"status": http.StatusOK, "message": "success", "_next": next, "total": len(snap.profiles), "data": page}}
}

// snapshot reads the profiles of a segment.
func (s *Server) snapshot(ctx context.Context, id string) (*snapshot, error) {
	if err := s.build(ctx); err != nil {
		return nil, err
	}
	columns, rows, err := s.users.Scan(ctx, id, nil)
	if err != nil {
		return nil, err
	}
	snap := &snapshot{segment: id, at: map[string]int{}}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		snap.profiles = append(snap.profiles, s.profile(columns, row, len(snap.profiles)%2 == 0))
	}
	return snap, nil
}

// profile writes a row as Lytics writes profiles: only what has a value, and in
// every other one numbers and booleans as strings.
func (s *Server) profile(columns []jobs.Field, row []jobs.Value, strung bool) map[string]any {
	p := map[string]any{}
	h := sha256.New()
	for i, c := range columns {
		v := row[i]
		if v.Null {
			continue
		}
		if c.IsIdentifier {
			h.Write([]byte(c.ID + "=" + v.Text + "\n"))
		}
		switch {
		case c.Type == "string" || c.Type == "date" || strung && !strings.ContainsAny(c.Type, "[]"):
			p[c.ID] = v.Text
		case strung && strings.HasPrefix(c.Type, "map"):
			p[c.ID] = stringValues(v.Text)
		default:
			p[c.ID] = json.RawMessage(v.Text)
		}
	}
	if !s.options.HideIDs {
		p["_id"] = hex.EncodeToString(h.Sum(nil)[:16])
	}
	p["_modified"] = s.options.Now().UTC()
	return p
}

// entity looks a profile up. One that is not there is no 404, but a profile that
// stands in.
func (s *Server) entity(r *request, id jobs.Identity) reply {
	if err := r.expects("", "fields"); err != nil || r.Method != http.MethodGet {
		return s.wrongly(r, "there is no such call of entities: %v", err)
	}
	if err := s.build(r.Context()); err != nil {
		return s.internal(r, err)
	}
	found, err := s.users.Profile(r.Context(), id)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return reply{status: http.StatusOK, body: map[string]any{"status": http.StatusOK, "message": "Not Found", "data": map[string]any{"segments": []string{"not_found", "all"}}}}
	}
	if err != nil {
		return s.refuse(r, http.StatusBadRequest, "", err.Error())
	}
	columns, err := s.users.Fields(r.Context())
	if err != nil {
		return s.internal(r, err)
	}
	row := make([]jobs.Value, len(columns))
	for i, c := range columns {
		v, ok := found[c.ID]
		row[i] = v
		row[i].Null = !ok
	}
	return s.good(r, http.StatusOK, s.profile(columns, row, true))
}

func stringValues(text string) any {
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
