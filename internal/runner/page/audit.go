package page

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// auditRows is the number of entries on one page.
const auditRows = 100

type auditView struct {
	jobs.AuditFilter
	Entries []jobs.AuditEntry
	// Older is the path of the next page.
	Older string
}

// showAudit lists who changed what.
func (s *server) showAudit(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	before, err := strconv.ParseInt(q.Get("before"), 10, 64)
	if err != nil {
		before = 0
	}
	v := auditView{AuditFilter: jobs.AuditFilter{Actor: q.Get("actor"), Object: q.Get("object"), Before: before, Limit: auditRows}}
	page, err := s.API.AuditLog(r.Context(), v.AuditFilter)
	if err != nil {
		s.fail(w, r, "audit", err)
		return
	}
	v.Entries = page.Entries
	if page.Next > 0 {
		older := url.Values{"before": {strconv.FormatInt(page.Next, 10)}}
		for name, value := range map[string]string{"actor": v.Actor, "object": v.Object} {
			if value != "" {
				older.Set(name, value)
			}
		}
		v.Older = "/audit?" + older.Encode()
	}
	s.render(w, r, http.StatusOK, "audit", frame{Title: "Audit log", Section: "audit", Refresh: refreshIdle}, v)
}

// auditPath is the path of the changes by an actor, or of an object.
func auditPath(key, value string) string { return "/audit?" + url.Values{key: {value}}.Encode() }
