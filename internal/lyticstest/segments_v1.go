package lyticstest

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// sizeInterval is the least time between two calls of POST /api/segment/size.
const sizeInterval = 10 * time.Second

// serveSegmentsV1 answers /api/segment.
func (s *Server) serveSegmentsV1(r *request, path []string) reply {
	switch {
	case len(path) == 2 && path[1] == "scan" && r.Method == http.MethodGet:
		return s.scan(r, path[0])
	case matches(path, "validate") && r.Method == http.MethodPost:
		if err := r.expects("text/plain"); err != nil {
			return s.reject(r, "%v", err)
		}
		if _, err := s.tryFilter(r, false); err != nil {
			return s.refuse(r, http.StatusBadRequest, "", "Failed parsing segment QL: "+err.Error())
		}
		return s.success(r, http.StatusOK, nil)
	case matches(path, "size") && r.Method == http.MethodPost:
		now := s.options.Now()
		if now.Sub(s.sizeAt) < sizeInterval {
			return s.refuse(r, http.StatusTooManyRequests, "", "too many requests")
		}
		s.sizeAt = now
		n, err := s.tryFilter(r, true)
		if err != nil {
			return s.refuse(r, http.StatusBadRequest, "", "Failed parsing segment QL: "+err.Error())
		}
		return s.success(r, http.StatusOK, map[string]any{"id": "", "size": n})
	}
	return s.unrouted(r)
}

// tryFilter parses a filter, and counts its profiles where count is asked for.
func (s *Server) tryFilter(r *request, count bool) (n int64, err error) {
	text := strings.TrimSpace(string(r.body))
	if !strings.HasPrefix(strings.ToUpper(text), "FILTER") {
		return 0, errors.New("Unrecognized input")
	}
	text = aliasClause.ReplaceAllString(text, "")
	if !s.options.ValidateTextOnly && !s.understands(text) {
		if err := s.checkNames(text); err != nil {
			return 0, err
		}
	}
	a, err := s.users.CreateAudience(r.Context(), s.evaluable(jobs.Audience{Name: "try " + s.newID(), Filter: text}))
	if err != nil {
		if !count && strings.Contains(strings.ToUpper(text), "INCLUDE") && strings.Contains(err.Error(), "to include") {
			return 0, nil
		}
		return 0, err
	}
	if count {
		if err = s.buildProfiles(r.Context()); err == nil {
			n, err = s.users.AudienceSize(r.Context(), a.ID)
		}
	}
	return n, errors.Join(err, s.users.DeleteAudience(r.Context(), a.ID))
}
