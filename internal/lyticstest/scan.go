package lyticstest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
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
	segment, splits string
	profiles        []profile
	// offsets holds the first profile of each page token that was given out.
	offsets map[string]int
	// total is what its pages say.
	total int
}

// buildProfiles evaluates the events that arrived since the last call.
func (s *Server) buildProfiles(ctx context.Context) error {
	if !s.stale {
		return nil
	}
	clear(s.scanned)
	_, err := s.users.BuildProfiles(ctx, nil)
	s.stale = err != nil
	return err
}

// scan answers GET /api/segment/{id}/scan.
func (s *Server) scan(r *request, id string) reply {
	if err := r.expects("", "limit", "start", "splits", "fields", "sortfield", "sortorder", "meta"); err != nil {
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
	start, splits := r.query.Get("start"), r.query.Get("splits")
	groups, err := splitNumbers(splits)
	if err != nil {
		return s.reject(r, "%v", err)
	}
	if splits != "" && s.options.Splits == SplitsRefused {
		return s.refuse(r, http.StatusBadRequest, "", "splits are not supported")
	}
	at, offset := s.scans[start], 0
	switch {
	case start == "":
		if at, err = s.beginScan(r.Context(), id, splits, groups); err != nil {
			return s.refuse(r, http.StatusBadRequest, "", err.Error())
		}
	case at == nil || at.segment != id || at.splits != splits || r.fault.Expire:
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
		values := p.values
		if r.query.Get("fields") != "" {
			values = map[string]any{}
			for k, v := range p.values {
				if k == "_id" || slices.Contains(keep, k) {
					values[k] = v
				}
			}
		}
		page = append(page, values)
	}
	next := ""
	switch stays := s.options.ScanSameToken; {
	case r.fault.Loop && start != "":
		next = start
	case stays && start != "":
		next = start
		at.offsets[next] = end
	case stays || end < len(at.profiles):
		next = s.newID()
		at.offsets[next] = end
		s.scans[next] = at
	}
	a := s.success(r, http.StatusOK, page)
	body, _ := a.body.(map[string]any)
	body["total"] = at.total
	name := "_next"
	if s.options.ScanNext {
		name = "next"
	}
	body[name] = next
	return a
}

// beginScan reads the profiles of a segment, or of groups of it, as they are now.
func (s *Server) beginScan(ctx context.Context, id, splits string, groups map[int]bool) (*scan, error) {
	all, err := s.profilesOf(ctx, id)
	if err != nil {
		return nil, err
	}
	at := &scan{segment: id, splits: splits, profiles: all, total: len(all), offsets: map[string]int{}}
	if splits == "" || s.options.Splits == SplitsIgnored {
		return at, nil
	}
	at.profiles = nil
	for _, p := range all {
		inSome := s.options.Splits != SplitsPartial || p.split != 0
		overlap := s.options.Splits == SplitsOverlap && p.split == 1 && groups[0]
		if inSome && groups[p.split] || overlap {
			at.profiles = append(at.profiles, p)
		}
	}
	if s.options.Splits != SplitsCountAll {
		at.total = len(at.profiles)
	}
	return at, nil
}

// splitNumbers parses a list of numbers of splits.
func splitNumbers(text string) (map[int]bool, error) {
	if text == "" {
		return nil, nil
	}
	groups := map[int]bool{}
	for number := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n > 99 {
			return nil, fmt.Errorf("splits has %q; it is a list of numbers from 0 to 99", number)
		}
		groups[n] = true
	}
	return groups, nil
}

// profile is a profile and the number of its split.
type profile struct {
	values map[string]any
	split  int
}

// profilesOf returns the profiles of a segment.
func (s *Server) profilesOf(ctx context.Context, id string) ([]profile, error) {
	if err := s.buildProfiles(ctx); err != nil {
		return nil, err
	}
	if list, ok := s.scanned[id]; ok {
		return list, nil
	}
	columns, rows, err := s.users.Scan(ctx, id, nil)
	if err != nil {
		return nil, err
	}
	list := []profile{}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		list = append(list, s.profileJSON(columns, row, len(list)%2 == 0))
	}
	s.scanned[id] = list
	return list, nil
}

// profileJSON writes a profile with the keys that have a value. asText writes
// numbers and booleans as strings: Lytics does both.
func (s *Server) profileJSON(columns []jobs.Field, row []jobs.Value, asText bool) profile {
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
	sum := id.Sum(nil)
	if !s.options.HideIDs {
		p["_id"] = hex.EncodeToString(sum[:16])
	}
	p["_modified"] = s.options.Now().UTC()
	// Lytics does not say how it chooses the split.
	return profile{p, int(sum[31]) % 100}
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
