package lyticstest

import (
	"net/http"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// serveStreams answers /v2/stream.
func (s *Server) serveStreams(r *request, path []string) reply {
	if err := r.expects(""); err != nil || r.Method != http.MethodGet || len(path) > 1 {
		return s.wrongly(r, "there is no such call of streams: %v", err)
	}
	if len(path) == 0 {
		all, err := s.users.Streams(r.Context())
		if err != nil {
			return s.internal(r, err)
		}
		list := []any{}
		for _, i := range all {
			list = append(list, streamJSON(i))
		}
		return s.good(r, http.StatusOK, list)
	}
	i, err := s.users.StreamInfo(r.Context(), path[0])
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return s.refuse(r, http.StatusNotFound, "STREAM-NOTFOUND-014", "stream not found")
	}
	if err != nil {
		return s.internal(r, err)
	}
	return s.good(r, http.StatusOK, streamJSON(i))
}

func streamJSON(i jobs.StreamInfo) map[string]any {
	o := map[string]any{"name": i.Name, "count": i.Events, "tables": []string{"user"}}
	if i.Events > 0 {
		o["avg_event_size"] = i.Bytes / i.Events
	}
	if i.LastTime != nil {
		o["last_msg_ts"] = i.LastTime.Format(time.RFC3339Nano)
	}
	return o
}
