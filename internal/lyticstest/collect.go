package lyticstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// The most bytes of one event: alone, and in a batch.
const (
	singleEvent = 4 << 10
	batchEvent  = 16 << 10
)

// collect takes in events: an array of objects, one object, or one a line.
func (s *Server) collect(r *request, stream string) reply {
	if r.Method != http.MethodPost {
		return s.wrongly(r, "the method is not POST")
	}
	if err := r.expects("application/json", "timestamp_field", "dryrun", "filename"); err != nil {
		return s.wrongly(r, "%v", err)
	}
	sent, batch, err := split(r.body)
	if err != nil {
		return s.wrongly(r, "%v", err)
	}
	limit := singleEvent
	if batch {
		limit = batchEvent
	}
	stamp := r.query.Get("timestamp_field")
	var events []jobs.Event
	rejected := 0
	for _, data := range sent {
		e, err := s.event(data, stamp, limit)
		if err != nil {
			s.complain("%s %s: an event is rejected: %v", r.Method, r.URL.Path, err)
			rejected++
			continue
		}
		events = append(events, e)
	}
	hurt := min(len(events), r.fault.Reject+r.fault.Lose)
	events = events[:len(events)-hurt]
	rejected += min(hurt, r.fault.Reject)
	if r.query.Get("dryrun") != "true" && len(events) > 0 {
		if _, err := s.users.Append(r.Context(), stream, events, nil); err != nil {
			return s.internal(r, err)
		}
		s.dirty = true
	}
	return s.good(r, http.StatusOK, map[string]any{
		"message_count": len(events), "rejected_count": rejected, "content-type": "application/json",
		"droperrors": false, "dryrun": r.query.Get("dryrun") == "true", "timestamp_field": stamp, "filename": r.query.Get("filename"),
	})
}

// split takes a body apart.
func split(body []byte) (events []json.RawMessage, batch bool, err error) {
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] == '[' {
		if err := json.Unmarshal(body, &events); err != nil {
			return nil, true, errors.New("the body is no JSON")
		}
		return events, true, nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	for {
		var e json.RawMessage
		err := d.Decode(&e)
		if errors.Is(err, io.EOF) {
			return events, len(events) > 1, nil
		}
		if err != nil {
			return nil, false, errors.New("the body is no JSON")
		}
		events = append(events, e)
	}
}

// event checks one event. Its place in the order of arrival is its id: Lytics
// does not look at ids.
func (s *Server) event(data json.RawMessage, stamp string, limit int) (jobs.Event, error) {
	v := gjson.ParseBytes(data)
	switch {
	case !v.IsObject():
		return jobs.Event{}, errors.New("it is no object")
	case len(data) > limit:
		return jobs.Event{}, fmt.Errorf("it has %d bytes", len(data))
	case objectsInArrays(v, false):
		return jobs.Event{}, errors.New("it has objects inside an array")
	}
	at := s.options.Now()
	if stamp != "" {
		var err error
		if at, err = time.Parse(time.RFC3339Nano, v.Get(gjson.Escape(stamp)).String()); err != nil {
			return jobs.Event{}, fmt.Errorf("its %s is no time", stamp)
		}
	}
	s.arrived++
	return jobs.Event{ID: fmt.Sprintf("%016d", s.arrived), Time: at, Data: data}, nil
}

func objectsInArrays(v gjson.Result, inArray bool) (found bool) {
	if v.IsObject() && inArray {
		return true
	}
	if !v.IsObject() && !v.IsArray() {
		return false
	}
	v.ForEach(func(_, e gjson.Result) bool {
		found = objectsInArrays(e, v.IsArray())
		return !found
	})
	return found
}
