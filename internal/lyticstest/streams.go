package lyticstest

import (
	"net/http"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// serveStreams answers GET /v2/stream. Streams appear with their first event;
// nothing creates them.
func (s *Server) serveStreams(r *request, path []string) reply {
	if r.Method != http.MethodGet || len(path) > 1 {
		return s.unrouted(r)
	}
	if err := r.expects(""); err != nil {
		return s.reject(r, "%v", err)
	}
	if len(path) == 1 {
		if err := s.look(r.Context(), path[0]); err != nil {
			return s.failed(r, err)
		}
	}
	all, err := s.users.Streams(r.Context())
	if err != nil {
		return s.failed(r, err)
	}
	list := []any{}
	for _, i := range all {
		switch {
		case len(path) == 0:
			list = append(list, s.streamJSON(i))
		case path[0] == "names":
			list = append(list, i.Name)
		case path[0] == i.Name:
			return s.success(r, http.StatusOK, s.streamJSON(i))
		}
	}
	if len(path) == 1 && path[0] != "names" {
		return s.refuse(r, http.StatusNotFound, "NOTFOUND-003", "stream not found")
	}
	return s.success(r, http.StatusOK, list)
}

func (s *Server) streamJSON(i jobs.StreamInfo) map[string]any {
	count := "count"
	if s.options.StreamCountCT {
		count = "ct"
	}
	o := map[string]any{"name": i.Name, count: i.Events, "jobs": []string{}, "tables": []string{"user"}}
	if i.LastTime != nil {
		o["last_msg_ts"] = i.LastTime.Format(time.RFC3339Nano)
		o["last_received_ts"] = o["last_msg_ts"]
	}
	return o
}
